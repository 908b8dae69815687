"""Boards: the facts of firmware/boards/<name>/board.toml as frozen dataclasses. Nothing else reads those files."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.errors import ParamsError

KINDS = ("flash", "ram")
ABILITIES = ("read", "write", "execute", "dma")


@dataclass(frozen=True)
class Memory:
    """One memory region. `can`: subset of read, write, execute, dma. Sizes in bytes."""

    name: str
    kind: str
    origin: int
    bytes: int
    can: tuple[str, ...]
    sectors: tuple[int, ...] = ()
    program_bytes: int = 0

    @property
    def end(self) -> int:
        return self.origin + self.bytes


@dataclass(frozen=True)
class Board:
    """A board as board.toml states it; `tables` keeps the tables that only one room reads (clock, console, ...)."""

    name: str
    title: str
    mcu: str
    family: str
    cpu: str
    board_id: int
    memories: tuple[Memory, ...]
    tables: dict[str, dict[str, Any]]
    folder: Path

    def memory(self, kind: str) -> Memory:
        """The first region of that kind: where the image's flash or its static RAM lives."""
        return next(m for m in self.memories if m.kind == kind)

    @property
    def clock_hz(self) -> int:
        return int(self.tables["clock"]["hz"])


def boards_folder(root: Path) -> Path:
    return root / "firmware" / "boards"


def board_names(root: Path) -> list[str]:
    """Names of all boards of this project, sorted: folders with a board.toml, but TEMPLATE is no board."""
    return sorted(p.parent.name for p in boards_folder(root).glob("*/board.toml") if p.parent.name != "TEMPLATE")


def load_board(name: str, root: Path) -> Board:
    """Read one board. Raises ParamsError when it does not exist, or a fact is missing or contradicts another."""
    folder = boards_folder(root) / name
    path = folder / "board.toml"
    if not path.is_file():
        raise ParamsError(
            f"there is no board `{name}`",
            where=str(path),
            hint=f"known boards: {', '.join(board_names(root))}; or make one with `hilgate new board {name}`",
        )
    try:
        board = _board(tomllib.loads(path.read_text("utf-8")), folder)
    except tomllib.TOMLDecodeError as error:
        raise ParamsError(f"not valid TOML: {error}", where=str(path)) from error
    except (KeyError, TypeError) as error:
        hint = "compare with firmware/boards/TEMPLATE"
        raise ParamsError(f"missing or wrong fact: {error}", where=str(path), hint=hint) from error
    _check(board, str(path))
    return board


def _check(board: Board, where: str) -> None:
    """Facts that contradict each other. Raises ParamsError."""
    if board.name != board.folder.name:
        raise ParamsError(f"its name is `{board.name}`, its folder `{board.folder.name}`", where=where)
    for fact in ("name", "mcu", "family", "cpu"):
        if not re.fullmatch(r"\w+", str(getattr(board, fact)), re.ASCII):
            raise ParamsError(f"{fact} may have letters, digits and _ only", where=where)
    for memory in board.memories:
        if memory.kind not in KINDS:
            raise ParamsError(
                f"memory `{memory.name}`: kind `{memory.kind}` is not one of {', '.join(KINDS)}", where=where
            )
        if unknown := set(memory.can) - set(ABILITIES):
            raise ParamsError(
                f"memory `{memory.name}` can {', '.join(sorted(unknown))}?",
                where=where,
                hint=f"known: {', '.join(ABILITIES)}",
            )
        if memory.bytes <= 0 or (memory.sectors and sum(memory.sectors) != memory.bytes):
            raise ParamsError(
                f"memory `{memory.name}`: its sectors are {sum(memory.sectors)} bytes, not {memory.bytes}", where=where
            )
    ordered = sorted(board.memories, key=lambda memory: memory.origin)
    for low, high in itertools.pairwise(ordered):
        if low.end > high.origin:
            raise ParamsError(f"memories `{low.name}` and `{high.name}` overlap", where=where)
    if missing := set(KINDS) - {memory.kind for memory in board.memories}:
        raise ParamsError(f"there is no memory of kind {', '.join(sorted(missing))}", where=where)


def _board(facts: dict[str, Any], folder: Path) -> Board:
    memories = tuple(
        Memory(**{**m, "can": tuple(m["can"]), "sectors": _sectors(m.get("sectors", ()))}) for m in facts["memory"]
    )
    tables = {key: value for key, value in facts.items() if isinstance(value, dict)}
    return Board(
        name=facts["name"],
        title=facts["title"],
        mcu=facts["mcu"],
        family=facts["family"],
        cpu=facts["cpu"],
        board_id=facts["board_id"],
        memories=memories,
        tables=tables,
        folder=folder,
    )


def _sectors(stated: Any) -> tuple[int, ...]:
    """Sizes in order: a list, or { count, bytes } where all are equal."""
    return (stated["bytes"],) * stated["count"] if isinstance(stated, dict) else tuple(stated)
