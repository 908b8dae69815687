"""A model too large for every board of the project: said when it is compiled, not after a build for each board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hilgate.catalogue import Board, board_names, load_board
from hilgate.errors import DoesNotFitError


def boards_of(root: Path) -> list[Board]:
    """Every board that the project lists."""
    return [load_board(name, root) for name in board_names(root)]


def check_fits_a_board(name: str, arena_bytes: int, weights_bytes: int, boards: Sequence[Board]) -> None:
    """Raises DoesNotFitError that says, board by board, how much is missing for the arena and the weights alone.

    A board passes when its largest RAM holds the arena and its flash the weights; whether code, stack and data fit
    beside them is for `hilgate build` to say.
    """
    missing = [_missing(arena_bytes, weights_bytes, board) for board in boards]
    if not boards or not all(missing):
        return
    raise DoesNotFitError(
        f"its arena of {arena_bytes:,} bytes and weights of {weights_bytes:,} bytes fit no board of this project: "
        + "; ".join(f"{board.name} lacks {lacks}" for board, lacks in zip(boards, missing, strict=True)),
        where=name,
        hint="a smaller network, or `hilgate new board` for a larger one",
    )


def check_fits_a_limit(name: str, arena_bytes: int, most_bytes: int) -> None:
    """Raises DoesNotFitError that says the smallest arena that was found. most_bytes: 0: anything fits."""
    if 0 < most_bytes < arena_bytes:
        raise DoesNotFitError(
            f"its arena takes {arena_bytes:,} bytes at least, {arena_bytes - most_bytes:,} more than max_arena_bytes",
            where=name,
            hint="allow more, drop `without` if it names split_rows, or make the images of its first layers smaller",
        )


def _missing(arena_bytes: int, weights_bytes: int, board: Board) -> str:
    ram = max(memory.bytes for memory in board.memories if memory.kind == "ram")
    flash = board.memory("flash").bytes
    lacks = [(arena_bytes - ram, "RAM"), (weights_bytes - flash, "flash")]
    return " and ".join(f"{count:,} bytes of {kind}" for count, kind in lacks if count > 0)
