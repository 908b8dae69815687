"""The seam: how anybody asks a bench to measure an image. Today a desk answers; later a daemon of another user will.

A bench does one thing, "measure this image on that kind of board", and nothing else: it chooses probe and port by
itself, flashes, verifies, compares what the board says it runs with the image, measures, and hands raw facts back. What
the facts mean (accuracy, budgets) is not its business, and what it returns is checked again by whoever asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """image: an ELF; board: a kind, such as nucleo_f446re; inputs: int8 samples; warmup, runs: of `bench`."""

    image: Path
    board: str
    inputs: tuple[bytes, ...]
    warmup: int
    runs: int


@dataclass(frozen=True)
class Reading:
    """What one load (flash, reset, measure) showed, as the board said it. Lengths in bytes, times in cycles.

    image: hash over the board's own flash; uid: of the chip; outputs: of all inputs, in order; layers: (cycles, CRC-32)
    of each layer for the first input; clock_ratio: its clock against this computer's, None where too short to tell.
    """

    image: str
    uid: str
    probe: str
    clock_hz: int
    clock_source: str
    counter: str
    outputs: tuple[bytes, ...]
    cycles: tuple[int, ...]
    layers: tuple[tuple[int, int], ...]
    arena_bytes: int
    stack_seen_bytes: int
    clock_ratio: float | None = None
    notes: tuple[str, ...] = field(default=())


class Bench(Protocol):
    """Whoever can measure. Raises HilgateError: ProbeError, LinkError, StaleImageError, DeviceError."""

    def measure(self, request: Request) -> Reading: ...
