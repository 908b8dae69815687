"""Series as columns of whole numbers for the trend page: small as text, quick to read in a browser.

Indices are runs (start, count, start, count, ...); values are differences of `value * scale` rounded; dates are
differences of seconds. templates/values.js has the inverse.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hilgate.history.line import Line
from hilgate.history.series import Series, Trend

SCALES = {"bytes": 1, "us": 1000, "fraction": 1_000_000, "score": 1_000_000}
SHA_LETTERS = 12


def payload(found: list[Series]) -> dict[str, Any]:
    """All series and the commits that they share."""
    lines = {line.commit: line for series in found for line in series.lines}
    ordered = sorted(lines.values(), key=lambda line: (line.date, line.commit))
    index = {line.commit: at for at, line in enumerate(ordered)}
    return {
        "sha": "".join(line.commit[:SHA_LETTERS] for line in ordered),
        "date": deltas([_seconds(line.date) for line in ordered]),
        "subject": [line.subject for line in ordered],
        "series": [_series(series, index) for series in found],
    }


def deltas(numbers: list[int]) -> list[int]:
    """The first number, then differences."""
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]


def runs(indices: list[int]) -> list[int]:
    """Ascending indices as start, count, start, count."""
    found: list[int] = []
    for at in indices:
        if found and at == found[-2] + found[-1]:
            found[-1] += 1
        else:
            found += [at, 1]
    return found


def steps(values: list[float | None], indices: list[int]) -> list[Any]:
    """index, value where a value differs from the one before."""
    found: list[Any] = []
    for at, value in zip(indices, values, strict=True):
        if not found or found[-1] != value:
            found += [at, value]
    return found


def _series(series: Series, index: dict[str, int]) -> dict[str, Any]:
    at = [index[line.commit] for line in series.lines]
    return {
        "toolchain": steps([line.toolchain for line in series.lines], at),  # type: ignore[misc]
        "metrics": {trend.metric: _trend(trend, series.lines, at) for trend in series.trends()},
    }


def _trend(trend: Trend, lines: tuple[Line, ...], at: list[int]) -> dict[str, Any]:
    scale = SCALES[trend.unit]
    where = [at[point] for point, _ in trend.points]
    budgets = [lines[point].budgets.get(trend.metric) for point, _ in trend.points]
    return {
        "unit": trend.unit,
        "scale": scale,
        "at": runs(where),
        "values": deltas([round(value * scale) for _, value in trend.points]),
        "budget": steps(budgets, where),
    }


def _seconds(date: str) -> int:
    """Since 1970; a date that no calendar has counts as its month's first day."""
    try:
        return int(datetime.fromisoformat(date).timestamp())
    except ValueError:
        return int(datetime.fromisoformat(f"{date[:8]}01T00:00:00+00:00").timestamp())
