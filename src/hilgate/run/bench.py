"""What the board costs: cycles, cycles per layer, memory marks."""

from __future__ import annotations

from typing import Any

from hilgate.errors import DeviceError
from hilgate.link.protocol import Counter, MemoryAnswer, ProfileRow
from hilgate.link.session import Session
from hilgate.run.settings import RunSettings
from hilgate.run.subject import Subject


def latency_of(
    session: Session, subject: Subject, settings: RunSettings, rows: list[ProfileRow]
) -> dict[str, Any] | None:
    """Raw cycles of each run, their median and 99th percentile in microseconds, cycles per layer of `rows`.

    None where the board has no cycle counter (QEMU's STM32 machines): nothing is invented.
    """
    import numpy as np

    if session.identity.counter == Counter.NONE:
        return None
    cycles = session.bench(settings.warmup, settings.runs)
    clock_hz = session.identity.clock_hz
    if not clock_hz or 0 in cycles:
        raise DeviceError(
            f"clock {clock_hz} Hz, least cycles {min(cycles)}", where=session.name, hint="is the counter on?"
        )
    us = [1e6 * count / clock_hz for count in cycles]
    layers = [{"name": n, "cycles": row.cycles} for n, row in zip(subject.layer_names, rows, strict=True)]
    return {
        "cycles": cycles,
        "clock_hz": clock_hz,
        "median_us": float(np.median(us)),
        "p99_us": float(np.quantile(us, 0.99, method="higher")),  # a value that was seen, not one between two
        "layers": layers,
    }


def ram_of(subject: Subject, marks: MemoryAnswer, where: str) -> dict[str, Any]:
    """RAM as the build room counted it, and the deepest stack that the board saw. Raises DeviceError if they clash."""
    counted = subject.sizes["ram"]
    if marks.arena_bytes != counted["arena_bytes"]:
        what = f"the board has an arena of {marks.arena_bytes} bytes, sizes.json says {counted['arena_bytes']}"
        raise DeviceError(what, where=where, hint="build and flash again")
    if marks.stack_seen_bytes > counted["stack_worst_bytes"]:
        worst = counted["stack_worst_bytes"]
        what = f"the stack was seen {marks.stack_seen_bytes} bytes deep, deeper than its computed worst of {worst}"
        raise DeviceError(what, where=where, hint="the build room's call graph misses a path; please report it")
    names = ("total_bytes", "static_bytes", "arena_bytes", "stack_worst_bytes", "capacity_bytes")
    return {**{name: counted[name] for name in names}, "stack_seen_bytes": marks.stack_seen_bytes}
