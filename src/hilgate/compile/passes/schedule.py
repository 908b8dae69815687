"""When each layer of a stretch computes which rows: as soon as the rows that it needs are there, a few at a time.

The first layer advances by some rows a step, every other one by as many as keep pace with it. So the rows that wait
between two layers are few, and none is computed twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hilgate.compile.graph import Graph, Node
from hilgate.compile.passes.rows import Rows, needed

ROW_AXIS = 1


@dataclass
class Schedule:
    """ends: by tensor that the stretch makes, before the first step and after each the rows that are done; keep: by
    tensor and step, the first row that this step or a later one reads."""

    ends: dict[str, list[int]] = field(default_factory=dict)
    keep: dict[str, list[int]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return len(next(iter(self.ends.values()))) - 1

    def new(self, name: str, step: int) -> Rows:
        """The rows that a step computes."""
        return Rows(self.ends[name][step], self.ends[name][step + 1])


def schedule(graph: Graph, nodes: list[Node], rows: int) -> Schedule:
    """Of a stretch whose first layer makes so many rows a step."""
    totals = _totals(graph, nodes)
    made = Schedule({name: [0] for name in totals})
    lead, result = nodes[0].outputs[0], nodes[-1].outputs[0]
    paces = {name: max(1, -(-rows * total // totals[lead])) for name, total in totals.items()}
    while made.ends[result][-1] < totals[result]:
        for node in nodes:
            name = node.outputs[0]
            wanted = min(made.ends[name][-1] + paces[name], totals[name])
            made.ends[name].append(_possible(graph, node, made, wanted))
    _wait_for_readers(graph, nodes, made)
    made.keep = {name: _keep(graph, nodes, made, name) for name in totals}
    return made


def _totals(graph: Graph, nodes: list[Node]) -> dict[str, int]:
    """How many rows of each tensor anybody needs; of the last layer all."""
    result = nodes[-1].outputs[0]
    totals = {node.outputs[0]: 0 for node in nodes}
    totals[result] = graph.tensors[result].shape[ROW_AXIS]
    for node in reversed(nodes):
        for name in node.inputs:
            if name in totals:
                rows = needed(node.op, Rows(0, totals[node.outputs[0]]), graph.tensors[name].shape[ROW_AXIS])
                totals[name] = max(totals[name], rows.end)
    return totals


def _possible(graph: Graph, node: Node, made: Schedule, wanted: int) -> int:
    """How many rows, at most `wanted`, the node can have made from what is there."""
    done = made.ends[node.outputs[0]][-1]
    for name in node.inputs:
        if name in made.ends:
            height, there = graph.tensors[name].shape[ROW_AXIS], made.ends[name][-1]
            while wanted > done and needed(node.op, Rows(wanted - 1, wanted), height).end > there:
                wanted -= 1
    return max(wanted, done)


def _wait_for_readers(graph: Graph, nodes: list[Node], made: Schedule) -> None:
    """Layers that read nothing of the stretch, but for the first, could run at once: they wait until needed."""
    for node in reversed(nodes[1:]):
        name = node.outputs[0]
        if any(i in made.ends for i in node.inputs) or node is nodes[-1]:
            continue
        readers = [reader for reader in nodes if name in reader.inputs]
        for step in range(made.steps):
            wanted = [_wanted(graph, reader, made, name, step).end for reader in readers]
            made.ends[name][step + 1] = max(made.ends[name][step], *wanted)


def _wanted(graph: Graph, reader: Node, made: Schedule, name: str, step: int) -> Rows:
    """The rows of a tensor that a reader needs in a step; past the end where none."""
    height, new = graph.tensors[name].shape[ROW_AXIS], made.new(reader.outputs[0], step)
    return needed(reader.op, new, height) if new.count else Rows(height, 0)


def _keep(graph: Graph, nodes: list[Node], made: Schedule, name: str) -> list[int]:
    readers = [node for node in nodes if name in node.inputs]
    height = graph.tensors[name].shape[ROW_AXIS]
    first = []
    for step in range(made.steps):
        first.append(min((_wanted(graph, r, made, name, step).first for r in readers), default=height))
    for step in reversed(range(made.steps - 1)):
        first[step] = min(first[step : step + 2])
    return first
