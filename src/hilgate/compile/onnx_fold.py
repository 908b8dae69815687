"""Nodes of an ONNX graph whose inputs are all constants: computed while reading, by onnx's own reference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.graph import Tensor

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode

ELEMENTS_MAX = 1 << 24
# Operators whose results are bounded by their inputs, see _most_elements: a file cannot ask for much
ELEMENTWISE = ("Add", "Sub", "Mul", "Div", "Pow", "Neg", "Sqrt", "Reciprocal", "Abs", "Exp", "Cast", "Identity")
SHRINKING = ("Concat", "Slice", "Gather", "ReduceProd", "Floor", "Ceil")


def fold(node: OnnxNode) -> bool:
    """Define the node's output when it can be known now; False when it cannot."""
    if node.kind == "Shape":
        return _shape(node)
    if node.kind == "Identity" and node.has(0):
        node.door.values[node.proto.output[0]] = node.raw(0).name
        return True
    if node.kind not in (*ELEMENTWISE, *SHRINKING) or len(node.proto.output) != 1:
        return False
    inputs = [node.raw(index) for index in range(len(node.proto.input)) if node.has(index)]
    if not inputs or any(tensor.data is None or tensor.quantization is not None for tensor in inputs):
        return False
    if _most_elements(node, inputs) > ELEMENTS_MAX:
        raise node.refuse(f"a constant of more than {ELEMENTS_MAX} elements")
    node.define(_computed(node, inputs))
    return True


def _shape(node: OnnxNode) -> bool:
    """Every shape is known: a dynamic one was refused at the input."""
    shape = node.shape(0)
    first, last = int(node.attribute("start", 0)), int(node.attribute("end", len(shape)))
    data = np.asarray(shape[first:last], np.int64)
    node.define(Tensor(node.proto.output[0], data.shape, "int64", None, data))
    return True


def _most_elements(node: OnnxNode, inputs: list[Tensor]) -> int:
    """A bound of the result's size: concatenating with itself thirty times over costs a file a few bytes."""
    if node.kind in ELEMENTWISE:
        return math.prod(np.broadcast_shapes(*(tensor.shape for tensor in inputs)))
    if node.kind == "Gather" and len(inputs) > 1 and inputs[0].shape:
        return inputs[1].elements * inputs[0].elements // max(1, min(inputs[0].shape))
    return sum(tensor.elements for tensor in inputs)


def _computed(node: OnnxNode, inputs: list[Tensor]) -> Tensor:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    names = [name for name in node.proto.input if name]
    edges = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(tensor.values.dtype), tensor.shape)
        for name, tensor in dict(zip(names, inputs, strict=True)).items()
    ]
    target = helper.make_tensor_value_info(node.proto.output[0], 0, None)
    graph = helper.make_graph([node.proto], "constant", edges, [target])
    model = helper.make_model(graph, opset_imports=node.door.model.opset_import)
    feeds = {name: tensor.values for name, tensor in zip(names, inputs, strict=True)}
    try:
        data = np.asarray(ReferenceEvaluator(model).run(None, feeds)[0])
    except Exception as error:  # onnx's reference raises whatever a damaged node leads to
        raise node.refuse(f"a constant that cannot be computed: {error}", "export the model again") from error
    if data.dtype.kind not in "biuf" or data.size > ELEMENTS_MAX:
        raise node.refuse(f"a constant of {data.size} {data.dtype} values", "supported: numbers")
    node.taken.update(attribute.name for attribute in node.proto.attribute)
    return Tensor(node.proto.output[0], data.shape, str(data.dtype), None, data)
