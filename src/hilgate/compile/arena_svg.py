"""The arena as an SVG picture: layers from left to right, addresses from bottom to top, one box per buffer.

Colours are Okabe and Ito's, so that colour-blind readers can tell them apart; the text follows the reader's light or
dark mode. Hovering a box shows its tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hilgate.compile.place import Buffer
from hilgate.compile.plan import Plan, View

PLOT_HEIGHT, LEFT, TOP = 440, 76, 64  # pixels
NAMES_HEIGHT, RIGHT = 150, 24
WIDEST, NARROWEST, WANTED = 72, 20, 900  # of a layer's column; of the whole plot
NARROWEST_PICTURE, VIEW_LEGEND = 720, 120  # the legend needs it
LETTER, LINE = 6.2, 14  # pixels of a letter and of a line of text
LONGEST_NAME = 22
INPUT, OUTPUT, TENSOR, OTHER_TENSOR, SCRATCH = "input", "output", "tensor", "tensor2", "scratch"
KINDS = {  # fill, and what the legend says
    INPUT: ("#009E73", "input"),
    OUTPUT: ("#D55E00", "output"),
    TENSOR: ("#56B4E9", "activations"),
    OTHER_TENSOR: ("#0072B2", ""),
    SCRATCH: ("#F0E442", "scratch of a layer"),
}
LIGHT_TEXT = (OTHER_TENSOR, OUTPUT, INPUT)
STYLE = """<style>
text{font:11px ui-monospace,monospace;fill:#222}.title{font-size:14px;font-weight:bold}.grid{stroke:#8888;fill:none}
.buffer{stroke:#222;fill-opacity:.88}.in{fill:#000}.in.on-dark{fill:#fff}
.view{stroke:#000;fill:none;stroke-width:2;stroke-dasharray:5 3}
@media(prefers-color-scheme:dark){text{fill:#ddd}.buffer{stroke:#ddd}.in{fill:#000}.in.on-dark{fill:#fff}}
</style>"""


def svg(plan: Plan, layers: Sequence[str], title: str) -> str:
    """The document. layers: names in order."""
    column = max(NARROWEST, min(WIDEST, WANTED // (len(layers) + 2)))
    width = max(NARROWEST_PICTURE + VIEW_LEGEND * bool(plan.views), LEFT + column * (len(layers) + 2) + RIGHT)
    height = TOP + PLOT_HEIGHT + NAMES_HEIGHT
    scale = PLOT_HEIGHT / max(1, plan.arena_bytes)
    kinds = _kinds(plan, len(layers))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
    parts = [head, STYLE, _text(10, 20, f"{title}: {plan.arena_bytes:,} bytes of arena", "title"), *_legend(plan)]
    parts += _axis(plan, width, scale)
    parts += [_box(b, kind, column, scale) for b, kind in zip(plan.buffers, kinds, strict=True)]
    parts += [_view(view, column, scale) for view in plan.views]
    names = ["input", *layers, "output"]
    for buffer, kind in zip(plan.buffers, kinds, strict=True):
        parts.append(_label(buffer, names[buffer.first + 1], kind, column, scale))
    parts += _names(names, column)
    return "\n".join([*filter(None, parts), "</svg>", ""])


def _kinds(plan: Plan, layers: int) -> list[str]:
    """Two blues take turns, so that neighbours differ."""
    kinds, turn = [], 0
    for buffer in plan.buffers:
        if buffer.tensors[0].startswith("scratch of "):
            kinds.append(SCRATCH)
        elif buffer.first < 0:
            kinds.append(INPUT)
        elif buffer.last >= layers:
            kinds.append(OUTPUT)
        else:
            kinds.append((TENSOR, OTHER_TENSOR)[turn % 2])
            turn += 1
    return kinds


def _text(x: float, y: float, text: str, style: str = "", more: str = "") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}{more}>{escape(text)}</text>'


def _legend(plan: Plan) -> list[str]:
    parts, x = [], 10.0
    for fill, meaning in KINDS.values():
        if meaning:
            parts.append(f'<rect x="{x:.0f}" y="32" width="12" height="12" fill="{fill}"/>')
            parts.append(_text(x + 17, 42, meaning))
            x += 17 + LETTER * 1.1 * len(meaning) + 22
    for word in (*(["dashed: a view"] if plan.views else []), "overlap: written behind the reading"):
        parts.append(_text(x, 42, word))
        x += LETTER * 1.1 * len(word) + 22
    return parts


def _axis(plan: Plan, width: int, scale: float) -> list[str]:
    parts = []
    for quarter in range(5):
        address = plan.arena_bytes * quarter // 4
        y = TOP + PLOT_HEIGHT - address * scale
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{width - RIGHT}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{address:,}", more=' text-anchor="end"'))
    return parts


def _place(buffer: Buffer | View, column: int, scale: float) -> tuple[float, float, float, float]:
    """x, y, width, height."""
    x, width = LEFT + column * (buffer.first + 1), column * (buffer.last - buffer.first + 1)
    return x, TOP + PLOT_HEIGHT - buffer.end * scale, width, max(1.0, buffer.bytes * scale)


def _box(buffer: Buffer, kind: str, column: int, scale: float) -> str:
    x, y, width, height = _place(buffer, column, scale)
    names = escape(", ".join(buffer.tensors))
    return (
        f'<rect class="buffer" x="{x:.1f}" y="{y:.3f}" width="{width:.1f}" height="{height:.3f}"'
        f' fill="{KINDS[kind][0]}">'
        f"<title>{names}: {buffer.bytes:,} bytes at {buffer.offset:,}</title></rect>"
    )


def _view(view: View, column: int, scale: float) -> str:
    """A dashed frame over the boxes whose bytes it shows."""
    x, y, width, height = _place(view, column, scale)
    return (
        f'<rect class="view" x="{x + 2:.1f}" y="{y:.3f}" width="{width - 4:.1f}" height="{height:.3f}">'
        f"<title>{escape(view.tensor)}: a view of {view.bytes:,} bytes at {view.offset:,}</title></rect>"
    )


def _label(buffer: Buffer, layer: str, kind: str, column: int, scale: float) -> str:
    """The size and, where there is room, the layer that writes it; clear of the column that a later box may overlap."""
    x, y, width, height = _place(buffer, column, scale)
    free = width - column if buffer.lags and buffer.last > buffer.first else width
    room = int((free - 6) / LETTER)
    size = f"{buffer.bytes:,}"
    if height < LINE or room < len(size):
        return ""
    style = "in on-dark" if kind in LIGHT_TEXT else "in"
    name = layer if len(layer) <= room else f"{layer[: room - 1]}…"
    lines = [size] if height < 2 * LINE or kind == SCRATCH else [name, size]
    return "\n".join(_text(x + 4, y + LINE * (i + 1) - 3, line, style) for i, line in enumerate(lines))


def _names(names: Sequence[str], column: int) -> list[str]:
    """Below the plot, slanted."""
    parts, y = [], TOP + PLOT_HEIGHT + 14
    for index, name in enumerate(names):
        x = LEFT + column * (index + 0.5)
        cut = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
        turn = f' text-anchor="end" transform="rotate(-55 {x:.1f} {y})"'
        parts.append(_text(x, y, cut, more=turn))
    return parts
