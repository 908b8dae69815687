"""Where the cycles went, by function of the image."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.virtual.core import Core
from hilgate.virtual.elf import Image


@dataclass(frozen=True)
class FunctionCost:
    """entries: of its first block, so a loop at its very start counts each turn; cycles include stalls of the flash."""

    name: str
    entries: int
    instructions: int
    cycles: int


def profile(core: Core, image: Image) -> list[FunctionCost]:
    """Cost by function, most cycles first; code outside every function symbol goes to `?`."""
    totals: dict[str, list[int]] = {}
    for block in core.hooks.executed():
        function = image.function_at(block.address)
        row = totals.setdefault(function.name if function else "?", [0, 0, 0])
        if function is not None and block.address == function.address:
            row[0] += block.entered
        row[1] += block.entered * block.instructions
        row[2] += block.spent
    rows = [FunctionCost(name, *row) for name, row in totals.items()]
    return sorted(rows, key=lambda row: (-row.cycles, row.name))
