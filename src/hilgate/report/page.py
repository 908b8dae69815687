"""The verdict as one HTML page: no script, no network, plots as plain boxes for screen, phone, keyboard and printer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilgate.report import story, words
from hilgate.report.escape import visible
from hilgate.report.markdown import both, comparable, count, difference, moved, solid
from hilgate.units import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from hilgate.virtual.evidence import Gap

MOST_CELLS = 200  # in full; the overview has them all
MOST_LAYERS = 200
PARTS = {
    "flash": ("weights_bytes", "kernels_bytes", "runtime_bytes"),
    "ram": ("arena_bytes", "static_bytes", "stack_worst_bytes"),
}


def render(verdict: dict[str, Any], title: str, gaps: Sequence[Gap] = ()) -> str:
    """A verdict document as a page. Every expression is escaped for HTML, invisible characters are spelled out."""
    cells = sorted(verdict["cells"], key=lambda cell: (story.WORST_FIRST.index(cell["outcome"]), cell["cell"]))
    template = _environment().get_template("page.html.j2")
    return template.render(verdict=verdict, title=title, cells=cells, most_cells=MOST_CELLS, gaps=gaps) + "\n"


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
        "headline": lambda verdict: story.headline(verdict).partition(": ")[2].replace("`", ""),
        "plain": lambda text: text.replace("`", ""),
        "rows": lambda cell: list(zip(words.rows(cell), cell["axes"], strict=True)),
        "reasons": story.reasons,
        "gap_state": words.gap_state,
        "causes": story.causes,
        "stack_path": story.stack_path,
        "meter": meter,
        "layers": layer_bars,
        "moved": moved,
        "stacks": stacks,
        "count": count,
        "solid": solid,
        "difference": difference,
        "both": both,
        "comparable": comparable,
        "evidence": words.evidence_sentence,
        "paired": story.paired_sentence,
        "provenance": words.provenance,
        "limits": words.relative_limits,
        "amount": amount,
    }
    environment.globals.update(functions)
    return environment


def _shown(value: Any) -> Any:
    """Plain strings get their invisible characters spelled out; what is Markup already stays."""
    return visible(value) if type(value) is str else value


def meter(axis: dict[str, Any]) -> str | None:
    """Width in percent of the used part of a budget, cut at 100; None: no budget to show."""
    used = axis["used"]
    return None if used is None else f"{100 * min(max(used, 0.0), 1.0):.1f}"


def layer_bars(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers in the network's order; widths in percent of the most expensive one on either side."""
    layers = cell["changes"]["layers"][:MOST_LAYERS]
    most = max((value or 0 for layer in layers for value in (layer["base"], layer["head"])), default=0) or 1
    return [
        {**layer, **{f"{side}_width": f"{100 * (layer[side] or 0) / most:.1f}" for side in ("base", "head")}}
        for layer in layers
    ]


def stacks(cell: dict[str, Any], verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """Flash and RAM of both sides as parts of a bar whose full width is the larger of budget and largest total."""
    found = []
    for memory, metric in (("flash", "flash_bytes"), ("ram", "ram_bytes")):
        axis = next(axis for axis in cell["axes"] if axis["metric"] == metric)
        sides = [(verdict[side]["label"], cell["facts"][side]) for side in ("base", "head") if cell["facts"][side]]
        budget = axis["budget"]["max"]
        full = max([budget or 0, *(facts[memory]["total_bytes"] for _, facts in sides)]) * 1.05 or 1
        bars = [{"label": label, "parts": _parts(facts[memory], memory, full)} for label, facts in sides]
        capacity = next((facts[memory]["capacity_bytes"] for _, facts in reversed(sides)), None)
        tick = f"{100 * budget / full:.1f}" if budget else None
        found.append({"name": {"ram": "RAM"}.get(memory, memory), "bars": bars, "tick": tick, "capacity": capacity})
    return found


def _parts(sizes: dict[str, int], memory: str, full: float) -> list[dict[str, Any]]:
    return [
        {
            "name": part.removesuffix("_bytes").replace("_", " "),
            "bytes": sizes.get(part, 0),
            "width": f"{100 * sizes.get(part, 0) / full:.2f}",
        }
        for part in PARTS[memory]
    ]
