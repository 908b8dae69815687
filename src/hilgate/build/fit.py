"""Does the image fit: the linker's words, or a stack too deep, as one error with the numbers."""

from __future__ import annotations

import re

from hilgate.build.layout import layout_of
from hilgate.build.placement import KEYS
from hilgate.build.stack import Chain
from hilgate.catalogue import Board
from hilgate.errors import BuildError, DoesNotFitError, HilgateError

OVERFLOW = re.compile(r"region [`'](\w+)' overflowed by (\d+) bytes")


def explain_misfit(error: BuildError, board: Board) -> HilgateError:
    """DoesNotFitError when the linker ran out of a region, else the same error."""
    over = OVERFLOW.search(error.what)
    if not over:
        return error
    name, excess = over[1], int(over[2])
    capacity = region_bytes(name, board)
    what = f"{name} needs {capacity + excess:,} bytes, the board has {capacity:,} for it: {excess:,} too many"
    hints = {
        "image": "code before layout.weights_address; move that address, or let the compiler optimise for size",
        "weights": "a smaller network, or a board with more flash",
    }
    layout = layout_of(board)
    moved = " and ".join(f"layout.{key}" for key in KEYS if getattr(layout, key) == name)
    smaller = "a network with smaller activations, or a board with more RAM"
    hint = hints.get(name, f"take {moved} out of board.toml" if moved else smaller)
    return DoesNotFitError(what, where=board.name, hint=hint)


def region_bytes(name: str, board: Board) -> int:
    """Capacity of a region of the generated linker script."""
    layout, flash = layout_of(board), board.memory("flash")
    if name == "image":
        return layout.weights_address - layout.image_address
    if name == "weights":
        return flash.end - layout.weights_address
    return next(memory.bytes for memory in board.memories if memory.name == name)


def check_stack_fits(stack: Chain, board: Board) -> None:
    """Raises DoesNotFitError when the worst chain of calls is deeper than the reserved stack."""
    reserved = layout_of(board).stack_bytes
    if stack.bytes > reserved:
        raise DoesNotFitError(
            f"the worst stack is {stack.bytes:,} bytes, layout.stack_bytes reserves {reserved:,}",
            where=board.name,
            hint=" > ".join(stack.path),
        )
