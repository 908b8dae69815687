"""board.toml's [layout] and [[memory]] as the build room reads them: addresses that must hold, regions by ability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgate.catalogue import ABILITIES, Board, Memory
from hilgate.errors import ParamsError
from hilgate.params import build

SECOND_CORE_BYTES = 0x400
LETTERS = {"r": "read", "w": "write", "x": "execute"}  # `access` in vectors_<mcu>.toml


@dataclass(frozen=True)
class Layout:
    """board.toml's [layout]: absolute addresses, bytes. second_core_address: where another core boots, else 0.

    arena, hot_code, hot_weights: names of memories, or empty (placement.py). hot_weights_max_bytes: larger weights stay
    in flash; 0: none are too large.
    """

    image_address: int
    weights_address: int
    stack_bytes: int
    second_core_address: int = 0
    arena: str = ""
    hot_code: str = ""
    hot_weights: str = ""
    hot_weights_max_bytes: int = 0


def layout_of(board: Board) -> Layout:
    """Raises ParamsError when the layout is missing or leaves the flash."""
    where = str(board.folder / "board.toml")
    layout = build(Layout, board.tables.get("layout"), f"{where}: layout")
    flash = board.memory("flash")
    if not flash.origin <= layout.image_address < layout.weights_address < flash.end:
        raise ParamsError("[layout] must put the image and then the weights inside flash", where=where)
    starts = [flash.origin + sum(flash.sectors[:index]) for index in range(len(flash.sectors))]
    for key in ("image_address", "weights_address"):  # erased alone; and a sector is as aligned as vectors must be
        if starts and getattr(layout, key) not in starts:
            raise ParamsError(f"{key} must be where a flash sector starts", where=where)
    if layout.second_core_address and not any(
        m.kind == "flash" and m.origin <= layout.second_core_address <= m.end - SECOND_CORE_BYTES
        for m in board.memories
        if m is not flash
    ):
        raise ParamsError("second_core_address must lie in another flash than the image", where=where)
    if layout.stack_bytes % 8 or layout.weights_address % 16:
        raise ParamsError("stack_bytes must be a multiple of 8, weights_address of 16", where=where)
    return layout


def check_memories(board: Board, known: dict[str, dict[str, Any]]) -> None:
    """Every memory of the board must be the MCU's, all of it or a part. known: of the MCU. Raises ParamsError."""
    where = str(board.folder / "board.toml")
    for memory in board.memories:
        able, at = set(ABILITIES), memory.origin
        while at < memory.end:
            home = next((m for m in known.values() if m["origin"] <= at < m["origin"] + m["bytes"]), None)
            if home is None:
                there = ", ".join(f"{m['bytes']:#x} bytes at {m['origin']:#010x}" for m in known.values())
                what = f"memory `{memory.name}`: the {board.mcu} has nothing at {at:#010x}"
                raise ParamsError(what, where=where, hint=f"it has {there}")
            able &= {"dma", *(LETTERS[letter] for letter in home["access"])}
            at = home["origin"] + home["bytes"]
        if missing := sorted(set(memory.can) - able):
            raise ParamsError(f"memory `{memory.name}` of the {board.mcu} cannot {' or '.join(missing)}", where=where)


def region(board: Board, kind: str, *needs: str) -> Memory:
    """The first memory of that kind that can do all of `needs`. Raises ParamsError."""
    for memory in board.memories:
        if memory.kind == kind and set(needs) <= set(memory.can):
            return memory
    raise ParamsError(
        f"no {kind} can {' and '.join(needs)}", where=str(board.folder / "board.toml"), hint="see [[memory]] can"
    )
