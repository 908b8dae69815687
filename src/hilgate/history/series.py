"""The history as series, one per cell and testbed, in the order of commits, so that predicted never meets measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hilgate.history.line import METRICS, Line

UNITS = {"flash_bytes": "bytes", "ram_bytes": "bytes", "latency_us": "us"}


@dataclass(frozen=True)
class Trend:
    """One metric of a series. points: (index into the series' lines, value); change: against the point before.

    across: the point before was made by another toolchain or cost model, so that a change says nothing about the code.
    """

    metric: str
    unit: str
    points: tuple[tuple[int, float], ...]
    budget: float | None
    across: bool
    lower_is_better: bool

    @property
    def latest(self) -> float:
        return self.points[-1][1]

    @property
    def previous(self) -> float | None:
        return self.points[-2][1] if len(self.points) > 1 else None

    @property
    def over(self) -> bool:
        """Whether the latest value breaks its budget."""
        if self.budget is None:
            return False
        return self.latest > self.budget if self.lower_is_better else self.latest < self.budget

    @property
    def change(self) -> float | None:
        return None if self.previous is None else self.latest - self.previous


@dataclass(frozen=True)
class Series:
    """One cell on one testbed. lines: by date; switches: indices of lines whose toolchain is another than before."""

    cell: str
    task: str
    board: str
    testbed: str
    source: str
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        return f"{self.cell} on {self.testbed}"

    @property
    def switches(self) -> tuple[int, ...]:
        """Where the toolchain changes."""
        pairs = enumerate(zip(self.lines, self.lines[1:], strict=False), 1)
        return tuple(at for at, (before, after) in pairs if before.toolchain != after.toolchain)

    def trend(self, metric: str) -> Trend | None:
        """The points of a metric, None where no line has it."""
        points = tuple((at, line.values[metric]) for at, line in enumerate(self.lines) if metric in line.values)
        if not points:
            return None
        last = self.lines[points[-1][0]]
        across = len(points) > 1 and not comparable(self.lines[points[-2][0]], last, metric)
        unit = UNITS.get(metric, last.unit)
        lower = metric != "accuracy" or last.better == "lower"
        return Trend(metric, unit, points, last.budgets.get(metric), across, lower)

    def trends(self) -> list[Trend]:
        return [trend for metric in METRICS if (trend := self.trend(metric))]


def comparable(before: Line, after: Line, metric: str) -> bool:
    """Whether a difference says something about the code: accuracy always, else only under one toolchain and model."""
    if metric == "accuracy":
        return True
    same = before.toolchain == after.toolchain
    return same and (metric != "latency_us" or before.model == after.model)


def series_of(lines: Iterable[Line]) -> list[Series]:
    """Series sorted by cell, predicted before measured, testbed."""
    groups: dict[tuple[str, str, str, str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.cell, line.source, line.testbed, line.task, line.board), []).append(line)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] == "measured", *item[0][2:]))
    return [
        Series(cell, task, board, testbed, source, tuple(sorted(group, key=lambda line: (line.date, line.key))))
        for (cell, source, testbed, task, board), group in ordered
    ]
