"""The verdict as Markdown for GitHub: the most important first, and never longer than a comment may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilgate.report import story, words
from hilgate.report.escape import Markdown, markdown_name, markdown_text
from hilgate.report.marker import head_lines
from hilgate.units import amount, change, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from hilgate.virtual.evidence import Gap

LONGEST_BYTES = 65_000  # GitHub refuses a comment of more than 65,536 characters; bytes are never fewer than characters
CELLS_IN_FULL = 4  # with more cells an overview comes first, and cells that pass are one row in it
MOST_LAYERS = 10
MOST_GAPS = 60
MEMORIES = {"flash": "flash", "ram": "RAM"}


def render(verdict: dict[str, Any], title: str, gaps: Sequence[Gap] = (), context: dict[str, Any] | None = None) -> str:
    """A verdict document as Markdown, at most LONGEST_BYTES long in UTF-8. Its first line is marker.MARKER.

    gaps: what no prediction can see. context: context.json, where there is a pull request.
    """
    macros: Any = _environment().get_template("report.md.j2").module
    parts = [f"{head_lines(verdict, context)}\n", macros.header(verdict, title)]
    if verdict["requests"]:
        parts.append(macros.requests(verdict))
    cells = sorted(verdict["cells"], key=lambda cell: (story.WORST_FIRST.index(cell["outcome"]), cell["cell"]))
    if len(cells) > CELLS_IN_FULL:
        parts.append(macros.overview(verdict))
        cells = [cell for cell in cells if cell["outcome"] != "pass"]
    footer = macros.footer(gaps[:MOST_GAPS])
    room = LONGEST_BYTES - _bytes("".join(parts) + footer)
    parts += _fitting(cells, verdict, macros, room)
    return "".join([*parts, footer])


def _fitting(cells: list[dict[str, Any]], verdict: dict[str, Any], macros: Any, room: int) -> list[str]:
    """Cells in full while they fit, then one line each, then how many are left out."""
    lines = [macros.line(verdict, cell) for cell in cells]
    reserve = sum(_bytes(line) for line in lines)
    parts: list[str] = []
    room -= 200  # for the last line
    in_full = True
    for cell, line in zip(cells, lines, strict=True):
        reserve -= _bytes(line)
        text = macros.cell(verdict, cell) if in_full else line
        if in_full and _bytes(text) + reserve > room:
            in_full, text = False, f"\n{line}"
        if _bytes(text) > room:
            parts.append(f"\n\nand {len(cells) - len(parts)} more cells: see `artifacts/gate/verdict.json`.")
            break
        parts.append(text)
        room -= _bytes(text)
    return parts


def _bytes(text: str) -> int:
    return len(text.encode())


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701 (Markdown, not HTML: `finalize` escapes every expression)
        loader=PackageLoader("hilgate.report"), finalize=markdown_text, undefined=StrictUndefined
    )
    functions: dict[str, Any] = {
        "name": lambda value: markdown_name("none" if value is None else value),
        "sign": lambda outcome: Markdown(words.SIGNS[outcome]),
        "headline": story.headline,
        "side": lambda side: "nothing" if side["kind"] == "none" else side["origin"],
        "rows": words.rows,
        "reasons": story.reasons,
        "gap_state": words.gap_state,
        "causes": story.causes,
        "stack_path": story.stack_path,
        "solid": solid,
        "overview_values": _overview_values,
        "movers": movers,
        "moved": moved,
        "cycles_source": lambda cell: (cell["facts"]["head"] or cell["facts"]["base"])["source"],
        "count": count,
        "difference": difference,
        "both": both,
        "comparable": comparable,
        "part_name": lambda part: f"{MEMORIES[part['memory']]} {part['part'].removesuffix('_bytes').replace('_', ' ')}",
        "evidence": words.evidence_sentence,
        "paired": story.paired_sentence,
        "provenance": words.provenance,
    }
    environment.globals.update(functions)
    return environment


def movers(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers that moved most; where none did or nothing can be compared, the most expensive ones."""
    layers = cell["changes"]["layers"]
    changed = [layer for layer in layers if layer["base"] != layer["head"] and comparable(cell)]
    ranked = sorted(changed or layers, key=lambda layer: -abs(_delta(layer) if changed else _cost(layer)))
    return ranked[:MOST_LAYERS]


def moved(cell: dict[str, Any]) -> str:
    """What the list of layers shows: `2 of 4 changed`, or why there is nothing to compare."""
    layers = cell["changes"]["layers"]
    if not comparable(cell):
        return "nothing to compare with"
    changed = sum(layer["base"] != layer["head"] for layer in layers)
    return f"{changed} of {len(layers)} changed" if changed else "none changed"


def solid(text: str) -> str:
    """Number and unit on one line: no-break spaces, except in front of a bracket."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("\N{NO-BREAK SPACE}(", " (")


def count(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


def difference(row: dict[str, Any], comparable: bool) -> str:
    """Change of a layer, a symbol or a part of memory, in percent of base where there is one."""
    old, new = row["base"], row["head"]
    if old is None or new is None:
        return "not compared" if not comparable else "new" if old is None else "gone"
    if old == new:
        return "±0"
    text = f"{new - old:+,}".replace("-", "−")
    return f"{text} ({percent(new - old, old)})" if old else text


def both(cell: dict[str, Any]) -> bool:
    """Whether the cell was measured on both sides."""
    return None not in (cell["facts"]["base"], cell["facts"]["head"])


def comparable(cell: dict[str, Any]) -> bool:
    """Whether the cycles of its layers can be compared."""
    return any(layer["base"] is not None for layer in cell["changes"]["layers"]) and cell["facts"]["head"] is not None


def _delta(layer: dict[str, Any]) -> int:
    return int(layer["head"] or 0) - int(layer["base"] or 0)


def _cost(layer: dict[str, Any]) -> int:
    return int(layer["head"] or layer["base"] or 0)


def _overview_values(cell: dict[str, Any]) -> list[str]:
    """Accuracy, flash, RAM, predicted latency, measured latency; each with its change."""
    values = {axis["metric"]: _value_and_change(axis) for axis in cell["axes"]}
    source = next(axis["source"] for axis in cell["axes"] if axis["metric"] == "latency_us")
    latency = values["latency_us"]
    return [
        values["accuracy"],
        values["flash_bytes"],
        values["ram_bytes"],
        latency if source != "measured" else "",
        latency if source == "measured" else "",
    ]


def _value_and_change(axis: dict[str, Any]) -> str:
    value = amount(axis["unit"], axis["value"])
    if axis["change"] is None:
        return value
    return f"{value}, {change(axis['unit'], axis['change'], axis['base'])}"
