"""Partial execution: where memory is the limit, early layers run a few rows at a time (strips.py).

`optimize: ram` looks for the smallest arena whose predicted cycles stay within `max_slowdown` of the whole layers';
`max_arena_bytes` for the fewest cycles that fit. Every stretch of layers and every number of rows is estimated
(estimate.py); those that no other beats in both memory and calls are planned in earnest, and the best is taken. That
repeats until no stretch gains.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hilgate.compile.cost import predicted_cycles
from hilgate.compile.graph import Graph, Node, Site
from hilgate.compile.homes import ALIGNMENT
from hilgate.compile.kernels.share import share
from hilgate.compile.ops.base import Op
from hilgate.compile.passes.estimate import Whole, estimate, in_use, outside
from hilgate.compile.passes.rows import by_rows, is_image, repeats, row_bytes, rows_axis
from hilgate.compile.passes.strips import Stretch, copied, split
from hilgate.compile.plan import Plan, plan

if TYPE_CHECKING:
    from hilgate.compile.options import Options

STEPS = (2, 3, 4, 6, 8, 12, 16, 24, 32)  # about, that the first layer's rows are computed in
MOST_LAYERS = 32  # of a stretch
ESTIMATES = 1500  # most that are made, the fullest layers' shortest stretches first
TRIALS = 24  # most stretches whose arena is planned, of all that were estimated
MOST_CALLS = 400  # of a stretch
PLANNED = 8_000  # most layers that these have together, about; large networks get fewer trials
NODES_MAX = 256  # of a graph that is searched: every stretch is looked at; damaged files may have thousands
ROUNDS = 3  # most stretches that are taken
CALL_BYTES = 32  # of flash, about, that each further call of a layer takes
FLASH_PER_RAM = 4  # bytes of flash that a byte of RAM is worth: microcontrollers have about so much more of it


@dataclass(frozen=True)
class Trial:
    """A graph, the same with kernels, its plan, predicted cycles, and how many layers are called."""

    graph: Graph
    tuned: Graph
    plan: Plan
    cycles: int
    calls: int

    @property
    def cost(self) -> float:
        """Bytes of RAM, and in such what the code that calls the layers takes."""
        return self.plan.arena_bytes + self.calls * CALL_BYTES / FLASH_PER_RAM


@dataclass
class Search:
    """Measures graphs; operators whose shapes were seen already keep their kernels."""

    options: Options
    known: dict[object, Op] = field(default_factory=dict)

    def measure(self, graph: Graph) -> Trial:
        """Kernels as they would be chosen, and the arena that they would need."""
        tuned = copied(graph)
        for site in tuned.sites():
            site.node.op = self._kernel(site, sparing=site.node.sparing)
        if "share_kernels" not in self.options.without:
            share(tuned, self.options)
        layers = [site for site in tuned.sites() if not site.node.op.view]
        placed = plan(tuned, self.options.without)
        return Trial(graph, tuned, placed, sum(predicted_cycles(site) for site in layers), len(layers))

    def could_be_faster(self, site: Site) -> bool:
        """Whether it has another kernel where memory does not count."""
        return self._kernel(site, sparing=True) != self._kernel(site, sparing=False)

    def _kernel(self, site: Site, *, sparing: bool) -> Op:
        node, shapes = site.node, tuple(tensor.shape for tensor in (*site.inputs, *site.outputs))
        key = (node.op, shapes, node.layer, sparing)
        if key not in self.known:
            self.known[key] = node.op.tuned(site, self.options.of(node.layer, sparing=sparing))
        return self.known[key]

    def splits(self, start: Trial) -> list[Trial]:
        """The graph with each promising stretch in strips."""
        result = []
        for stretch in _promising(start):
            tried = copied(start.graph)
            split(tried, stretch)
            result.append(self.measure(tried))
        return result


def run(graph: Graph, options: Options) -> int:
    """Split where it pays. Returns the number of layers that run in strips."""
    wanted = options.optimize == "ram" or options.max_arena_bytes > 0
    if not wanted or len(graph.nodes) > NODES_MAX:
        return 0
    search = Search(options)
    whole = search.measure(graph)
    best = _to_fit(search, whole) if options.max_arena_bytes else _smallest(search, whole)
    graph.nodes, graph.tensors = best.graph.nodes, best.graph.tensors
    return len({node.origin for node in graph.nodes if node.origin})


def _smallest(search: Search, whole: Trial) -> Trial:
    """The least memory that is worth its cycles and its code."""
    best, most_cycles = whole, whole.cycles * (1 + search.options.max_slowdown)
    for _ in range(ROUNDS):
        fitting = [trial for trial in search.splits(best) if trial.cycles <= most_cycles]
        found = min([best, *fitting], key=lambda trial: (trial.cost, trial.cycles))
        if found is best:
            break
        best = found
    return best


def _to_fit(search: Search, whole: Trial) -> Trial:
    """The fewest cycles whose arena is small enough, or else the smallest arena: whole layers as they are, some or all
    of them with kernels that need little memory, then strips."""
    limit = search.options.max_arena_bytes
    full = {name for name, used in _whole(whole).in_use.items() if used > limit}
    best = whole
    for names in (set(), full, {node.name for node in whole.graph.nodes}):
        tried = _sparing(search, whole, names)
        if tried.plan.arena_bytes <= limit:
            return _relaxed(search, tried)
        best = min(best, tried, key=lambda trial: trial.plan.arena_bytes)
    for _ in range(ROUNDS):
        trials = search.splits(best)
        fitting = [trial for trial in trials if trial.plan.arena_bytes <= limit]
        if fitting:
            return _relaxed(search, min(fitting, key=lambda trial: (trial.cycles, trial.calls)))
        found = min([best, *trials], key=lambda trial: trial.plan.arena_bytes)
        if found is best:
            break
        best = found
    return best


def _relaxed(search: Search, start: Trial) -> Trial:
    """Layers that run whole get their fastest kernels back where the arena still fits."""
    best = start
    spared = [site for site in start.graph.sites() if site.node.sparing and not site.node.origin]
    for name in [site.node.name for site in spared if search.could_be_faster(site)]:
        names = {node.name for node in best.graph.nodes if node.sparing and node.name != name}
        tried = _sparing(search, best, names)
        if tried.plan.arena_bytes <= search.options.max_arena_bytes and tried.cycles < best.cycles:
            best = tried
    return best


def _sparing(search: Search, whole: Trial, names: set[str]) -> Trial:
    """With kernels that need little memory for these layers."""
    graph = copied(whole.graph)
    for node in graph.nodes:
        node.sparing = node.name in names
    return search.measure(graph)


def _promising(start: Trial) -> list[Stretch]:
    """The stretches to plan: those that no other is estimated to beat in both bytes and calls, then those that only
    these beat, and so on."""
    whole = _whole(start)
    top = max(whole.in_use.values(), default=0)
    around = sorted((s for s in stretches(start.graph) if outside(whole, s) < top), key=lambda s: s.last - s.first)
    left = [estimate(whole, stretch) for stretch in around[:ESTIMATES]]
    left = sorted((e for e in left if e.bytes < start.plan.arena_bytes), key=lambda e: (e.bytes, e.calls))
    left = [e for e in left if e.calls <= MOST_CALLS]
    chosen: list[Stretch] = []
    planned = 0
    while left and len(chosen) < TRIALS:
        calls, front = sys.maxsize, []
        for one in left:
            if one.calls < calls:
                front.append(one)
                calls = one.calls
        for one in reversed(front):
            planned += len(start.graph.nodes) + 2 * one.calls
            if planned > PLANNED:
                return chosen
            chosen.append(one.stretch)
        left = [one for one in left if one not in front]
    return chosen[:TRIALS]


def _whole(start: Trial) -> Whole:
    layers = [site for site in start.tuned.sites() if not site.node.op.view]
    scratch = {site.node.name: site.node.op.scratch_bytes(site) for site in layers}
    used = {site.node.name: in_use(start.plan, index) for index, site in enumerate(layers)}
    last = {name: index for index, node in enumerate(start.graph.nodes) for name in node.inputs}
    return Whole(start.graph, scratch, used, last | dict.fromkeys(start.graph.outputs, len(start.graph.nodes)))


def stretches(graph: Graph) -> Iterator[Stretch]:
    """Every part of the graph that could be split, with every number of rows that is tried."""
    sites = list(graph.sites())
    for first, site in enumerate(sites):
        axis = rows_axis(site.output) if is_image(site.output) else 0
        for last in range(first, min(len(sites), first + MOST_LAYERS) if axis else first):
            if not _splittable(sites[last], axis):
                break
            if _is_closed(graph, graph.nodes[first : last + 1], axis):
                height = site.output.shape[axis]
                for rows in sorted({-(-height // steps) for steps in STEPS}):
                    if rows < height:
                        yield Stretch(first, last, rows, axis)


def _splittable(site: Site, axis: int) -> bool:
    """Whether it can make its output strip by strip."""
    return not site.node.origin and by_rows(site, axis) and row_bytes(site.output, axis) % ALIGNMENT == 0


def _is_closed(graph: Graph, nodes: list[Node], axis: int) -> bool:
    """Whether nobody outside reads anything but the last output, and nothing inside is wanted whole for each row."""
    inside = {name for node in nodes[:-1] for name in node.outputs}
    outside = {name for node in graph.nodes if node not in nodes for name in node.inputs} | set(graph.outputs)
    second = [graph.tensors[name] for node in nodes for name in node.inputs[1:] if name in inside]
    return not inside & outside and not any(is_image(tensor) and repeats(tensor, axis) for tensor in second)
