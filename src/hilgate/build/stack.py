"""The worst stack of an image: the deepest chain of calls, and on top of it every exception that can interrupt it.

Hardware pushes 26 words when the FPU is in use, and one more to align (ARM DDI 0403E.e B1.5.7). Interrupts all have one
priority, so one of them at a time; a fault may come on top of it, and an NMI on top of that. Fault handlers then switch
to a stack of their own, whose size is checked too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hilgate.build.callgraph import INDIRECT, CallGraph, read_call_graph
from hilgate.build.code_frames import check_against_code
from hilgate.build.image import object_bytes, symbols
from hilgate.errors import BuildError

EXCEPTION_FRAME_BYTES = 26 * 4 + 4


@dataclass(frozen=True)
class Chain:
    """A chain of calls and the bytes it needs."""

    bytes: int
    path: tuple[str, ...]


def worst_stack(build: Path, elf: Path) -> Chain:
    """Worst use of the main stack. Raises BuildError for recursion, a frame of unknown size, or a small fault stack."""
    graph = read_call_graph(build)
    check_against_code(graph, elf)
    main = deepest(graph, graph.title_of("reset_handler"))
    fault = deepest(graph, graph.title_of("fault_record"))
    reserved = object_bytes(elf, "fault_stack")
    if fault.bytes + EXCEPTION_FRAME_BYTES > reserved:
        needs = (
            f"the fault handler needs {fault.bytes} bytes, and {EXCEPTION_FRAME_BYTES} for an NMI on top, of {reserved}"
        )
        raise BuildError(needs, where=" > ".join(fault.path))
    return with_exceptions(main, [deepest(graph, graph.title_of(name)) for name in interrupt_handlers(elf)])


def with_exceptions(main: Chain, handlers: list[Chain]) -> Chain:
    """The main chain, and on top of it the deepest interrupt handler, a fault and an NMI, each with its frame."""
    parts = [main]
    if handlers:
        worst = max(handlers, key=lambda chain: chain.bytes)
        parts.append(Chain(worst.bytes + EXCEPTION_FRAME_BYTES, (f"interrupt ({EXCEPTION_FRAME_BYTES})", *worst.path)))
    for name in ("fault", "nmi"):
        parts.append(Chain(EXCEPTION_FRAME_BYTES, (f"{name} ({EXCEPTION_FRAME_BYTES})",)))
    return Chain(sum(part.bytes for part in parts), tuple(step for part in parts for step in part.path))


def interrupt_handlers(elf: Path) -> Iterable[str]:
    """Handlers that a driver defined: vectors which do not lead to fault_forward."""
    names = symbols(elf, weak=True)
    return sorted(
        name
        for name, value in names.items()
        if name.endswith("_handler") and value != names["fault_forward"] and name != "reset_handler"
    )


def deepest(graph: CallGraph, start: str) -> Chain:
    """The deepest chain from one function. Raises BuildError for recursion or an unknown frame."""
    known: dict[str, Chain] = {}
    return _deepest(graph, start, [], known)


def _deepest(graph: CallGraph, title: str, above: list[str], known: dict[str, Chain]) -> Chain:
    if title in known:
        return known[title]
    if title in above:
        cycle = " > ".join([*above[above.index(title) :], title])
        raise BuildError("recursion: its stack has no bound", where=cycle)
    function = graph.functions[title]
    if function.bytes is None:
        raise BuildError(f"nothing says how much stack `{title}` needs", where=" > ".join(above))
    callees = set(function.calls) - {INDIRECT}
    if INDIRECT in function.calls:
        callees |= {graph.title_of(name) for name in graph.address_taken}
    below = [_deepest(graph, callee, [*above, title], known) for callee in sorted(callees)]
    worst = max(below, key=lambda chain: chain.bytes, default=Chain(0, ()))
    known[title] = Chain(function.bytes + worst.bytes, (f"{function.name} ({function.bytes})", *worst.path))
    return known[title]
