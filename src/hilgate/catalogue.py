"""Boards: the facts of firmware/boards/<name>/board.toml as frozen dataclasses. Nothing else reads those files."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.errors import ParamsError
from hilgate.params import build

SCHEMA = 1
KINDS = ("flash", "ram")
ABILITIES = ("read", "write", "execute", "dma")
TAKEN = ("image", "weights", "second_core")  # regions of the linker script that are no memories
MOST_SECTORS = 65536
ADDRESSES = 1 << 32
MOST_BOARD_ID = 0xFFFF  # `identify` has 16 bits for it
COMPARE = "compare with firmware/boards/TEMPLATE"


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
class Head:
    """What stands above the tables of board.toml."""

    schema: int
    name: str
    title: str
    mcu: str
    family: str
    cpu: str
    board_id: int


@dataclass(frozen=True)
class EqualSectors:
    """sectors = { count, bytes }: where all are equal."""

    count: int
    bytes: int


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
        facts = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ParamsError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParamsError(f"not valid TOML: {error}", where=str(path)) from error
    board = _board(facts, folder, str(path))
    _check(board, str(path))
    _check_memories(board, str(path))
    return board


def _check(board: Board, where: str) -> None:
    """The head, and facts that everybody uses. Raises ParamsError."""
    if board.name != board.folder.name:
        raise ParamsError(f"its name is `{board.name}`, its folder `{board.folder.name}`", where=where)
    for fact in ("name", "mcu", "family", "cpu"):
        if not re.fullmatch(r"\w+", str(getattr(board, fact)), re.ASCII):
            raise ParamsError(f"{fact} may have letters, digits and _ only", where=where)
    if not 0 <= board.board_id <= MOST_BOARD_ID:
        raise ParamsError(f"board_id is {board.board_id}, not 1 to {MOST_BOARD_ID}", where=where)
    for table, key in (("clock", "hz"), ("console", "baud")):
        value = board.tables.get(table, {}).get(key)
        if type(value) is not int or value <= 0:
            raise ParamsError(f"[{table}] {key} is {value!r}, not a number above 0", where=where, hint=COMPARE)
    if not isinstance(board.tables["console"].get("uart"), str):
        raise ParamsError("[console] has no `uart`", where=where, hint=COMPARE)


def _check_memories(board: Board, where: str) -> None:
    """Memories that contradict each other. Raises ParamsError."""
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
        if not re.fullmatch(r"[a-z]\w*", memory.name, re.ASCII) or memory.name in TAKEN:
            hint = f"a small letter, then letters, digits and _; not {', '.join(TAKEN)}"
            raise ParamsError(f"memory `{memory.name}` cannot be called so", where=where, hint=hint)
        if memory.origin < 0 or memory.bytes <= 0 or memory.end > ADDRESSES:
            raise ParamsError(f"memory `{memory.name}` is not within the 4 GB that a core can address", where=where)
        if memory.sectors and (min(memory.sectors) <= 0 or sum(memory.sectors) != memory.bytes):
            raise ParamsError(
                f"memory `{memory.name}`: its sectors are {sum(memory.sectors)} bytes, not {memory.bytes}", where=where
            )
    if len({memory.name for memory in board.memories}) < len(board.memories):
        raise ParamsError("two memories have one name", where=where)
    ordered = sorted(board.memories, key=lambda memory: memory.origin)
    for low, high in itertools.pairwise(ordered):
        if low.end > high.origin:
            raise ParamsError(f"memories `{low.name}` and `{high.name}` overlap", where=where)
    if missing := set(KINDS) - {memory.kind for memory in board.memories}:
        raise ParamsError(f"there is no memory of kind {', '.join(sorted(missing))}", where=where)


def _board(facts: dict[str, Any], folder: Path, where: str) -> Board:
    tables = {key: value for key, value in facts.items() if isinstance(value, dict)}
    memories = facts.get("memory")
    if not isinstance(memories, list):
        raise ParamsError("it has no [[memory]]", where=where, hint=COMPARE)
    head = build(Head, {key: value for key, value in facts.items() if key not in (*tables, "memory")}, where)
    if head.schema != SCHEMA:
        raise ParamsError(f"schema is {head.schema}, this hilgate reads {SCHEMA}", where=where)
    return Board(
        name=head.name,
        title=head.title,
        mcu=head.mcu,
        family=head.family,
        cpu=head.cpu,
        board_id=head.board_id,
        memories=tuple(_memory(entry, f"{where}: memory[{place}]") for place, entry in enumerate(memories)),
        tables=tables,
        folder=folder,
    )


def _memory(entry: Any, where: str) -> Memory:
    """One [[memory]]; its sectors are a list in order, or { count, bytes } where all are equal."""
    if isinstance(entry, dict) and isinstance(entry.get("sectors"), dict):
        equal = build(EqualSectors, entry["sectors"], f"{where}.sectors")
        if not 0 < equal.count <= MOST_SECTORS:
            raise ParamsError(f"count is {equal.count}, not 1 to {MOST_SECTORS}", where=f"{where}.sectors")
        entry = {**entry, "sectors": [equal.bytes] * equal.count}
    return build(Memory, entry, where)
