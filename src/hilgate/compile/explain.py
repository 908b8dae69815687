"""`hilgate compile --explain`: what each pass did, what each choice costs, and where everything lies in the arena."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from hilgate.compile.arena_map import text_map
from hilgate.compile.arena_svg import svg
from hilgate.compile.compile import allocate, load
from hilgate.compile.cost import predicted_cycles
from hilgate.compile.emit import Emission
from hilgate.compile.graph import Graph
from hilgate.compile.ops.slice.op import Slice
from hilgate.compile.options import Options
from hilgate.compile.passes import rewrite
from hilgate.compile.passes.avoid_copies import bytes_copied
from hilgate.compile.place import FINAL_SHUFFLES
from hilgate.compile.plan import plan
from hilgate.compile.verify import verify_lowered
from hilgate.compile.why import Reason, reasons
from hilgate.errors import DoesNotFitError, ModelError, ParamsError

SPLIT = "split_rows"
MEMORY_CHOICES = ("avoid_copies", "in_place", "overlap")


@dataclass(frozen=True)
class Step:
    """The graph after one pass. copied_bytes: what slices and concatenations move; arena_bytes: None while it is not
    yet in integers.
    """

    name: str
    changes: int
    layers: int
    macs: int
    weight_bytes: int
    copied_bytes: int
    arena_bytes: int | None


@dataclass(frozen=True)
class Choice:
    """What one combination of options gives: the whole blob, the arena, predicted cycles."""

    options: Options
    macs: int
    blob_bytes: int
    arena_bytes: int
    cycles: int


@dataclass(frozen=True)
class Strips:
    """What runs a few rows at a time: layers by name, how often they are called, bytes that are moved so that later
    strips find them, and products of rows that nobody reads, which are not made any more."""

    layers: list[str]
    calls: int
    moved_bytes: int
    dropped_macs: int


@dataclass(frozen=True)
class Explanation:
    """steps: by pass; choices: the wanted options first; made: what they give; memory: bytes of the arena without one
    of MEMORY_CHOICES that are on.
    """

    steps: list[Step]
    choices: list[Choice]
    made: Emission
    memory: dict[str, int]

    @property
    def reasons(self) -> list[Reason]:
        return reasons(self.made.layers, self.made.options)

    @property
    def strips(self) -> Strips | None:
        """None where every layer runs whole."""
        pieces = [site for site in self.made.layers if site.node.origin]
        moves = [site for site in pieces if isinstance(site.node.op, Slice)]
        macs = {step.name: step.macs for step in self.steps}
        before = [step.macs for step, after in pairwise(self.steps) if after.name == SPLIT]
        dropped = before[0] - macs[SPLIT] if before else 0
        layers = list(dict.fromkeys(site.node.origin for site in pieces))
        moved = sum(site.output.bytes for site in moves)
        return Strips(layers, len(pieces) - len(moves), moved, dropped) if pieces else None

    def arena_text(self) -> str:
        return text_map(self.made.plan, len(self.made.layers))

    def arena_svg(self) -> str:
        return svg(self.made.plan, [site.node.name for site in self.made.layers], self.made.graph.name)


def explain(path: Path, options: Options) -> Explanation:
    """Compile in memory with these options and with the alternatives. Raises what compile_model raises."""
    steps: list[Step] = []
    made = _compile(path, options, steps)
    choices = [_choice(made)]
    for other in _alternatives(options):
        try:
            choices.append(_choice(_compile(path, other, [])))
        except (DoesNotFitError, ModelError, ParamsError):  # an alternative that does not suit this model is no news
            continue
    return Explanation(steps, choices, made, _memory(path, options))


def _memory(path: Path, options: Options) -> dict[str, int]:
    """What each way of sharing memory saves: the arena when it alone is left out."""
    left_out = {
        name: replace(options, without=(*options.without, name), max_arena_bytes=0)
        for name in MEMORY_CHOICES
        if name not in options.without
    }
    return {name: _compile(path, other, []).plan.arena_bytes for name, other in left_out.items()}


def _compile(path: Path, options: Options, steps: list[Step]) -> Emission:
    graph = load(path)
    steps.append(_step("as read", 0, graph))
    rewrite(graph, options, lambda name, changes, after: steps.append(_step(name, changes, after)))
    verify_lowered(graph, float_edges=options.io == "float32")
    return allocate(graph, options, "0" * 64)


def _alternatives(options: Options) -> Iterator[Options]:
    yield replace(options, updatable=not options.updatable)
    for optimize in ("speed", "size", "ram"):
        if optimize != options.optimize:
            yield replace(options, optimize=optimize)


def _choice(made: Emission) -> Choice:
    macs = sum(site.node.op.macs(site) for site in made.layers)
    cycles = sum(predicted_cycles(site) for site in made.layers)
    return Choice(made.options, macs, made.blob.total_bytes, made.plan.arena_bytes, cycles)


def _step(name: str, changes: int, graph: Graph) -> Step:
    sites = list(graph.sites())
    constants = {t.name: t.elements for site in sites for t in site.inputs if t.constant and t.dtype == "int8"}
    edges = {*graph.inputs, *graph.outputs}
    integers = all(t.constant or t.dtype == "int8" or t.name in edges for t in graph.tensors.values())
    return Step(
        name,
        changes,
        layers=sum(not node.op.view for node in graph.nodes),
        macs=sum(site.node.op.macs(site) for site in sites),
        weight_bytes=sum(constants.values()),
        copied_bytes=bytes_copied(graph),
        arena_bytes=plan(graph, shuffles=FINAL_SHUFFLES).arena_bytes if integers else None,
    )
