"""The arena as a picture: layers from left to right, addresses from bottom to top, one box per buffer."""

from __future__ import annotations

from html import escape

from hilgate.compile.plan import Buffer, Plan

TEXT_ROWS = 24
LONGEST_NAME = 40
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
COLUMN, HEIGHT, LEFT, TOP = 34, 480, 70, 30  # pixels
COLOURS = ("#8ecae6", "#ffb703", "#90be6d", "#f4a3a8", "#cdb4db", "#ffd6a5", "#a0c4ff", "#b7e4c7")


def text_map(plan: Plan, layers: int) -> str:
    """Rows are addresses, columns layers (first: before the first layer, last: after the last); letters are buffers."""
    if plan.arena_bytes == 0:
        return "the arena is empty"
    step = -(-plan.arena_bytes // TEXT_ROWS)
    lines = []
    for row in reversed(range(-(-plan.arena_bytes // step))):
        cells = "".join(_cell(plan, layer, row * step, (row + 1) * step) for layer in range(-1, layers + 1))
        lines.append(f"{row * step:>8} |{cells}|")
    keys = [
        f"  {_letter(i)} {b.bytes:>7} bytes at {b.offset:>7}: {', '.join(map(short, b.tensors))}"
        for i, b in enumerate(plan.buffers)
    ]
    return "\n".join([*lines, *keys])


def _cell(plan: Plan, layer: int, low: int, high: int) -> str:
    """The buffer that lies there while the layer runs; `*` where two overlap, because one is read ahead of writing."""
    here = [
        index for index, b in enumerate(plan.buffers) if b.first <= layer <= b.last and b.offset < high and low < b.end
    ]
    inside = [i for i in here if plan.buffers[i].offset <= low] or here
    return "." if not here else _letter(inside[0]) if len(inside) == 1 else "*"


def short(name: str) -> str:
    """A tensor's name without what converters join to it."""
    first = name.split(";", maxsplit=1)[0]
    return first if len(first) <= LONGEST_NAME else f"...{first[-LONGEST_NAME:]}"


def _letter(index: int) -> str:
    return LETTERS[index % len(LETTERS)]


def svg(plan: Plan, layers: list[str], title: str) -> str:
    """The same as an SVG document; hovering a box shows its tensors."""
    width = LEFT + COLUMN * (len(layers) + 2) + 20
    scale = HEIGHT / max(1, plan.arena_bytes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + TOP + 40}"'
        ' font-family="sans-serif">',
        f'<text x="10" y="18" font-size="13">{escape(title)}: {plan.arena_bytes} bytes of arena</text>',
    ]
    parts += [_box(index, buffer, scale) for index, buffer in enumerate(plan.buffers)]
    parts += [
        f'<text x="{LEFT + COLUMN * (i + 1.5):.0f}" y="{HEIGHT + TOP + 16}" font-size="10" text-anchor="middle">'
        f"{i}<title>{escape(name)}</title></text>"
        for i, name in enumerate(layers)
    ]
    for quarter in range(5):
        address = plan.arena_bytes * quarter // 4
        y = TOP + HEIGHT - address * scale
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" font-size="10" text-anchor="end">{address}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _box(index: int, buffer: Buffer, scale: float) -> str:
    x, width = LEFT + COLUMN * (buffer.first + 1), COLUMN * (buffer.last - buffer.first + 1)
    y, height = TOP + HEIGHT - buffer.end * scale, max(1.0, buffer.bytes * scale)
    names = escape(", ".join(buffer.tensors))
    return (
        f'<rect x="{x}" y="{y:.1f}" width="{width}" height="{height:.1f}" fill="{COLOURS[index % len(COLOURS)]}"'
        f' fill-opacity="0.8" stroke="#333"><title>{names}: {buffer.bytes} bytes at {buffer.offset}</title></rect>'
    )
