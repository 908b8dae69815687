"""main's history as the trends of a page: one for each metric, cell and testbed, predicted and measured apart."""

from __future__ import annotations

from collections.abc import Iterable

from hilgate.history.line import Line
from hilgate.history.series import series_of
from hilgate.report.trend import History, Point
from hilgate.units import NAMES

EXACT = {"accuracy": "computed", "flash_bytes": "counted", "ram_bytes": "counted"}


def histories(lines: Iterable[Line], cells: Iterable[str]) -> tuple[History, ...]:
    """The past of these cells, metric by metric; a metric that several testbeds have is named with each of them."""
    wanted = set(cells)
    series = series_of(line for line in lines if line.cell in wanted)
    testbeds = {cell: sum(one.cell == cell for one in series) for cell in wanted}
    return tuple(
        History(
            cell=one.cell,
            metric=trend.metric,
            name=NAMES[trend.metric] + (f" on {one.testbed}" if testbeds[one.cell] > 1 else ""),
            unit=trend.unit,
            limit=trend.budget,
            points=tuple(
                Point(
                    commit=one.lines[at].commit,
                    value=value,
                    source=EXACT.get(trend.metric, one.source),
                    toolchain=one.lines[at].toolchain,
                )
                for at, value in trend.points
            ),
        )
        for one in series
        for trend in one.trends()
    )
