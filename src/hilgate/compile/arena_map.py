"""The arena as text: layers from left to right, addresses from bottom to top, one letter per buffer."""

from __future__ import annotations

import textwrap

from hilgate.compile.place import Buffer
from hilgate.compile.plan import Plan

TEXT_ROWS = 24
LONGEST_NAME = 40
KEY_WIDTH = 80
BLOCK_COLUMNS = 68  # of a block, so that it fits 80 columns
LEGEND = "  bytes upwards, layers to the right; `*`: written behind the reading"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def text_map(plan: Plan, layers: int) -> str:
    """Rows are addresses, columns layers (first: before the first layer, last: after the last); letters are buffers.

    Long networks take several blocks, one below the other.
    """
    if plan.arena_bytes == 0:
        return "the arena is empty"
    columns = range(-1, layers + 1)
    blocks = [_block(plan, columns[i : i + BLOCK_COLUMNS]) for i in range(0, len(columns), BLOCK_COLUMNS)]
    keys = [_key(index, buffer) for index, buffer in enumerate(plan.buffers)]
    return "\n".join([*"\n\n".join(blocks).splitlines(), LEGEND, *keys, *_views(plan)])


def _views(plan: Plan) -> list[str]:
    """The tensors without bytes of their own: which buffers they show."""
    lines = []
    for view in plan.views:
        shown = [
            _letter(index)
            for index, b in enumerate(plan.buffers)
            if b.offset < view.end and view.offset < b.end and b.first <= view.first and view.last <= b.last
        ]
        place = f"{view.bytes:>7} bytes at {view.offset:>7}"
        lines.append(f"    {place}: {short(view.tensor)}, a view of {', '.join(shown)}")
    return lines


def _key(index: int, buffer: Buffer) -> str:
    """Who lies there; many names fold."""
    head = f"  {_letter(index)} {buffer.bytes:>7} bytes at {buffer.offset:>7}: "
    names = ", ".join(map(short, buffer.tensors))
    return textwrap.fill(names, KEY_WIDTH, initial_indent=head, subsequent_indent=" " * len(head))


def _block(plan: Plan, columns: range) -> str:
    step = -(-plan.arena_bytes // TEXT_ROWS)
    lines = [
        f"   layer  {''.join(str(layer // 10 % 10) if layer >= 0 and layer % 10 == 0 else ' ' for layer in columns)}"
    ]
    for row in reversed(range(-(-plan.arena_bytes // step))):
        cells = "".join(_cell(plan, layer, row * step, (row + 1) * step) for layer in columns)
        lines.append(f"{row * step:>8} |{cells}|")
    return "\n".join(lines)


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
