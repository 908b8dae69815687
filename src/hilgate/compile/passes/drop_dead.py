"""Nodes and tensors that no output depends on go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Keep what the outputs need, walking backwards; inputs stay although nobody reads them."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    changes = len(graph.nodes) - len(kept)
    graph.nodes = kept[::-1]
    made = {name for node in graph.nodes for name in node.outputs}
    alive = needed | made | set(graph.inputs)
    graph.tensors = {name: tensor for name, tensor in graph.tensors.items() if name in alive}
    return changes
