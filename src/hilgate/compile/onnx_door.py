"""The ONNX door: a QDQ model file to a graph. It checks the file; what each node means is told by the operators'
from_onnx.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hilgate.compile import onnx_file
from hilgate.compile.graph import Graph, Node, Shape, Tensor
from hilgate.compile.layout import Layout
from hilgate.compile.onnx_fold import fold
from hilgate.compile.onnx_node import OnnxNode
from hilgate.compile.onnx_ways_out import way_out
from hilgate.compile.ops import onnx_operators
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.errors import ModelError

WINDOWED = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize")  # over height and width


class OnnxDoor:
    """Reads one model into `graph`."""

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.graph = model, Graph(name=name, rounding="single")
        self.values: dict[str, str] = {}  # ONNX value name -> tensor name
        self.layout = Layout(self.graph)

    def read(self) -> Graph:
        """The graph as the file says it, not yet lowered to integers."""
        proto = self.model.graph
        for initializer in proto.initializer:
            self._constant(initializer.name, initializer)
        for value in proto.input:
            if value.name not in self.values:
                self._input(value)
        for node in onnx_file.in_order(proto.node, set(self.values)):
            self._node(node)
        for value in proto.output:
            if value.name not in self.values:
                raise ModelError(f"output `{value.name}` is made by no node", where=self.graph.name)
            self.graph.outputs.append(self.values[value.name])
        return self.graph

    def value(self, name: str, reader: OnnxNode) -> Tensor:
        if name not in self.values:
            raise reader.refuse(f"input `{name}` is made by no node")
        return self.graph.tensors[self.values[name]]

    def view(self, tensor: Tensor, shape: Shape) -> Tensor:
        """The same bytes under another shape, as a node of its own."""
        name = self.graph.fresh(f"{tensor.name}.view")
        result = self.graph.add(Tensor(name, shape, tensor.dtype, tensor.quantization))
        self.graph.nodes.append(Node(name, Reshape(shape), [tensor.name], [name]))
        return result

    def emit(self, node: OnnxNode, op: Op, inputs: Sequence[Tensor], output: Tensor, *, define: bool = True) -> None:
        try:
            output.shape = op.output_shapes(inputs)[0]
        except ValueError as error:
            raise node.refuse(str(error), "the file's shapes do not go together; export it again") from error
        self.graph.nodes.append(Node(node.name, op, [t.name for t in inputs], [output.name]))
        if define:
            self._define(output.name, output)
        else:
            self.graph.add(output)

    def _define(self, name: str, tensor: Tensor) -> None:
        if name in self.values:
            raise ModelError(f"tensor `{name}` has two producers", where=self.graph.name, hint="the file is damaged")
        self.values[name] = self.graph.add(tensor).name

    def _constant(self, name: str, proto: Any) -> None:
        from onnx import numpy_helper

        try:
            if any(size < 0 for size in proto.dims):  # NumPy would take one to mean `the rest`
                raise ValueError("a negative dimension")
            data = numpy_helper.to_array(proto)
        except Exception as error:  # onnx raises whatever the damage leads to
            raise ModelError(f"constant `{name}` is damaged", where=self.graph.name, hint="export again") from error
        self._define(name, Tensor(name, data.shape, str(data.dtype), data=data))

    def _input(self, value: Any) -> None:
        shape, dtype = onnx_file.declared(value)
        tensor = Tensor(value.name, shape, dtype)
        self._define(value.name, tensor)
        self.graph.inputs.append(value.name)
        if len(shape) in (3, 4) and any(node.op_type in WINDOWED for node in self.model.graph.node):
            self.layout.store_input(tensor)

    def _node(self, proto: Any) -> None:
        node = OnnxNode(self, proto)
        if proto.domain not in ("", "ai.onnx"):
            raise node.refuse(f"domain `{proto.domain}` is not supported", "use operators of the standard ONNX domain")
        if proto.op_type == "Constant":
            return self._constant(proto.output[0], _constant_value(node))
        try:
            if not fold(node):
                self._operator(node)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise node.refuse(f"its inputs or attributes make no sense: {error}", "export the model again") from error
        unknown = [a.name for a in proto.attribute if a.name not in node.taken]
        if unknown:
            raise node.refuse(f"attribute `{unknown[0]}` is not supported", "hilgate ignores nothing in silence")

    @staticmethod
    def _operator(node: OnnxNode) -> None:
        operator = onnx_operators().get(node.kind)
        if operator is None:
            raise node.refuse(f"operator {node.kind} is not supported", way_out(node.kind))
        if not operator.many_outputs:
            node.single_output()
        operator.from_onnx(node)


def _constant_value(node: OnnxNode) -> Any:
    from onnx import numpy_helper

    if len(node.proto.attribute) != 1:
        raise node.refuse("a Constant needs exactly one attribute")
    name = node.proto.attribute[0].name
    value = node.attribute(name)
    if name == "value":
        return value
    if name in ("value_float", "value_floats"):
        return numpy_helper.from_array(np.asarray(value, np.float32))
    if name in ("value_int", "value_ints"):
        return numpy_helper.from_array(np.asarray(value, np.int64))
    raise node.refuse(f"attribute `{name}` is not supported", "supported: value, value_float(s), value_int(s)")


def load_onnx(path: Path) -> Graph:
    """Read an .onnx file. Raises ModelError for anything that is not a model which hilgate can compile."""
    return OnnxDoor(onnx_file.read_model(path), path.stem).read()
