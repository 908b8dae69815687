"""The verdict on a terminal of 80 columns or more, by words and bars; colours only repeat what the words say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilgate.report import story, words
from hilgate.report.escape import visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red", "inconclusive": "magenta", "waiting": "cyan"}
WIDE = 110  # columns from which both sides and changes in percent fit
BAR_CELLS = 8


def show(verdict: dict[str, Any], console: Console | None = None) -> None:
    """Print a verdict document. console: for tests; else stdout."""
    from rich.console import Console

    console = console or Console(highlight=False)
    for part in _parts(verdict, console.width):
        console.print(part)


def _parts(verdict: dict[str, Any], width: int) -> list[RenderableType]:
    parts: list[RenderableType] = [_headline(verdict)]
    for cell in verdict["cells"]:
        parts += [_cell_title(cell), _table(cell, verdict["base"]["label"], width), *_reasons(cell)]
        parts += [_indented(_text(cause, "dim")) for cause in story.causes(cell, verdict["base"]["label"])]
    if verdict["requests"]:
        parts.append(_requests(verdict))
    for change in verdict["params"][:20]:
        parts.append(_text(f"params.yaml: {change['name']}: {change['base']} -> {change['head']}"))
    parts += [_text(f"note: {note}") for note in verdict["notes"]]
    parts.append(_text(f"base: {_side(verdict['base'])} · policy: {verdict['policy']}", "dim"))
    return parts


def _headline(verdict: dict[str, Any]) -> RenderableType:
    from rich import box
    from rich.panel import Panel
    from rich.text import Text

    word, _, rest = story.headline(verdict).partition(":")
    text = Text.assemble((word.upper(), STYLES[verdict["outcome"]]), visible(rest).replace("`", ""))
    return Panel(text, box=box.ROUNDED, border_style=STYLES[verdict["outcome"]], padding=(0, 1))


def _cell_title(cell: dict[str, Any]) -> Text:
    from rich.text import Text

    how = words.how(next(axis for axis in cell["axes"] if axis["metric"] == "latency_us")).replace("`", "")
    place = f"{cell['task']} on {cell['board']}" if cell["cell"] != f"{cell['task']}_{cell['board']}" else ""
    where = "  " + visible(", ".join(part for part in (place, f"latency {how}" if how else "") if part), 80)
    return Text.assemble(
        "\n", (visible(cell["cell"], 60), "bold"), "  ", (cell["outcome"], STYLES[cell["outcome"]]), (where, "dim")
    )


def _table(cell: dict[str, Any], base: str, width: int) -> RenderableType:
    from rich import box
    from rich.table import Table

    wide = width >= WIDE
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("")
    for name in ([visible(base, 14)] if wide else []) + ["this PR", "change", "budget"]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("headroom", no_wrap=True)
    table.add_column("", no_wrap=True)
    for axis in cell["axes"]:
        line = words.row(axis)
        moved = line.change if wide else line.change.partition(" (")[0].replace("not compared", "?")
        label = f"{line.name} ({axis['source']})" if axis["source"] in ("predicted", "measured") and wide else line.name
        sides = [line.base, line.value] if wide else [line.value]
        table.add_row(label, *sides, moved, line.budget + ("" if line.enforced else " *"), _room(axis), _outcome(axis))
    return table


def _room(axis: dict[str, Any]) -> Text:
    from rich.text import Text

    style = STYLES[axis["outcome"]] if axis["outcome"] in ("fail", "warn") else ""
    return Text.assemble((bar(axis["used"]), style or "dim"), f" {words.short_headroom(axis)}")


def _outcome(axis: dict[str, Any]) -> Text:
    from rich.text import Text

    return Text(words.outcome_word(axis), STYLES[axis["outcome"]])


def bar(used: float | None) -> str:
    """The used share of a budget, 0 to 1, in BAR_CELLS characters; a broken budget is full and ends in `!`."""
    if used is None:
        return "·" * BAR_CELLS
    if used > 1:
        return "█" * (BAR_CELLS - 1) + "!"
    full = round(min(max(used, 0.0), 1.0) * BAR_CELLS)
    return "█" * full + "░" * (BAR_CELLS - full)


def _reasons(cell: dict[str, Any]) -> list[RenderableType]:
    from rich.text import Text

    lines: list[RenderableType] = []
    for check, sentence in story.reasons(cell):
        word = "*" if check["outcome"] == "pass" else check["outcome"]
        text = Text.assemble((word, STYLES[check["outcome"]]), " ", visible(sentence).replace("`", ""))
        lines.append(_indented(text))
    return lines


def _indented(text: Text) -> RenderableType:
    from rich.padding import Padding

    return Padding(text, (0, 0, 0, 1))


def _requests(verdict: dict[str, Any]) -> Text:
    from rich.text import Text

    approval = f"approved by {visible(verdict['approved_by'], 60)}" if verdict["approved_by"] else "not approved"
    lines = [f"{visible(verdict['head']['label'], 30)} asks to change what judges it ({approval}):"]
    for request in verdict["requests"][:20]:
        asked = f"{request['cell']} {request['what']}: {request['base']} -> {request['head']} ({request['effect']})"
        lines.append(f"  {visible(asked)}")
    if len(verdict["requests"]) > 20:
        lines.append(f"  and {len(verdict['requests']) - 20} more")
    return Text("\n" + "\n".join(lines), STYLES["waiting"])


def _side(side: dict[str, Any]) -> str:
    return str(side["label"] if side["kind"] == "none" else side["origin"])


def _text(line: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(visible(line).replace("`", ""), style)
