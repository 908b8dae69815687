"""When each layer of a stretch computes which rows: as soon as the rows that it needs are there, a few at a time.

The first layer advances by some rows a step, every other one by as many as keep pace with it. So the rows that wait
between two layers are few, and none is computed twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hilgate.compile.graph import Graph, Node
from hilgate.compile.passes.rows import Rows, granule, needed


@dataclass
class Schedule:
    """Of a stretch whose rows lie along `axis`. ends: by tensor that the stretch makes, before the first step and after
    each the rows that are done; keep: by tensor and step, the first row that this step or a later one reads."""

    graph: Graph
    nodes: list[Node]
    axis: int
    ends: dict[str, list[int]] = field(default_factory=dict)
    keep: dict[str, list[int]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return len(next(iter(self.ends.values()))) - 1

    def new(self, name: str, step: int) -> Rows:
        """The rows that a step computes."""
        return Rows(self.ends[name][step], self.ends[name][step + 1])

    def height(self, name: str) -> int:
        return self.graph.tensors[name].shape[self.axis]

    def needs(self, node: Node, name: str, out: Rows) -> Rows:
        """The rows of one of its inputs that some rows of a node's output need."""
        return needed(node.op, out, self.height(name), self.axis)

    def reads(self, node: Node, name: str, step: int) -> Rows:
        """The rows of a tensor that a node reads in a step; past the end where none."""
        new = self.new(node.outputs[0], step)
        return self.needs(node, name, new) if new.count else Rows(self.height(name), 0)


def schedule(graph: Graph, nodes: list[Node], rows: int, axis: int) -> Schedule:
    """Of a stretch whose first layer makes so many rows a step."""
    made = Schedule(graph, nodes, axis)
    totals = _totals(made)
    made.ends = {name: [0] for name in totals}
    lead, result = nodes[0].outputs[0], nodes[-1].outputs[0]
    paces = {name: max(1, -(-rows * total // totals[lead])) for name, total in totals.items()}
    while made.ends[result][-1] < totals[result]:
        for node in nodes:
            name = node.outputs[0]
            wanted = min(made.ends[name][-1] + _up(paces[name], node, axis), totals[name])
            made.ends[name].append(_possible(made, node, wanted))
    _wait_for_readers(made)
    made.keep = {name: _keep(made, name) for name in totals}
    return made


def _up(rows: int, node: Node, axis: int) -> int:
    """So many rows or a few more, where the node makes several together."""
    return -(-rows // granule(node.op, axis)) * granule(node.op, axis)


def _totals(made: Schedule) -> dict[str, int]:
    """How many rows of each tensor anybody needs; of the last layer all."""
    result = made.nodes[-1].outputs[0]
    totals = {node.outputs[0]: 0 for node in made.nodes}
    totals[result] = made.height(result)
    for node in reversed(made.nodes):
        totals[node.outputs[0]] = _up(totals[node.outputs[0]], node, made.axis)
        for name in node.inputs:
            if name in totals:
                totals[name] = max(totals[name], made.needs(node, name, Rows(0, totals[node.outputs[0]])).end)
    return totals


def _possible(made: Schedule, node: Node, wanted: int) -> int:
    """How many rows, at most `wanted`, the node can have made from what is there."""
    done, together = made.ends[node.outputs[0]][-1], granule(node.op, made.axis)
    for name in node.inputs:
        while name in made.ends and wanted > done and _missing(made, node, name, wanted):
            wanted -= together
    return max(wanted, done)


def _missing(made: Schedule, node: Node, name: str, wanted: int) -> bool:
    """Whether the last of so many rows needs a row of an input that is not there."""
    return made.needs(node, name, Rows(wanted - 1, wanted)).end > made.ends[name][-1]


def _wait_for_readers(made: Schedule) -> None:
    """Layers that read nothing of the stretch, but for the first, could run at once: they wait until needed."""
    for node in reversed(made.nodes[1:-1]):
        name = node.outputs[0]
        if any(i in made.ends for i in node.inputs):
            continue
        readers = [reader for reader in made.nodes if name in reader.inputs]
        for step in range(made.steps):
            wanted = max(made.reads(reader, name, step).end for reader in readers)
            made.ends[name][step + 1] = max(made.ends[name][step], _up(wanted, node, made.axis))


def _keep(made: Schedule, name: str) -> list[int]:
    readers = [node for node in made.nodes if name in node.inputs]
    first = []
    for step in range(made.steps):
        first.append(min((made.reads(r, name, step).first for r in readers), default=made.height(name)))
    for step in reversed(range(made.steps - 1)):
        first[step] = min(first[step : step + 2])
    return first
