"""What [layout] moves: the arena to another memory, the model's code and weights from flash to RAM.

Code is loaded in flash behind the runtime, inside the hashed image, and runs in RAM. Weights keep their place and their
hash in flash; start-up copies them, and the kernels get the copy's base pointer. The linker script makes the table of
what start-up copies (firmware/port/cortex_m/startup.c).
"""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.build.layout import layout_of, region
from hilgate.catalogue import Board, Memory
from hilgate.errors import ParamsError

STATICS_BYTES = 16384  # what .bss, .data and .noinit are given beside the arena before it moves to another memory
KEYS = {"arena": ("read", "write"), "hot_code": ("read", "write", "execute"), "hot_weights": ("read", "write")}


@dataclass(frozen=True)
class Placement:
    """The memory of each; None: stays in flash."""

    arena: Memory
    hot_code: Memory | None
    hot_weights: Memory | None

    @property
    def copies(self) -> bool:
        """Whether start-up has anything to copy."""
        return self.hot_code is not None or self.hot_weights is not None


def place(board: Board, arena_bytes: int = 0, weights_bytes: int = 0) -> Placement:
    """Where a model of these sizes goes. Raises ParamsError for a memory that is not there or cannot serve."""
    layout = layout_of(board)
    limit = layout.hot_weights_max_bytes
    weights = named(board, "hot_weights")
    return Placement(
        arena=named(board, "arena") or arena_region(board, arena_bytes),
        hot_code=named(board, "hot_code"),
        hot_weights=None if limit and weights_bytes > limit else weights,
    )


def named(board: Board, key: str) -> Memory | None:
    """The memory that layout.<key> names; None when the key is not there. Raises ParamsError."""
    name, where = getattr(layout_of(board), key), str(board.folder / "board.toml")
    if not name:
        return None
    rams = {memory.name: memory for memory in board.memories if memory.kind == "ram"}
    if name not in rams:
        raise ParamsError(
            f"layout.{key}: there is no RAM `{name}`", where=where, hint=f"memories of kind ram: {', '.join(rams)}"
        )
    if missing := [need for need in KEYS[key] if need not in rams[name].can]:
        able = [other.name for other in rams.values() if set(KEYS[key]) <= set(other.can)]
        raise ParamsError(
            f"layout.{key}: memory `{name}` cannot {' or '.join(missing)}",
            where=where,
            hint=f"memories that can: {', '.join(able) or 'none of this board'}",
        )
    return rams[name]


def arena_region(board: Board, arena_bytes: int) -> Memory:
    """The first RAM if stack, arena and variables fit there, else the next that has room and holds no DMA buffers."""
    first, buffers = region(board, "ram", "read", "write"), region(board, "ram", "read", "write", "dma")
    if layout_of(board).stack_bytes + arena_bytes + STATICS_BYTES <= first.bytes:
        return first
    others = (m for m in board.memories if m.kind == "ram" and {"read", "write"} <= set(m.can))
    return next((m for m in others if m not in (first, buffers) and arena_bytes <= m.bytes), first)


def header(placement: Placement) -> str:
    """The text of placement.h."""
    weights = "hot_weights" if placement.hot_weights else "model_weights"
    lines = [
        "/* Generated from board.toml: what [layout] moves to RAM. */",
        "#ifndef PLACEMENT_H",
        "#define PLACEMENT_H",
        "",
        "#include <stdint.h>",
        "",
        "/* Whether the linker script made a table of what start-up copies. */",
        f"#define PLACEMENT_COPIES {int(placement.copies)}",
        "/* Where kernels read the weights; hash and check read model_weights, in flash. */",
        f"#define PLACEMENT_WEIGHTS {weights}",
        *(["extern const uint8_t hot_weights[];"] if placement.hot_weights else []),
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)
