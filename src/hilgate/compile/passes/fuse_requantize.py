"""A change of scale right after a layer becomes the layer's own output scale.

Only for ONNX models, and only to an equal or coarser scale: then leaving out the rounding in between moves a result
by at most one step. The saturation in between stays, as a clamp.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from hilgate.compile.graph import Graph, Node, Quantization
from hilgate.compile.ops.activation import Activation
from hilgate.compile.ops.requantize.op import Requantize

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Fuse each layer -> requantize where nobody else reads the value in between."""
    if graph.rounding != "single":
        return 0
    changes = 0
    for change in list(graph.nodes):
        layer = graph.producer(change.inputs[0])
        if layer is None or not _fits(graph, layer, change):
            continue
        between = graph.tensors[change.inputs[0]].quant
        op: Any = layer.op
        clamp = op.activation.then(_saturation(between)).then(_activation(change))
        layer.op = dataclasses.replace(op, activation=clamp)
        layer.outputs = list(change.outputs)
        graph.nodes.remove(change)
        changes += 1
    return changes


def _fits(graph: Graph, layer: Node, change: Node) -> bool:
    before, after = graph.tensors[change.inputs[0]], graph.tensors[change.outputs[0]]
    if not isinstance(change.op, Requantize) or not hasattr(layer.op, "activation"):
        return False
    if isinstance(layer.op, Requantize) or layer.op.keeps_quantization or before.dtype != "int8":
        return False
    coarser = before.quant.only_scale <= after.quant.only_scale
    return coarser and graph.only_consumer(before.name) is change


def _activation(change: Node) -> Activation:
    op: Any = change.op
    activation: Activation = op.activation
    return activation


def _saturation(quantization: Quantization) -> Activation:
    """What int8 in between could hold."""
    low, high = ((edge - quantization.zero_point) * quantization.only_scale for edge in (-128, 127))
    return Activation(low, high)
