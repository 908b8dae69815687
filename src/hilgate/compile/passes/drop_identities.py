"""Operators that change nothing go: a requantization to the same numbers, a reshape to the same shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node
from hilgate.compile.ops.requantize.op import Requantize

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Remove each identity whose output is not the graph's own input under another name."""
    changes = 0
    for node in list(graph.nodes):
        if not _identity(graph, node) or (node.inputs[0] in graph.inputs and node.outputs[0] in graph.outputs):
            continue
        graph.nodes.remove(node)
        graph.replace(node.outputs[0], node.inputs[0])
        changes += 1
    return changes


def _identity(graph: Graph, node: Node) -> bool:
    before, after = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    if before.shape != after.shape or before.quantization != after.quantization or before.dtype != after.dtype:
        return False
    if isinstance(node.op, Requantize):
        return before.quantization is not None and node.op.activation.int8_bounds(before.quantization) == (-128, 127)
    return node.op.view
