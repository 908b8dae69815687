"""One metric of one cell over main's commits, as lines for a plot: predicted and measured apart, with the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hilgate.units import amount

WIDTH, HEIGHT = 100.0, 30.0  # of the plot's own coordinates
MOST_POINTS = 400  # more than a screen has columns for; the newest are kept
ROOM = 0.08  # above and below what is drawn
MOST_LISTED = 8


@dataclass(frozen=True)
class Point:
    """What main had at one commit. source: predicted, measured, counted, computed; toolchain: compiler and version."""

    commit: str
    value: float
    source: str
    toolchain: str


@dataclass(frozen=True)
class History:
    """The past of one metric of one cell, oldest first. limit: its budget, None: none is set."""

    cell: str
    metric: str
    name: str
    unit: str
    limit: float | None
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Trend:
    """A plot: `lines` are point lists of SVG polylines by source; marks: where the toolchain changed.

    budget: height of the budget line, None where there is none; words: what the plot shows, for who does not see it.
    """

    history: History
    lines: tuple[tuple[str, str], ...]
    marks: tuple[tuple[str, str], ...]
    budget: str | None
    low: str
    high: str
    words: str
    newest: tuple[tuple[str, str], ...]


def trend(history: History) -> Trend | None:
    """The plot of a history; None: fewer than two points are no trend."""
    points = history.points[-MOST_POINTS:]
    if len(points) < 2:
        return None
    low, high = _range([point.value for point in points], history.limit)
    places = [(WIDTH * at / (len(points) - 1), _height(point.value, low, high)) for at, point in enumerate(points)]
    sources = dict.fromkeys(point.source for point in points)
    lines = [
        (source, " ".join(f"{x:.2f},{y:.2f}" for (x, y), p in zip(places, points, strict=True) if p.source == source))
        for source in sources
    ]
    marks = [
        (f"{places[at][0]:.2f}", f"{points[at].commit[:10]}: {points[at].toolchain}")
        for at in range(1, len(points))
        if points[at].toolchain != points[at - 1].toolchain
    ]
    return Trend(
        history=history,
        lines=tuple(lines),
        marks=tuple(marks),
        budget=None if history.limit is None else f"{_height(history.limit, low, high):.2f}",
        low=amount(history.unit, low),
        high=amount(history.unit, high),
        words=_words(history, points),
        newest=tuple(
            (point.commit[:10], amount(history.unit, point.value)) for point in points[: -MOST_LISTED - 1 : -1]
        ),
    )


def _range(values: Sequence[float], limit: float | None) -> tuple[float, float]:
    low, high = min(values), max(values)
    if limit is not None:
        low, high = min(low, limit), max(high, limit)
    room = (high - low) * ROOM or max(abs(high), 1.0) * ROOM
    return low - room, high + room


def _height(value: float, low: float, high: float) -> float:
    return HEIGHT * (1 - (value - low) / (high - low))


def _words(history: History, points: Sequence[Point]) -> str:
    first, last = (amount(history.unit, points[at].value) for at in (0, -1))
    budget = f", budget {amount(history.unit, history.limit)}" if history.limit is not None else ", no budget"
    return f"{history.name} of {history.cell} over {len(points)} commits: from {first} to {last}{budget}"
