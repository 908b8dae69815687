"""The tables of board.toml that the build room reads, fact by fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilgate.catalogue import Board
from hilgate.errors import ParamsError


class Facts:
    """Reads board.toml's tables; a missing or wrong fact is a ParamsError that names it."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.where = str(board.folder / "board.toml")

    def get(self, table: str, key: str, default: Any = None) -> Any:
        value = self.board.tables.get(table, {}).get(key, default)
        if value is None:
            raise ParamsError(
                f"[{table}] has no `{key}`", where=self.where, hint="compare with firmware/boards/TEMPLATE"
            )
        return value

    def one_of(self, table: str, key: str, choices: Sequence[str]) -> str:
        value = self.get(table, key)
        if value not in choices:
            raise self.refuse(f"[{table}] {key} `{value}` is not known", f"one of {', '.join(choices)}")
        return str(value)

    def text(self, table: str, key: str) -> str:
        value = self.get(table, key)
        if not isinstance(value, str):
            raise self.refuse(f"[{table}] {key} is {value!r}, not a text")
        return value

    def number(self, table: str, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self.get(table, key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.refuse(f"[{table}] {key} is {value!r}, not a number from {low} to {high}")
        return value

    def refuse(self, what: str, hint: str = "") -> ParamsError:
        return ParamsError(what, where=self.where, hint=hint)
