"""Synthetic measurements: small, made up, and said to be so. No figure here was measured on anything."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

from hilgate.gate.judge import judge
from hilgate.gate.measured import Latency, Measurement, parse_measurement
from hilgate.gate.policy import Budget, Policy
from hilgate.gate.sides import Side
from hilgate.gate.verdict import Axis, Verdict
from hilgate.params import Cell

CELL = "toy_board_a"
CLOCK_HZ = 100_000_000


def samples_text(scores: Sequence[int], dataset: str = "d" * 64, **changed: Any) -> str:
    packed = bytes(
        int("".join(str(score) for score in scores[at : at + 8]).ljust(8, "0"), 2) for at in range(0, len(scores), 8)
    )
    document = {
        "schema": "samples",
        "version": 1,
        "task": "toy",
        "metric": "top1",
        "higher_is_better": True,
        "dataset": dataset,
        "n": len(scores),
        "bits": base64.b64encode(packed).decode(),
        "values": None,
    }
    return json.dumps({**document, **changed})


def measurement_document(cell: str = CELL, right: int = 980, n: int = 1000, cycles: int = 200_000) -> dict[str, Any]:
    return {
        "schema": "measurement",
        "version": 1,
        "cell": cell,
        "task": "toy",
        "board": "board_a",
        "source": "predicted",
        "evidence": "validated",
        "hashes": {
            name: letter * (32 if name == "architecture" else 64)
            for name, letter in zip(
                ("firmware", "image", "model", "architecture", "weights", "dataset"), "abcefd", strict=True
            )
        },
        "accuracy": {"metric": "top1", "value": right / n, "n": n, "low": right / n - 0.01, "high": right / n + 0.01},
        "parity": {"vectors": 50, "mismatches": 0, "first_layer": None},
        "flash": {
            "total_bytes": 100_000,
            "weights_bytes": 80_000,
            "kernels_bytes": 5_000,
            "runtime_bytes": 15_000,
            "capacity_bytes": 524_288,
        },
        "ram": {
            "total_bytes": 20_000,
            "static_bytes": 14_000,
            "arena_bytes": 2_000,
            "stack_worst_bytes": 4_000,
            "stack_seen_bytes": 1_500,
            "capacity_bytes": 131_072,
        },
        "latency": {
            "cycles": [cycles] * 5,
            "clock_hz": CLOCK_HZ,
            "median_us": cycles / CLOCK_HZ * 1e6,
            "p99_us": cycles / CLOCK_HZ * 1e6,
            "layers": [{"name": "fc1", "cycles": cycles - 50_000}, {"name": "fc2", "cycles": 50_000}],
        },
        "energy": None,
        "environment": {
            "compiler": "arm-none-eabi-gcc",
            "compiler_version": "12.2.1 20221205",
            "flags": "-O2",
            "cost_model": "0123456789ab",
        },
    }


def make_measurement(wrong: int = 20, n: int = 1000, **changed: Any) -> Measurement:
    """A measurement whose first `wrong` samples are wrong; `changed`: fields of Measurement."""
    return dataclasses.replace(_parsed(wrong, n), **changed)


@cache
def _parsed(wrong: int, n: int) -> Measurement:
    document = measurement_document(right=n - wrong, n=n)
    return parse_measurement(json.dumps(document), "fixture", samples_text([0] * wrong + [1] * (n - wrong)))


def make_policy(cell: str = CELL, **budgets: Budget | None) -> Policy:
    """One cell with budgets that the synthetic measurement keeps."""
    limits: dict[str, Budget | None] = {
        "accuracy": Budget(min=0.95, worse_warn=0.001, worse_fail=0.01),
        "flash_bytes": Budget(max=150_000, worse_warn="0.5%", worse_fail="2%"),
        "ram_bytes": Budget(max=30_000, worse_warn="0.5%", worse_fail="2%"),
        "latency_us": Budget(max=2_500, worse_warn="1%", worse_fail="3%"),
        **budgets,
    }
    kept = {metric: budget for metric, budget in limits.items() if budget is not None}
    return Policy(origin="main", cells={cell: Cell("toy", "board_a")}, budgets={cell: kept})


def make_side(label: str, *measurements: Measurement, policy: Policy | None = None) -> Side:
    return Side(label, "path", label, measurements={one.cell: one for one in measurements}, policy=policy)


@dataclasses.dataclass(frozen=True)
class Make:
    """The functions above, for tests: importlib mode has no modules to import them from."""

    measurement: Callable[..., Measurement]
    document: Callable[..., dict[str, Any]]
    samples: Callable[..., str]
    policy: Callable[..., Policy]
    side: Callable[..., Side]


@pytest.fixture(scope="session")
def make() -> Make:
    return Make(make_measurement, measurement_document, samples_text, make_policy, make_side)


@pytest.fixture(scope="session")
def run(make: Make) -> Callable[..., Verdict]:
    """Judge one changed head against an unchanged base."""

    def judged(
        head: Measurement | None = None, base: Measurement | None = None, policy: Policy | None = None, **changed: Any
    ) -> Verdict:
        base = make.measurement() if base is None else base
        head = make.measurement(**{"hashes": {**base.hashes, "image": "9" * 64}, **changed}) if head is None else head
        return judge(policy or make.policy(), make.side("main", base), make.side("this PR", head))

    return judged


@pytest.fixture(scope="session")
def axis() -> Callable[[Verdict, str], Axis]:
    """One metric of the first cell."""
    return lambda verdict, metric: next(axis for axis in verdict.cells[0].axes if axis.metric == metric)


@pytest.fixture(scope="session")
def reasons() -> Callable[[Verdict], list[str]]:
    """What the checks of the first cell say."""

    def said(verdict: Verdict) -> list[str]:
        cell = verdict.cells[0]
        return [check.reason for check in (*cell.checks, *(c for a in cell.axes for c in a.checks))]

    return said


@pytest.fixture(scope="session")
def flash() -> Callable[[int], dict[str, int]]:
    """The flash of a measurement with another total."""
    return lambda total: {**make_measurement().flash, "total_bytes": total}


@pytest.fixture(scope="session")
def latency() -> Callable[[int], Latency | None]:
    """The latency of a measurement with other cycles."""

    def of(cycles: int) -> Latency | None:
        old = make_measurement().latency
        return old and dataclasses.replace(old, cycles=(cycles,) * 5)

    return of
