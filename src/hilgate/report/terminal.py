"""The verdict on a terminal of 60 columns or more, by words and bars; colours only repeat what the words say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilgate.report.assemble import assemble
from hilgate.report.escape import terminal_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from hilgate.report.view import CellView, Report
    from hilgate.report.words import Row

STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red", "inconclusive": "magenta", "waiting": "cyan"}
WIDE = 110  # columns from which both sides and changes in percent fit
NARROW = 76  # columns below which budgets and bars do not fit; the headroom says the same
PLAIN = str.maketrans("µ≥≤±−█░·…→×", "u>< -#..~>x")  # one letter for one, so that columns stay
BAR_CELLS = 8
MOST_LINES = 20
MOST_NAMED = 40
CELLS_IN_FULL = 4  # with more of them those in which nothing changed are one line


def show(verdict: dict[str, Any], console: Console | None = None, context: dict[str, Any] | None = None) -> None:
    """Print a verdict document. console: for tests; else stdout. context: of a pull request."""
    from rich.console import Console

    console = console or Console(highlight=False)
    parts = _parts(assemble(verdict, "", (), context), console.width)
    if console.encoding.startswith("utf"):
        console.print(*parts, sep="\n")
        return
    with console.capture() as printed:
        console.print(*parts, sep="\n")
    console.file.write(printed.get().translate(PLAIN))


def _parts(report: Report, width: int) -> list[RenderableType]:
    parts: list[RenderableType] = [_headline(report)]
    quiet = [cell for cell in report.cells if cell.quiet and len(report.cells) > CELLS_IN_FULL]
    for cell in report.cells:
        if not (quiet and cell.quiet):
            parts += [_cell_title(cell), _table(cell, report, width), *_reasons(cell)]
            parts += [_indented(_text(f"cause {cause}", "dim")) for cause in cell.causes]
    if quiet:
        names = ", ".join(cell.cell for cell in quiet[:MOST_NAMED])
        more = f" and {len(quiet) - MOST_NAMED} more" if len(quiet) > MOST_NAMED else ""
        parts.append(_text(f"pass, nothing changed: {names}{more}"))
    if report.asks:
        parts += _requests(report)
    for what, rows in (("params.yaml", report.params), ("package", report.dependencies)):
        parts += [_text(f"{what}: {row.name}: {row.base} → {row.head}") for row in rows[:MOST_LINES]]
    parts += [_text(f"note: {note}") for note in report.notes]
    parts += [_text(line, STYLES["waiting"]) for line in _around(report)]
    parts.append(_text(report.about, "dim"))
    return parts


def _around(report: Report) -> list[str]:
    """What context.json adds: approval, hardware, claims that were not confirmed, what is not set up."""
    setup = report.setup
    lines = [setup.approval] if setup.approval else []
    lines += [*setup.hardware, *(f"not confirmed: {claim}" for claim in setup.claims[:MOST_LINES])]
    lines += [f"{failure.name} {failure.base}: {failure.head}" for failure in setup.failures[:MOST_LINES]]
    lines += setup.absent
    return lines + [f"not set up: {thing.name}: {thing.base}" for thing in setup.missing[:MOST_LINES]]


def _headline(report: Report) -> RenderableType:
    from rich import box
    from rich.panel import Panel
    from rich.text import Text

    word, _, rest = report.headline.partition(":")
    text = Text.assemble((word.upper(), STYLES[report.outcome]), terminal_text(rest))
    return Panel(text, box=box.ROUNDED, border_style=STYLES[report.outcome], padding=(0, 1))


def _cell_title(cell: CellView) -> Text:
    from rich.text import Text

    how = cell.row("latency_us").how.replace("`", "")
    place = f"{cell.task} on {cell.board}" if cell.cell != f"{cell.task}_{cell.board}" else ""
    where = "  " + terminal_text(", ".join(part for part in (place, f"latency {how}" if how else "") if part), 80)
    return Text.assemble(
        "\n", (terminal_text(cell.cell, 60), "bold"), "  ", (cell.outcome, STYLES[cell.outcome]), (where, "dim")
    )


def _table(cell: CellView, report: Report, width: int) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    wide, narrow = width >= WIDE, width < NARROW
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    base, head = terminal_text(report.base, 14), terminal_text(report.head, 14)
    for name in [*([base] if wide else []), head, "change", *([] if narrow else ["budget"])]:
        table.add_column(Text(name), justify="right", no_wrap=True)
    table.add_column("headroom", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in cell.rows:
        moved = row.change if wide else row.change.partition(" (")[0].replace("not compared", "?")
        label = f"{row.name} ({row.source})" if row.source in ("predicted", "measured") and wide else row.name
        sides = [row.base, row.value] if wide else [row.value]
        starred = "" if row.enforced else " *"
        limit = [row.short_headroom + starred] if narrow else [row.budget + starred, _room(row)]
        table.add_row(label, *sides, moved, *limit, _outcome(row))
    return table


def _room(row: Row) -> Text:
    from rich.text import Text

    style = STYLES[row.verdict] if row.verdict in ("fail", "warn") else ""
    return Text.assemble((bar(row.used), style or "dim"), f" {row.short_headroom}")


def _outcome(row: Row) -> Text:
    from rich.text import Text

    return Text(row.outcome, STYLES[row.verdict])


def bar(used: float | None) -> str:
    """The used share of a budget, 0 to 1, in BAR_CELLS characters; a broken budget is full and ends in `!`."""
    if used is None:
        return "·" * BAR_CELLS
    if used > 1:
        return "█" * (BAR_CELLS - 1) + "!"
    full = round(min(max(used, 0.0), 1.0) * BAR_CELLS)
    return "█" * full + "░" * (BAR_CELLS - full)


def _reasons(cell: CellView) -> list[RenderableType]:
    from rich.text import Text

    lines: list[RenderableType] = []
    for reason in cell.reasons:
        word = "*" if reason.outcome == "pass" else reason.outcome
        text = Text.assemble((word, STYLES[reason.outcome]), " ", terminal_text(reason.text))
        lines.append(_indented(text))
    return lines


def _indented(text: Text) -> RenderableType:
    from rich.padding import Padding

    return Padding(text, (0, 0, 0, 1))


def _requests(report: Report) -> list[RenderableType]:
    lines = [f"new cell {one.cell}: {one.text}" for one in report.new_cells[:MOST_LINES]]
    if len(report.new_cells) > MOST_LINES:
        lines.append(f"and {len(report.new_cells) - MOST_LINES} more new cells")
    for request in report.requests[:MOST_LINES]:
        lines.append(f"{request.cell} {request.what}: {request.base} → {request.head} ({request.effect})")
    if len(report.requests) > MOST_LINES:
        lines.append(f"and {len(report.requests) - MOST_LINES} more")
    style = STYLES["waiting"]
    return ["", _text(f"{report.asks}. {report.approval}", style), *(_indented(_text(line, style)) for line in lines)]


def _text(line: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(terminal_text(line), style)
