"""What an image said about itself in a session, each number kept only where the virtual board's own count agrees.

The firmware reads the counter around the call of its model, so an honest report is larger than the bare call by the few
cycles of calling and reading. Whatever else it says, the board's count is the number.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, fields
from types import SimpleNamespace
from typing import Any, cast

from hilgate.errors import ClaimError, HilgateError
from hilgate.link.protocol import IdentifyAnswer, MemoryAnswer
from hilgate.link.session import Session
from hilgate.run.bench import ram_of
from hilgate.run.identity import check_identity
from hilgate.run.subject import Subject

CALL_CYCLES = 64  # most of what calling the model and reading the counter cost; 25 to 38 were seen on four boards
LAYER_CYCLES = 512  # the same around a layer of a profile, where the CRC of its output also cools the caches; 46 to 269
LAYER_SHARE = 0.01  # of a layer: caches are not as they were
SPOT_SHARE = 0.02  # of the model: more on other inputs than on the benched one is told, and judged


@dataclass(frozen=True)
class Counted:
    """identity and marks as the board said them, checked; latency as in measurement.json, None without a counter.

    vectors, mismatches: outputs over the link against direct calls. claims: what it said and did not hold.
    """

    identity: IdentifyAnswer
    vectors: int
    mismatches: int
    latency: dict[str, Any] | None
    ram: dict[str, Any]
    claims: tuple[dict[str, str], ...]


@dataclass
class Doubts:
    """Collects what did not hold."""

    cell: str
    rows: list[dict[str, str]] = field(default_factory=list)

    def add(self, what: str, claimed: object, recomputed: object) -> None:
        row = {"cell": self.cell, "what": what, "claimed": str(claimed), "recomputed": str(recomputed)}
        self.rows.append({key: text[:100] for key, text in row.items()} | {"cell": self.cell})


def counted_of(found: dict[str, Any], outputs: list[bytes], subject: Subject) -> Counted:
    """Check a session's answers. outputs: by direct calls, of the same samples. Raises ClaimError."""
    doubts = Doubts(subject.cell)
    identity = _identity(found["identity"], subject)
    got = [bytes.fromhex(one) for one in found["outputs"]]
    mismatches = sum(one != due for one, due in zip(got, outputs, strict=True))
    if mismatches:
        doubts.add("outputs over the link", f"{mismatches} of {len(got)} others", "those of the image's model")
    latency = None
    if subject.board.tables.get("counter", {}).get("kind") != "none":
        latency = _latency(found, identity, subject, doubts)
    ram = _ram(found, subject)
    return Counted(identity, len(got), mismatches, latency, ram, tuple(doubts.rows))


def _identity(stated: dict[str, Any], subject: Subject) -> IdentifyAnswer:
    """The identify answer, which must name this very image, board and model. Raises ClaimError."""
    values: dict[str, Any] = {one.name: _bytes_or_number(stated[one.name]) for one in fields(IdentifyAnswer)}
    identity = IdentifyAnswer(**values)
    try:
        check_identity(cast("Session", SimpleNamespace(identity=identity, name="the virtual board")), subject)
    except HilgateError as error:
        raise ClaimError(error.what, where=error.where) from error
    return identity


def _latency(found: dict[str, Any], identity: IdentifyAnswer, subject: Subject, doubts: Doubts) -> dict[str, Any]:
    import numpy as np

    said, count = [int(one) for one in found["cycles"]], int(found["counted"])
    cycles = said
    if not said or not all(0 <= one - count <= CALL_CYCLES for one in said):
        doubts.add("cycles of an inference", _range(said), count)
        cycles = [max(count, *said)] * max(len(said), 1) if said else [count]
    others = statistics.median(int(one["cycles"]) for one in found["spots"])
    if others > max(cycles) * (1 + SPOT_SHARE):
        doubts.add("cycles of an inference, other inputs", _range(cycles), int(others))
        cycles = [int(others)] * len(cycles)
    clock_hz = int(found["clock_hz"])
    if identity.clock_hz != clock_hz:
        doubts.add("clock in Hz", identity.clock_hz, clock_hz)
    us = [1e6 * one / clock_hz for one in cycles]
    return {
        "cycles": cycles,
        "clock_hz": clock_hz,
        "median_us": float(np.median(us)),
        "p99_us": float(np.quantile(us, 0.99, method="higher")),
        "layers": _layers(found, subject, doubts),
    }


def _layers(found: dict[str, Any], subject: Subject, doubts: Doubts) -> list[dict[str, Any]]:
    """Cycles of each layer: what the board said, or what was counted where that differs. Raises ClaimError."""
    said, counted, names = found["rows"], found["layers"], subject.layer_names
    if not len(said) == len(counted) == len(names):
        what = f"model.json has {len(names)} layers, the board reports {len(said)} and runs {len(counted)}"
        raise ClaimError(what, where=subject.cell)
    rows = []
    for name, one, due in zip(names, said, counted, strict=True):
        holds = abs(one["cycles"] - due["cycles"]) <= LAYER_CYCLES + LAYER_SHARE * due["cycles"]
        if not holds or one["crc32"] != due["crc32"]:
            doubts.add(f"cycles of layer {name}", one["cycles"], due["cycles"])
        rows.append({"name": name, "cycles": int(one["cycles"] if holds else due["cycles"])})
    return rows


def _ram(found: dict[str, Any], subject: Subject) -> dict[str, Any]:
    """RAM as counted from the ELF, with the board's mark of the stack. Raises ClaimError when the stack was deeper."""
    worst = subject.sizes["ram"]["stack_worst_bytes"]
    if found["stack_seen_bytes"] > worst:
        what = f"its model used {found['stack_seen_bytes']} bytes of stack, its instructions show {worst}"
        raise ClaimError(what, where=subject.cell)
    try:
        return ram_of(subject, MemoryAnswer(**found["marks"]), subject.cell)
    except HilgateError as error:
        raise ClaimError(error.what, where=error.where) from error


def _range(values: list[int]) -> str:
    return "none" if not values else f"{min(values)}" + (f" to {max(values)}" if min(values) != max(values) else "")


def _bytes_or_number(value: str | int) -> Any:
    return bytes.fromhex(value) if isinstance(value, str) else value
