"""The TFLite door: an int8 .tflite file to a graph, rounding `double`. What each operator means is told by
from_tflite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.compile import tflite_file
from hilgate.compile.graph import Graph, Node, Quantization, Shape, Tensor
from hilgate.compile.ops import tflite_operators
from hilgate.compile.ops.activation import NONE, RELU, RELU6, Activation
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.window import Pair, Window, same_padding
from hilgate.errors import ModelError

ACTIVATIONS = {"NONE": NONE, "RELU": RELU, "RELU6": RELU6, "RELU_N1_TO_1": Activation(-1.0, 1.0)}


@dataclass
class TfliteNode:
    """A TFLite operator while it is read. kind: its name; inputs, outputs: tensor names, empty where left out."""

    door: TfliteDoor
    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    table: Any

    @property
    def graph(self) -> Graph:
        return self.door.graph

    def refuse(self, what: str, hint: str = "") -> ModelError:
        return ModelError(what, where=f"node `{self.name}` ({self.kind})", hint=hint)

    def has(self, index: int) -> bool:
        return index < len(self.inputs) and self.inputs[index] != ""

    def input(self, index: int) -> Tensor:
        if not self.has(index):
            raise self.refuse(f"input {index} is missing")
        return self.graph.tensors[self.inputs[index]]

    def constant(self, index: int) -> Tensor:
        """An input that must be known at compile time."""
        tensor = self.input(index)
        if not tensor.constant:
            raise self.refuse(
                f"input {index} (`{tensor.name}`) must be a constant", "convert the model with fixed shapes"
            )
        return tensor

    def numbers(self, index: int) -> list[int]:
        """A constant input as whole numbers: a shape, axes, paddings."""
        return [int(v) for v in self.constant(index).values.reshape(-1)]

    def bias(self, index: int) -> list[Tensor]:
        """The bias when there is one."""
        return [self.constant(index)] if self.has(index) else []

    def options(self, name: str) -> Any:
        """The operator's options table, an object of the `tflite` package's class `name`."""
        return tflite_file.options(self.table, name, self)

    def activation(self, code: int) -> Activation:
        name = tflite_file.enum_name("ActivationFunctionType", code)
        if name not in ACTIVATIONS:
            raise self.refuse(f"fused activation {name} is not supported", f"supported: {', '.join(ACTIVATIONS)}")
        return ACTIVATIONS[name]

    def window(self, options: Any, kernel: Pair, *, dilated: bool = False) -> Window:
        """Strides, dilations and padding of a convolution or a pool."""
        stride = (int(options.StrideH()), int(options.StrideW()))
        dilation = (int(options.DilationHFactor()), int(options.DilationWFactor())) if dilated else (1, 1)
        if min(*stride, *dilation, *kernel) <= 0:
            raise self.refuse(f"kernel {kernel}, stride {stride}, dilation {dilation} are not positive")
        if tflite_file.enum_name("Padding", options.Padding()) == "VALID":
            return Window(kernel, stride, dilation)
        shape = self.input(0).shape
        sides = [same_padding(shape[1 + i], kernel[i], stride[i], dilation[i]) for i in (0, 1)]
        return Window(kernel, stride, dilation, (sides[0][0], sides[1][0], sides[0][1], sides[1][1]))

    def view(self, tensor: Tensor, shape: Shape) -> Tensor:
        """The same bytes under another shape, as a node of its own."""
        name = self.graph.fresh(f"{tensor.name}.view")
        result = self.graph.add(Tensor(name, shape, tensor.dtype, tensor.quantization))
        self.graph.nodes.append(Node(name, Reshape(shape), [tensor.name], [name]))
        return result

    def emit_or_view(self, op: Op, x: Tensor) -> None:
        """The same for an operator whose output the file stores under another shape."""
        output = self.graph.tensors[self.outputs[0]]
        shape = op.output_shapes([x])[0]
        if shape == output.shape:
            self.emit(op, [x])
            return
        inner = self.graph.add(Tensor(self.graph.fresh(f"{output.name}.inner"), shape, "int8", output.quantization))
        self.graph.nodes.append(Node(f"{self.name}.inner", op, [x.name], [inner.name]))
        self.emit(Reshape(output.shape), [inner])

    def emit(self, op: Op, inputs: Sequence[Tensor], *, output: int | None = None) -> None:
        """Add the node; its outputs are the file's tensors, whose shapes must be what the operator gives.

        output: the node makes only this one of them.
        """
        names = list(self.outputs) if output is None else [self.outputs[output]]
        outputs = [self.graph.tensors[name] for name in names]
        try:
            shapes = op.output_shapes(inputs)
        except ValueError as error:
            raise self.refuse(str(error), "the file's shapes do not go together; convert it again") from error
        if shapes != [tensor.shape for tensor in outputs]:
            raise self.refuse(f"its output should have shape {shapes}, the file says {[t.shape for t in outputs]}")
        name = self.name if not output else f"{self.name}.{output}"
        self.graph.nodes.append(Node(name, op, [t.name for t in inputs], names))


class TfliteDoor:
    """Reads one model into `graph`."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.path, self.model = path, tflite_file.parse(content, path)
        self.graph = Graph(name=path.stem, rounding="double")
        self.names: dict[int, str] = {}

    def read(self) -> Graph:
        """The graph as the file says it."""
        subgraph = self.model.Subgraphs(0)
        for index in range(tflite_file.counted(subgraph.TensorsLength(), "tensors")):
            self._tensor(index, subgraph.Tensors(index))
        self.graph.inputs = [self.names[int(subgraph.Inputs(i))] for i in range(subgraph.InputsLength())]
        for index in range(tflite_file.counted(subgraph.OperatorsLength(), "operators")):
            self._node(index, subgraph.Operators(index))
        self.graph.outputs = [self.names[int(subgraph.Outputs(i))] for i in range(subgraph.OutputsLength())]
        used = {name for node in self.graph.nodes for name in (*node.inputs, *node.outputs)}
        used |= {*self.graph.inputs, *self.graph.outputs}
        self.graph.tensors = {name: tensor for name, tensor in self.graph.tensors.items() if name in used}
        return self.graph

    def _tensor(self, index: int, table: Any) -> None:
        raw = (table.Name() or b"").decode("utf-8", "replace")
        name = self.graph.fresh(raw or f"tensor_{index}")
        shape: Shape = tuple(int(d) for d in table.ShapeAsNumpy()) if table.ShapeLength() else ()
        signature = [int(d) for d in table.ShapeSignatureAsNumpy()] if table.ShapeSignatureLength() else []
        if any(d <= 0 for d in shape) or any(d < 0 for d in signature[1:]):
            raise ModelError(f"tensor `{name}` has a dynamic shape {signature or shape}", where=str(self.path))
        dtype = tflite_file.enum_name("TensorType", table.Type()).lower()
        data = tflite_file.buffer(self.model, table.Buffer(), dtype, shape, name)
        quantization = self._quantization(table.Quantization(), name, shape)
        self.graph.add(Tensor(name, shape, dtype, quantization, data))
        self.names[index] = name

    def _quantization(self, table: Any, name: str, shape: Shape) -> Quantization | None:
        if table is None or table.ScaleLength() == 0:
            return None
        scales = tuple(float(s) for s in table.ScaleAsNumpy())
        points = {int(p) for p in table.ZeroPointAsNumpy()} if table.ZeroPointLength() else {0}
        if not all(math.isfinite(s) and s > 0 for s in scales):
            raise ModelError(f"a scale of tensor `{name}` is zero, negative or not a number", where=str(self.path))
        if len(points) != 1:
            raise ModelError(f"zero points of tensor `{name}` differ between channels", where=str(self.path))
        axis = int(table.QuantizedDimension())
        if len(scales) > 1 and (axis >= len(shape) or shape[axis] != len(scales)):
            raise ModelError(f"{len(scales)} scales of tensor `{name}` do not fit shape {shape}", where=str(self.path))
        return Quantization(scales, points.pop(), axis if len(scales) > 1 else None)

    def _node(self, index: int, table: Any) -> None:
        kind = tflite_file.operator_name(self.model, table.OpcodeIndex())
        tensors = [int(table.Inputs(i)) for i in range(table.InputsLength())]
        inputs = ["" if i == -1 else self.names[i] for i in tensors]
        outputs = [self.names[int(table.Outputs(i))] for i in range(table.OutputsLength())]
        node = TfliteNode(self, kind, f"{index}_{kind.lower()}", inputs, outputs, table)
        operator = tflite_operators().get(kind)
        if operator is None:
            raise node.refuse(
                f"operator {kind} is not supported", f"supported: {', '.join(sorted(tflite_operators()))}"
            )
        operator.from_tflite(node)


def load_tflite(path: Path) -> Graph:
    """Read a .tflite file. Raises ModelError for anything that is not a model which hilgate can compile."""
    content = tflite_file.content(path)
    try:
        return TfliteDoor(content, path).read()
    except (ModelError, ImportError):
        raise
    except Exception as error:  # flatbuffers has no verifier in Python: damage shows as whatever it leads to
        raise ModelError("a damaged .tflite file", where=str(path), hint="convert the model again") from error
