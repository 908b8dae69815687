"""One cell's measurement and per-sample scores as frozen dataclasses.

They are read as hostile data: a claim, refused when it is not plausible or contradicts itself.
"""

from __future__ import annotations

import base64
import binascii
import math
import statistics
from dataclasses import dataclass, field
from typing import Any

from hilgate.artifacts import parse_json
from hilgate.errors import ArtifactError
from hilgate.gate.claims import check_consistent, check_plausible
from hilgate.gate.policy import LARGEST

LARGEST_FILE_BYTES = 32 * 1024 * 1024  # a million float scores as JSON text; more is refused unread


@dataclass(frozen=True)
class Samples:
    """The score of every test sample, in order. `binary`: each is 0.0 or 1.0."""

    metric: str
    higher_is_better: bool
    dataset: str
    binary: bool
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Load:
    """One load of the firmware on a board: whose turn it was in the session, and the cycles of each run after it."""

    position: int
    cycles: tuple[int, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.cycles)


@dataclass(frozen=True)
class Latency:
    """Raw cycles of each run, and of one profiled run per layer; loads: where both sides were loaded in turns."""

    cycles: tuple[int, ...]
    clock_hz: int
    layers: tuple[tuple[str, int], ...]
    loads: tuple[Load, ...] = ()
    session: str = ""

    @property
    def median_us(self) -> float:
        return statistics.median(self.cycles) / self.clock_hz * 1e6


@dataclass(frozen=True)
class Build:
    """Where an image's bytes go: (symbol, memory) -> bytes, and the deepest chain of calls. Explains, never judges.

    sections: (section, flash or ram) -> bytes. layers: rows of sizes.json. Both are empty in files of before they were
    counted. homes: (symbol, memory) -> section.
    """

    image: str
    symbols: dict[tuple[str, str], int]
    stack_path: tuple[str, ...]
    sections: dict[tuple[str, str], int] = field(default_factory=dict)
    layers: tuple[dict[str, Any], ...] = ()
    homes: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """What one cell costs. flash and ram map part -> bytes and have total_bytes and capacity_bytes."""

    cell: str
    task: str
    board: str
    source: str
    evidence: str
    hashes: dict[str, str]
    metric: str
    accuracy: float
    interval: tuple[float, float]
    vectors: int
    mismatches: int
    first_layer: str | None
    flash: dict[str, int]
    ram: dict[str, int]
    latency: Latency | None
    environment: dict[str, Any]
    samples: Samples | None = None
    build: Build | None = None


@dataclass(frozen=True)
class Both:
    """One cell on both sides, None where it is absent."""

    base: Measurement | None
    head: Measurement | None


def parse_measurement(text: str, where: str, samples: str | None = None) -> Measurement:
    """A Measurement from the texts of measurement.json and samples.json.

    `where` names the first file in errors. Raises ArtifactError: schema, version, a number that is not finite or not
    plausible, or two statements in the files that contradict each other.
    """
    document = parse_json(text, "measurement", where=where)
    check_plausible(document, where)
    scores = parse_samples(samples, f"samples beside {where}") if samples is not None else None
    measurement = _measurement(document, scores)
    check_consistent(measurement, document, where)
    return measurement


def parse_samples(text: str, where: str) -> Samples:
    """Samples from the text of samples.json. Raises ArtifactError."""
    document = parse_json(text, "samples", where=where)
    bits, values, n = document["bits"], document["values"], document["n"]
    if (bits is None) == (values is None):
        raise ArtifactError("exactly one of `bits` and `values` must be there", where=where)
    scores = _unpack(bits, n, where) if bits is not None else tuple(float(value) for value in values)
    if len(scores) != n or not all(math.isfinite(score) and abs(score) <= LARGEST for score in scores):
        raise ArtifactError(f"not {n} finite scores", where=where, hint="make it again with `hilgate run`")
    return Samples(
        metric=document["metric"],
        higher_is_better=document["higher_is_better"],
        dataset=document["dataset"],
        binary=bits is not None,
        scores=scores,
    )


def parse_build(text: str, where: str) -> Build:
    """A Build from the text of sizes.json; static symbols of one name are added up. Raises ArtifactError."""
    document = parse_json(text, "sizes", where=where)
    check_plausible(document, where)
    symbols: dict[tuple[str, str], int] = {}
    homes = {(symbol["name"], symbol["memory"]): symbol.get("section", "") for symbol in document["symbols"]}
    for symbol in document["symbols"]:
        key = symbol["name"], symbol["memory"]
        symbols[key] = symbols.get(key, 0) + int(symbol["bytes"])
    sections = {(row["name"], row["memory"]): int(row["bytes"]) for row in document.get("sections", [])}
    layers = tuple(document.get("layers", []))
    return Build(document["hashes"]["image"], symbols, tuple(document["stack_path"]), sections, layers, homes)


def _unpack(bits: str, n: int, where: str) -> tuple[float, ...]:
    """The inverse of base64(numpy.packbits(scores)): most significant bit first, the last byte padded with zeros."""
    try:
        packed = base64.b64decode(bits, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ArtifactError(f"field bits: not base64: {error}", where=where) from error
    if len(packed) != (n + 7) // 8:
        raise ArtifactError(f"field bits: {len(packed)} bytes cannot hold {n} samples", where=where)
    text = "".join(f"{byte:08b}" for byte in packed)
    if "1" in text[n:]:
        raise ArtifactError("field bits: padding is not zero", where=where)
    return tuple(1.0 if bit == "1" else 0.0 for bit in text[:n])


def _measurement(document: dict[str, Any], samples: Samples | None) -> Measurement:
    latency = document["latency"]
    return Measurement(
        cell=document["cell"],
        task=document["task"],
        board=document["board"],
        source=document["source"],
        evidence=document["evidence"],
        hashes=document["hashes"],
        metric=document["accuracy"]["metric"],
        accuracy=float(document["accuracy"]["value"]),
        interval=(float(document["accuracy"]["low"]), float(document["accuracy"]["high"])),
        vectors=int(document["parity"]["vectors"]),
        mismatches=int(document["parity"]["mismatches"]),
        first_layer=document["parity"]["first_layer"],
        flash={part: int(size) for part, size in document["flash"].items()},
        ram={part: int(size) for part, size in document["ram"].items()},
        latency=latency
        and Latency(
            cycles=tuple(int(count) for count in latency["cycles"]),
            clock_hz=int(latency["clock_hz"]),
            layers=tuple((layer["name"], int(layer["cycles"])) for layer in latency["layers"]),
            loads=tuple(Load(load["position"], tuple(map(int, load["cycles"]))) for load in latency.get("loads", ())),
            session=latency.get("session", ""),
        ),
        environment=document["environment"],
        samples=samples,
    )
