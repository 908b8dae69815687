"""What a measurement must fulfil before it is believed: plausible numbers, and no statement against another one."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

from hilgate.errors import ArtifactError
from hilgate.gate.policy import LARGEST

if TYPE_CHECKING:
    from hilgate.gate.measured import Latency, Measurement

PARTS = {  # what total_bytes is the sum of
    "flash": ("weights_bytes", "kernels_bytes", "runtime_bytes"),
    "ram": ("static_bytes", "arena_bytes", "stack_worst_bytes"),
}


def check_plausible(node: Any, where: str, path: str = "") -> None:
    """Every number in the document is finite and not beyond what any microcontroller can do."""
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in pairs:
            check_plausible(value, where, f"{path}/{key}" if path else str(key))
    elif isinstance(node, int | float) and not abs(node) <= LARGEST:  # also NaN; an int may be beyond every float
        raise ArtifactError(f"field {path[:200]!r}: {str(node)[:40]} is not plausible", where=where)


def check_consistent(measurement: Measurement, document: dict[str, Any], where: str) -> None:
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
        rules += _load_rules(latency, measurement.source)
    if measurement.samples is not None:
        count = document["accuracy"]["n"]
        rules.append((f"accuracy.n {count} is not the number of samples", count == len(measurement.samples.scores)))
    return rules


def _load_rules(latency: Latency, source: str) -> list[tuple[str, bool]]:
    if not latency.loads:
        return []
    positions = [load.position for load in latency.loads]
    return [
        ("loads of a prediction, which has none", source == "measured"),
        ("two loads at one position", len(set(positions)) == len(positions)),
        (
            "latency.cycles are not those of latency.loads",
            latency.cycles == tuple(count for load in latency.loads for count in load.cycles),
        ),
    ]
