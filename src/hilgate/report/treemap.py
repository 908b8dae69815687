"""What fills an image, as rectangles: squarified treemaps (Bruls, Huizing, van Wijk 2000), each memory in its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hilgate.report.view import CellView, Piece

HEIGHT = 0.42  # of the width; widths and heights of boxes are compared in these units
SMALLEST_LABEL = (0.09, 0.045)  # width and height below which a box has no room for its name
MEMORIES = {"flash": "flash", "ram": "RAM"}


@dataclass(frozen=True)
class Box:
    """A piece with its place in percent of the map. labelled: there is room for its name."""

    piece: Piece
    left: str
    top: str
    width: str
    height: str
    labelled: bool


@dataclass(frozen=True)
class TreeMap:
    """One memory of an image. name: flash or RAM; pieces: largest first, for the table beside it."""

    name: str
    total: int
    boxes: tuple[Box, ...]


def treemaps(cell: CellView) -> list[TreeMap]:
    """Flash and RAM of a cell's image; a board's RAMs are one map."""
    found = []
    for memory, name in MEMORIES.items():
        pieces = [piece for piece in cell.image if (piece.memory == "flash") == (memory == "flash")]
        total = sum(piece.bytes for piece in pieces)
        if total:
            found.append(TreeMap(name, total, tuple(_boxes(pieces, total))))
    return found


def _boxes(pieces: Sequence[Piece], total: int) -> list[Box]:
    ordered = sorted(pieces, key=lambda piece: -piece.bytes)
    places = squarify([piece.bytes / total * HEIGHT for piece in ordered], 0.0, 0.0, 1.0, HEIGHT)
    return [
        Box(
            piece=piece,
            left=_percent(left),
            top=_percent(top / HEIGHT),
            width=_percent(width),
            height=_percent(height / HEIGHT),
            labelled=width >= SMALLEST_LABEL[0] and height >= SMALLEST_LABEL[1],
        )
        for piece, (left, top, width, height) in zip(ordered, places, strict=True)
    ]


def squarify(
    areas: Sequence[float], left: float, top: float, width: float, height: float
) -> list[tuple[float, float, float, float]]:
    """(left, top, width, height) for each area, given largest first, that fill the rectangle: rows near squares."""
    found: list[tuple[float, float, float, float]] = []
    at = 0
    while at < len(areas):
        side = min(width, height)
        end = at + 1
        while end < len(areas) and _worst(areas[at : end + 1], side) <= _worst(areas[at:end], side):
            end += 1
        row = areas[at:end]
        thick = sum(row) / side if side > 0 else 0.0
        along = 0.0
        for area in row:
            length = area / thick if thick > 0 else 0.0
            upright = width >= height  # the row stands at the left edge
            found.append((left, top + along, thick, length) if upright else (left + along, top, length, thick))
            along += length
        if width >= height:
            left, width = left + thick, width - thick
        else:
            top, height = top + thick, height - thick
        at = end
    return found


def _worst(row: Sequence[float], side: float) -> float:
    """The largest ratio of sides in a row laid along `side`."""
    total = sum(row)
    if total <= 0 or side <= 0:
        return float("inf")
    return max(side * side * max(row) / (total * total), total * total / (side * side * max(min(row), 1e-12)))


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}"
