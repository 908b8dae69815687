"""The report as Markdown for GitHub: the most important first, and never longer than a comment may be."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from hilgate.report import words
from hilgate.report.assemble import assemble
from hilgate.report.escape import Markdown, html_name, markdown_block, markdown_link, markdown_name, markdown_text
from hilgate.report.marker import head_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jinja2 import Environment

    from hilgate.report.view import CellView, Moved, Pair, Report
    from hilgate.report.words import Row
    from hilgate.virtual.evidence import Gap

LONGEST_BYTES = 65_000  # GitHub refuses a comment of more than 65,536 characters; bytes are never fewer than characters
ROOMS = {  # bytes for each part that foreign text could fill; what does not fit is counted
    "overview": 10_000,
    "still": 8_000,
    "notes": 6_000,
    "failures": 5_000,
    "missing": 3_000,
    "requests": 6_000,
    "new cells": 2_000,
    "entries": 5_000,
    "slack": 3_000,
    "gaps": 10_000,
}
TOO_LONG = "The rest is too long for a comment: see `artifacts/gate/verdict.json` or the page of the report."
CELLS_IN_FULL = 4  # with more cells that moved an overview comes first, and those that pass are one row in it
MOST_LAYERS = 10
MOST_SYMBOLS = 20
MOST_LINES = 20
MOST_PAIRS = 8  # in one line; the page lists more
LONGEST_ERROR = 1_200


def render(verdict: dict[str, Any], title: str, gaps: Sequence[Gap] = (), context: dict[str, Any] | None = None) -> str:
    """A verdict document as a comment, at most LONGEST_BYTES long in UTF-8. Its first line is marker.MARKER.

    gaps: what no prediction can see. context: context.json, where there is a pull request.
    """
    return f"{head_lines(verdict, context)}\n{body(assemble(verdict, title, gaps, context))}"


def body(report: Report) -> str:
    """The same without the hidden lines, for a job summary or a file."""
    macros: Any = _environment().get_template("report.md.j2").module
    parts = [macros.header(report), macros.around(report)]
    if report.asks:
        parts.append(macros.requests(report))
    loud = [cell for cell in report.cells if not cell.quiet]
    still = _still([cell for cell in report.cells if cell.quiet], report, macros)
    if len(loud) > CELLS_IN_FULL:
        parts.append(_table(loud, macros, ROOMS["overview"]))
        loud = [cell for cell in loud if cell.outcome != "pass"]
    footer = still + macros.footer(report)
    room = LONGEST_BYTES - 400 - _bytes("".join(parts) + footer)  # 400: the hidden lines
    parts += _fitting(loud, report, macros, room)
    text = _tidy("".join([*parts, footer]))
    return text if _bytes(text) <= LONGEST_BYTES - 400 else _tidy(f"{macros.header(report)}\n{TOO_LONG}")


def _fitting(cells: list[CellView], report: Report, macros: Any, room: int) -> list[str]:
    """Cells in full while they fit, then one line each, then how many are left out."""
    lines = [macros.line(cell) for cell in cells]
    reserve = sum(_bytes(line) for line in lines)
    parts: list[str] = []
    room -= 200  # for the last line
    in_full = True
    for cell, line in zip(cells, lines, strict=True):
        reserve -= _bytes(line)
        text = macros.cell(report, cell) if in_full else line
        if in_full and _bytes(text) + reserve > room:
            in_full, text = False, f"\n{line}"
        if _bytes(text) > room:
            parts.append(f"\n\nand {len(cells) - len(parts)} more cells: see `artifacts/gate/verdict.json`.\n")
            break
        parts.append(text)
        room -= _bytes(text)
    return parts


def _still(cells: list[CellView], report: Report, macros: Any) -> str:
    """The cells in which nothing changed, folded."""
    if not cells:
        return ""
    return str(macros.folded_table(report, len(cells), Markdown(_table(cells, macros, ROOMS["still"]))))


def _table(cells: list[CellView], macros: Any, room: int) -> str:
    """One row for each cell, cut where it gets too long."""
    measured = [cell.row("latency_us").source == "measured" for cell in cells]
    columns = [name for name, there in (("predicted", not all(measured)), ("measured", any(measured))) if there]
    text = str(macros.overview_head(columns))
    for at, cell in enumerate(cells):
        row = str(macros.overview_row(cell, _overview_values(cell, columns)))
        if _bytes(text + row) > room:
            return f"{text}\n\nand {len(cells) - at} more cells: see `artifacts/gate/verdict.json`.\n"
        text += row
    return f"{text}\n"


def _tidy(text: str) -> str:
    """No spaces at the ends of lines, no two empty lines in a row: the source of a comment is read too, in mails."""
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).rstrip("\n") + "\n"


def _bytes(text: str) -> int:
    return len(text.encode())


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701 (Markdown, not HTML: `finalize` escapes every expression)
        loader=PackageLoader("hilgate.report"), finalize=markdown_text, undefined=StrictUndefined
    )
    functions: dict[str, Callable[..., Any] | int] = {
        "name": markdown_name,
        "html_name": html_name,
        "pairs": _pairs,
        "block": markdown_block,
        "link": markdown_link,
        "sign": lambda outcome: Markdown(words.SIGNS[outcome]),
        "gap_state": words.gap_state,
        "solid": words.solid,
        "units": words.units,
        "movers": movers,
        "count": words.count,
        "plural": words.plural,
        "MOST_SYMBOLS": MOST_SYMBOLS,
        "LONGEST_ERROR": LONGEST_ERROR,
        "cut": cut,
    }
    environment.globals.update(functions)
    return environment


def cut(items: Sequence[Any], room: str, *fields: str, most: int = MOST_LINES) -> Sequence[Any]:
    """The first items that fit the room, as they are when escaped. fields: of an item, its texts; none: it is text."""
    left, kept = ROOMS[room], 0
    for item in items[:most]:
        texts = [getattr(item, field) for field in fields] if fields else [item]
        left -= 40 + sum(max(_bytes(markdown_text(text)), _bytes(html_name(text))) for text in texts)
        if left < 0:
            break
        kept += 1
    return items[:kept]


def movers(cell: CellView) -> list[Moved]:
    """The layers that moved most; where none did or nothing can be compared, the most expensive ones."""
    changed = [layer for layer in cell.layers if layer.differs and cell.comparable]
    if changed:
        return sorted(changed, key=lambda layer: -abs((layer.head or 0) - (layer.base or 0)))[:MOST_LAYERS]
    return sorted(cell.layers, key=lambda layer: -(layer.head or layer.base or 0))[:MOST_LAYERS]


def _pairs(rows: Sequence[Pair]) -> Markdown:
    """`name`: `base` → `head`, as many as fit, in one line."""
    kept = cut(rows, "notes", "name", "base", "head", most=MOST_PAIRS)
    shown = [f"{markdown_name(row.name)}: {markdown_name(row.base)} → {markdown_name(row.head)}" for row in kept]
    more = f" and {len(rows) - len(kept)} more" if len(rows) > len(kept) else ""
    return Markdown(", ".join(shown) + more)


def _overview_values(cell: CellView, columns: Sequence[str]) -> list[str]:
    """Accuracy, flash, RAM, and latency in the column of its source (what is missing counts as predicted)."""
    latency = cell.row("latency_us")
    column = "measured" if latency.source == "measured" else "predicted"
    values = [_value_and_change(cell.row(metric)) for metric in ("accuracy", "flash_bytes", "ram_bytes")]
    return values + [_value_and_change(latency) if name == column else "" for name in columns]


def _value_and_change(row: Row) -> str:
    value = words.solid(row.value)
    return f"{value}, {words.solid(row.change)}" if row.change_number else value
