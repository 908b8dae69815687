"""A batch norm right after a layer with weights becomes part of it: scales times factors, signs into the weights, a
bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.graph import Graph, Node, Quantization, Site, Tensor
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected.op import FullyConnected

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Fold each layer -> 1x1 depthwise convolution of weights +-127 (what the door makes of a batch norm), where the
    value between is real and nobody else reads it.
    """
    changes = 0
    for norm in list(graph.nodes):
        layer = graph.producer(norm.inputs[0])
        if layer is None or not _is_norm(graph, norm) or not _can_take(graph, layer, norm):
            continue
        _fold(graph, Site(graph, layer), Site(graph, norm))
        layer.outputs = list(norm.outputs)
        graph.nodes.remove(norm)
        changes += 1
    return changes


def _is_norm(graph: Graph, node: Node) -> bool:
    op = node.op
    if not isinstance(op, DepthwiseConv2D) or not op.window.plain or not op.activation.none or len(node.inputs) < 3:
        return False
    return bool(np.all(np.abs(graph.tensors[node.inputs[1]].values) == 127))


def _can_take(graph: Graph, layer: Node, norm: Node) -> bool:
    op, between = layer.op, graph.tensors[norm.inputs[0]]
    if not isinstance(op, Conv2D | DepthwiseConv2D | FullyConnected) or not op.activation.none:
        return False
    weights = graph.tensors[layer.inputs[1]]
    if between.dtype != "float32" or weights.quantization is None or np.any(weights.values == -128):
        return False  # -128 has no negative
    return graph.only_consumer(between.name) is norm


def _fold(graph: Graph, layer: Site, norm: Site) -> None:
    weights, axis = layer.inputs[1], 3 if isinstance(layer.node.op, DepthwiseConv2D) else 0
    factor, shift = norm.inputs[1].real().reshape(-1), norm.inputs[2].real().reshape(-1)
    shape = [-1 if i == axis else 1 for i in range(weights.values.ndim)]
    data = (weights.values * np.sign(factor).astype(np.int8).reshape(shape)).astype(np.int8)
    scale = np.broadcast_to(np.asarray(weights.quant.scale), factor.shape) * np.abs(factor)
    quant = Quantization(tuple(float(np.float32(s)) for s in scale), 0, axis)
    old = layer.inputs[2].real().reshape(-1) if len(layer.inputs) > 2 else 0.0
    bias = (old * factor + shift).astype(np.float32)
    new_weights = graph.add(Tensor(graph.fresh(f"{weights.name}.normed"), data.shape, "int8", quant, data))
    new_bias = graph.add(Tensor(graph.fresh(f"{layer.node.name}.bias"), bias.shape, "float32", None, bias))
    layer.node.inputs[1:] = [new_weights.name, new_bias.name]
