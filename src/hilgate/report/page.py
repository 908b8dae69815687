"""The report as one HTML page: no script, no network, plots as plain boxes for screen, phone, keyboard and printer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hilgate.report import words
from hilgate.report.assemble import assemble
from hilgate.report.escape import PLAIN_URL, visible
from hilgate.report.treemap import treemaps
from hilgate.report.trend import History, trend
from hilgate.units import amount

if TYPE_CHECKING:
    from jinja2 import Environment

    from hilgate.report.view import CellView, Report
    from hilgate.report.words import Row
    from hilgate.virtual.evidence import Gap

MOST_CELLS = 200  # in full; the overview has them all
MOST_LAYERS = 200
PARTS = {
    "flash": ("flash weights", "flash kernels", "flash runtime"),
    "ram": ("RAM arena", "RAM static", "RAM stack worst"),
}


def render(
    verdict: dict[str, Any],
    title: str,
    gaps: Sequence[Gap] = (),
    context: dict[str, Any] | None = None,
    history: Sequence[History] = (),
) -> str:
    """A verdict document as a page. Every expression is escaped for HTML, invisible characters are spelled out.

    history: main's past of each metric, drawn where there is some.
    """
    report = assemble(verdict, title, gaps, context)
    return whole(report, history)


def whole(report: Report, history: Sequence[History] = ()) -> str:
    """The page of an assembled report."""
    past: dict[str, list[History]] = {}
    for one in history:
        past.setdefault(one.cell, []).append(one)
    template = _environment().get_template("page.html.j2")
    return template.render(report=report, past=past, most_cells=MOST_CELLS) + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hilgate.report"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    functions: dict[str, Any] = {
        "plain": lambda text: text.replace("`", ""),
        "gap_state": words.gap_state,
        "meter": meter,
        "layers": layer_bars,
        "stacks": stacks,
        "treemaps": treemaps,
        "trends": lambda past: [plot for one in past if (plot := trend(one))],
        "count": words.count,
        "plural": words.plural,
        "solid": words.solid,
        "units": words.units,
        "amount": amount,
        "is_link": lambda url: bool(PLAIN_URL.fullmatch(url)),
    }
    environment.globals.update(functions)
    return environment


def _shown(value: Any) -> Any:
    """Plain strings get their invisible characters spelled out; what is Markup already stays."""
    return visible(value) if type(value) is str else value


def meter(row: Row) -> str | None:
    """Width in percent of the used part of a budget, cut at 100; None: no budget to show."""
    return None if row.used is None else f"{100 * min(max(row.used, 0.0), 1.0):.1f}"


def layer_bars(cell: CellView) -> list[dict[str, Any]]:
    """The layers in the network's order; widths in percent of the most expensive one on either side."""
    layers = cell.layers[:MOST_LAYERS]
    most = max((value or 0 for layer in layers for value in (layer.base, layer.head)), default=0) or 1
    return [
        {
            "layer": layer,
            "base_width": f"{100 * (layer.base or 0) / most:.1f}",
            "head_width": f"{100 * (layer.head or 0) / most:.1f}",
        }
        for layer in layers
    ]


def stacks(cell: CellView, report: Report) -> list[dict[str, Any]]:
    """Flash and RAM of both sides as parts of a bar whose full width is the larger of budget and largest total."""
    found = []
    for memory, metric in (("flash", "flash_bytes"), ("ram", "ram_bytes")):
        parts = {part.name: part for part in cell.sizes if part.group == memory}
        total = next((part for part in parts.values() if part.name.endswith(" total")), None)
        if total is None:
            continue
        budget = cell.row(metric).limit
        full = max(budget or 0, total.base or 0, total.head or 0) * 1.05 or 1
        sides = [(report.base, "base", total.base), (report.head, "head", total.head)]
        bars = [
            {"label": label, "parts": [_width(parts.get(name), name, side, full) for name in PARTS[memory]]}
            for label, side, size in sides
            if size is not None
        ]
        tick = f"{100 * budget / full:.1f}" if budget else None
        name = {"ram": "RAM"}.get(memory, memory)
        found.append({"name": name, "bars": bars, "tick": tick, "capacity": cell.capacity.get(memory)})
    return found


def _width(part: Any, name: str, side: str, full: float) -> dict[str, Any]:
    size = (getattr(part, side) if part else 0) or 0
    return {"name": name.partition(" ")[2], "bytes": size, "width": f"{100 * size / full:.2f}"}
