"""About how much memory a stretch would need in strips, without rewriting anything: to choose what is worth trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hilgate.compile.graph import Graph, Node
from hilgate.compile.passes.rows import Rows, is_image, row_bytes
from hilgate.compile.passes.schedule import Schedule, schedule
from hilgate.compile.passes.strips import Stretch
from hilgate.compile.plan import Plan


@dataclass(frozen=True)
class Estimate:
    """bytes: of the arena; calls: how often a layer of the stretch runs."""

    stretch: Stretch
    bytes: int
    calls: int


@dataclass(frozen=True)
class Whole:
    """What is known of a graph whose layers run whole. scratch, in_use: bytes by layer; last: of a tensor, the index of
    the last node that reads it."""

    graph: Graph
    scratch: Mapping[str, int]
    in_use: Mapping[str, int]
    last: Mapping[str, int]

    def read_after(self, name: str, stretch: Stretch) -> bool:
        """Whether a tensor outlives the stretch."""
        return self.last.get(name, -1) > stretch.last


def in_use(plan: Plan, layer: int) -> int:
    """Bytes of the arena that are taken while a layer runs; bytes that are shared count once."""
    total = end = 0
    for buffer in sorted((b for b in plan.buffers if b.first <= layer <= b.last), key=lambda b: b.offset):
        total += max(0, buffer.end - max(buffer.offset, end))
        end = max(end, buffer.end)
    return total


def estimate(whole: Whole, stretch: Stretch) -> Estimate:
    """What the graph would need with this stretch in strips."""
    inside = _Inside(whole, stretch)
    return Estimate(stretch, max(inside.most(), outside(whole, stretch)), inside.calls)


def outside(whole: Whole, stretch: Stretch) -> int:
    """What the other layers need."""
    others = [n for i, n in enumerate(whole.graph.nodes) if not stretch.first <= i <= stretch.last]
    return max((whole.in_use.get(node.name, 0) for node in others), default=0)


class _Inside:
    """The stretch while it runs."""

    def __init__(self, whole: Whole, stretch: Stretch) -> None:
        self.whole, self.stretch, self.tensors = whole, stretch, whole.graph.tensors
        self.nodes = whole.graph.nodes[stretch.first : stretch.last + 1]
        self.times: Schedule = schedule(whole.graph, self.nodes, stretch.rows, stretch.axis)
        self.made = [node.outputs[0] for node in self.nodes]
        last = {name: i for i, node in enumerate(self.nodes) for name in node.inputs if name in self.times.ends}
        self.read_last: dict[int, list[str]] = {}  # by node: tensors that no later node of a step reads
        for name, index in last.items():
            self.read_last.setdefault(index, []).append(name)
        steps = range(self.times.steps)
        self.calls = sum(self.times.ends[name][s + 1] > self.times.ends[name][s] for name in self.made for s in steps)

    def most(self) -> int:
        """Bytes at the fullest moment."""
        passing, windows, fullest = self._passing(), 0, 0
        sizes = dict.fromkeys(self.made, 0)
        for step in range(self.times.steps):
            inputs = passing + self._inputs(step)
            for index, node in enumerate(self.nodes):
                for name, later in ((self.made[index], 0), *((n, 1) for n in self.read_last.get(index - 1, ()))):
                    size = self._window(name, step, later)
                    windows += size - sizes[name]
                    sizes[name] = size
                if self.times.new(self.made[index], step).count:
                    fullest = max(fullest, inputs + windows + self.whole.scratch.get(node.name, 0))
        return fullest

    def _passing(self) -> int:
        """Tensors that are made before and read behind, whether or not the stretch reads them too."""
        before = self.whole.graph.nodes[: self.stretch.first]
        made = {name for node in before for name in node.outputs} | set(self.whole.graph.inputs)
        return sum(self.tensors[name].bytes for name in made if self.whole.read_after(name, self.stretch))

    def _inputs(self, step: int) -> int:
        """Of what is made before, the bytes that this step or a later one reads."""
        total = 0
        for name in {n for node in self.nodes for n in node.inputs if n not in self.times.ends}:
            tensor = self.tensors[name]
            if tensor.constant or self.whole.read_after(name, self.stretch):
                continue
            if is_image(tensor):
                firsts = [self._next(node, name, step) for node in self.nodes if name in node.inputs]
                total += (self.times.height(name) - min(firsts)) * row_bytes(tensor, self.stretch.axis)
            else:
                total += tensor.bytes
        return total

    def _next(self, node: Node, name: str, step: int) -> int:
        """The first row of an input that a node reads in this step or later."""
        ends = self.times.ends[node.outputs[0]]
        if ends[step] == ends[-1]:
            return self.times.height(name)
        return self.times.needs(node, name, Rows(ends[step], ends[step] + 1)).first

    def _window(self, name: str, step: int, later: int) -> int:
        """Bytes of a tensor that exist after it was made in this step; later: 1 when nobody reads it in it any more."""
        end, first = self.times.ends[name][step + 1], 0  # of the result everything stays
        if name != self.made[-1]:
            first = self.times.keep[name][step + later] if step + later < self.times.steps else end
        return max(0, end - first) * row_bytes(self.tensors[name], self.stretch.axis)
