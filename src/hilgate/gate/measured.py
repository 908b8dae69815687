"""One cell's measurement and per-sample scores as frozen dataclasses.

They are read as hostile data: a claim, refused when it is not plausible or contradicts itself.
"""

from __future__ import annotations

import base64
import binascii
import math
import statistics
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hilgate.artifacts import parse_json
from hilgate.errors import ArtifactError
from hilgate.gate.policy import LARGEST

PARTS = {  # what total_bytes is the sum of
    "flash": ("weights_bytes", "kernels_bytes", "runtime_bytes"),
    "ram": ("static_bytes", "arena_bytes", "stack_worst_bytes"),
}
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
class Latency:
    """Raw cycles of each run, and of one profiled run per layer."""

    cycles: tuple[int, ...]
    clock_hz: int
    layers: tuple[tuple[str, int], ...]

    @property
    def median_us(self) -> float:
        return statistics.median(self.cycles) / self.clock_hz * 1e6


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
    _plausible(document, where)
    scores = parse_samples(samples, f"samples beside {where}") if samples is not None else None
    measurement = _measurement(document, scores)
    _consistent(measurement, document, where)
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
        ),
        environment=document["environment"],
        samples=samples,
    )


def _plausible(node: Any, where: str, path: str = "") -> None:
    """Every number in the document is finite and not beyond what any microcontroller can do."""
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in pairs:
            _plausible(value, where, f"{path}/{key}" if path else str(key))
    elif isinstance(node, int | float) and not (math.isfinite(node) and abs(node) <= LARGEST):
        raise ArtifactError(f"field {path[:200]!r}: {str(node)[:40]} is not plausible", where=where)


def _consistent(measurement: Measurement, document: dict[str, Any], where: str) -> None:
    """Raise ArtifactError at the first statement that contradicts another one."""
    for what, holds in chain(_identity_rules(measurement), _number_rules(measurement, document)):
        if not holds:
            raise ArtifactError(f"contradicts itself: {what}", where=where, hint="make it again with `hilgate run`")


def _identity_rules(measurement: Measurement) -> list[tuple[str, bool]]:
    samples = measurement.samples
    rules = [
        (
            "`source` and `evidence` disagree",
            (measurement.source == "measured") == (measurement.evidence == "measured"),
        ),
        ("more mismatches than vectors", measurement.mismatches <= measurement.vectors),
    ]
    if samples is not None:
        mean = math.fsum(samples.scores) / max(len(samples.scores), 1)
        rules += [
            ("samples.json is of another metric", samples.metric == measurement.metric),
            ("samples.json is of another data set", samples.dataset == measurement.hashes["dataset"]),
            (
                f"accuracy {measurement.accuracy:.6g} is not the mean of samples.json, {mean:.6g}",
                math.isclose(mean, measurement.accuracy, rel_tol=1e-6, abs_tol=1e-6),
            ),
        ]
    return rules


def _number_rules(measurement: Measurement, document: dict[str, Any]) -> list[tuple[str, bool]]:
    rules = []
    for name, sizes in (("flash", measurement.flash), ("ram", measurement.ram)):
        parts = sum(sizes[part] for part in PARTS[name])
        total, capacity = sizes["total_bytes"], sizes["capacity_bytes"]
        rules += [
            (f"the parts of {name} are {parts} bytes, {name}.total_bytes is {total}", parts == total),
            (f"{name}.total_bytes {total} is more than {name}.capacity_bytes {capacity}", total <= capacity),
        ]
    latency = measurement.latency
    if latency is not None:
        stated = document["latency"]["median_us"]
        what = f"median_us {stated:.6g} is not what cycles and clock_hz give, {latency.median_us:.6g}"
        rules.append((what, math.isclose(stated, latency.median_us, rel_tol=1e-3, abs_tol=1e-3)))
    if measurement.samples is not None:
        count = document["accuracy"]["n"]
        rules.append((f"accuracy.n {count} is not the number of samples", count == len(measurement.samples.scores)))
    return rules
