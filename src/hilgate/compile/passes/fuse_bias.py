"""A constant added to a layer's real-valued channels becomes its bias: what exporters make of a Linear on more than
2-D.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node
from hilgate.compile.ops.add.op import Add
from hilgate.compile.ops.fully_connected.op import FullyConnected

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Fuse each layer -> Add of a constant per channel, where the value between is real and nobody else reads it."""
    changes = 0
    for add in list(graph.nodes):
        if not isinstance(add.op, Add) or add.op.subtract:
            continue
        layer = graph.producer(add.inputs[0])
        if layer is None or not _fits(graph, layer, add):
            continue
        layer.inputs.append(add.inputs[1])
        layer.outputs = list(add.outputs)
        graph.nodes.remove(add)
        changes += 1
    return changes


def _fits(graph: Graph, layer: Node, add: Node) -> bool:
    between, bias = graph.tensors[layer.outputs[0]], graph.tensors[add.inputs[1]]
    return (
        isinstance(layer.op, FullyConnected)
        and layer.op.activation.none
        and len(layer.inputs) == 2
        and bias.constant
        and bias.elements == between.shape[-1]
        and between.dtype == "float32"
        and graph.only_consumer(between.name) is add
    )
