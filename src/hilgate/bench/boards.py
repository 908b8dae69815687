"""The boards of a project by the number that their firmware gives."""

from __future__ import annotations

from pathlib import Path

from hilgate.catalogue import Board, board_names, load_board
from hilgate.errors import ParamsError


def boards_by_id(root: Path) -> dict[int, Board]:
    """Of each number the first board, in the order of names; a board whose facts are broken names nobody."""
    found: dict[int, Board] = {}
    for name in board_names(root):
        try:
            board = load_board(name, root)
        except ParamsError:
            continue
        found.setdefault(board.board_id, board)
    return found


def name_of_board(number: int, root: Path) -> str:
    """Such as `nucleo_f446re`; of a number that this project does not know, `board 77`."""
    board = boards_by_id(root).get(number)
    return board.name if board else f"board {number}"
