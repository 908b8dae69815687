"""params.yaml: run.<task>."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.errors import ParamsError
from hilgate.params import Params


@dataclass(frozen=True)
class RunSettings:
    """vectors: test samples sent to the board; warmup: runs before those that count; runs: whose cycles are kept."""

    vectors: int
    warmup: int
    runs: int


def settings_of(task: str, params: Params) -> RunSettings:
    """The checked settings of a task. Raises ParamsError."""
    settings = params.section("run", task, RunSettings)
    limits = {"vectors": (1, 1_000_000), "warmup": (0, 200), "runs": (1, 10_000)}
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise ParamsError(
                f"must lie between {low} and {high}, not {value}", where=f"{params.path}: run.{task}.{name}"
            )
    return settings
