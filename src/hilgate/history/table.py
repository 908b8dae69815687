"""The history on a terminal and as JSON: each metric's latest value, what moved, its budget, a line of blocks."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from hilgate.history.branch import Content
from hilgate.history.series import Series, Trend, series_of
from hilgate.units import NAMES, amount, change

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

BLOCKS = "▁▂▃▄▅▆▇█"
SWITCH = "┊"  # the toolchain changed here
SPARK_POINTS = 24
MOST_DAMAGED = 10
MOST_SWITCHES = 3


def show(content: Content, console: Console | None = None) -> None:
    """Print every series. console: for tests; else stdout."""
    from rich.console import Console

    console = console or Console(highlight=False)
    for series in series_of(content.lines.values()):
        _show_series(series, console)
    for damage in content.damaged[:MOST_DAMAGED]:
        console.print(f"skipped {damage.where}: {damage.what}", style="yellow", markup=False, soft_wrap=True)
    if len(content.damaged) > MOST_DAMAGED:
        console.print(f"and {len(content.damaged) - MOST_DAMAGED} more damaged lines", style="yellow")


def document(content: Content) -> dict[str, Any]:
    """The same for scripts: every series with its latest values and all points."""
    return {
        "series": [_series_document(series) for series in series_of(content.lines.values())],
        "damaged": [{"where": damage.where, "what": damage.what} for damage in content.damaged],
    }


def sparkline(values: list[float], switches: Collection[int] = ()) -> str:
    """The last values as blocks between least and greatest; switches: indices before which a mark stands."""
    shown = values[-SPARK_POINTS:]
    first = len(values) - len(shown)
    least, span = min(shown), max(shown) - min(shown)
    text = ""
    for at, value in enumerate(shown, first):
        level = round((len(BLOCKS) - 1) * (value - least) / span) if span else len(BLOCKS) // 2 - 1
        text += (SWITCH if at in switches and at > first else "") + BLOCKS[level]
    return text


def _show_series(series: Series, console: Console) -> None:
    from rich.text import Text

    last = series.lines[-1]
    title = Text.assemble(
        (series.cell, "bold"),
        f"  {series.task} on {series.board}, {series.source} by {series.testbed}",
        overflow="fold",
    )
    console.print(title)
    console.print(_table(series))
    count = len(series.lines)
    commits = f"{count} commits, the last {last.commit[:10]} of {last.date[:10]}: {last.subject}"
    console.print(Text(f"  {commits}" if count > 1 else f"  1 commit, {commits.partition('last ')[2]}", style="dim"))
    for at in series.switches[-MOST_SWITCHES:]:
        now = series.lines[at]
        said = f"  {SWITCH} {now.date[:10]} {now.commit[:10]}: {series.lines[at - 1].toolchain} → {now.toolchain}"
        console.print(Text(said, style="cyan"))
    console.print()


def _table(series: Series) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name, where in (
        ("metric", "left"),
        ("latest", "right"),
        ("change", "right"),
        ("budget", "right"),
        ("trend", "left"),
    ):
        table.add_column(name, justify=where, no_wrap=name != "change")  # type: ignore[arg-type]
    for trend in series.trends():
        table.add_row(*_row(trend, series))
    return table


def _row(trend: Trend, series: Series) -> list[str]:
    moved = "first" if trend.change is None else change(trend.unit, trend.change, trend.previous)
    if trend.across:
        moved += ", other toolchain"
    at_points = [at for at, _ in trend.points]
    switches = {next((i for i, at in enumerate(at_points) if at >= switch), -1) for switch in series.switches}
    spark = sparkline([value for _, value in trend.points], switches)
    budget = "" if trend.budget is None else amount(trend.unit, trend.budget)
    return [NAMES[trend.metric], amount(trend.unit, trend.latest), moved, budget, spark]


def _series_document(series: Series) -> dict[str, Any]:
    names = ("cell", "task", "board", "testbed", "source")
    switches = [
        {"commit": series.lines[at].commit, "from": series.lines[at - 1].toolchain, "to": series.lines[at].toolchain}
        for at in series.switches
    ]
    metrics = {trend.metric: _trend_document(trend, series) for trend in series.trends()}
    return {**{name: getattr(series, name) for name in names}, "toolchain_changes": switches, "metrics": metrics}


def _trend_document(trend: Trend, series: Series) -> dict[str, Any]:
    points = [{"commit": series.lines[at].commit, "date": series.lines[at].date, "value": v} for at, v in trend.points]
    return {
        "unit": trend.unit,
        "latest": trend.latest,
        "previous": trend.previous,
        "change": trend.change,
        "comparable": not trend.across,
        "budget": trend.budget,
        "points": points,
    }
