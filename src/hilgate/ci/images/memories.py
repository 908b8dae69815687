"""Memory that an image uses without having declared it: RAM and flash of the virtual board, before against after.

Sizes are counted from an ELF's headers, which are its own words. RAM holds known noise at power-on and flash is erased,
so whatever differs after a session and lies in nothing that the headers declare was used in secret, and counts too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hilgate.build.image import segments
from hilgate.build.sizes import UNLOADED
from hilgate.catalogue import Memory

if TYPE_CHECKING:
    import numpy as np

    from hilgate.virtual.machine import Machine

STACK_SECTION = ".stack"


@dataclass(frozen=True)
class Undeclared:
    """Bytes that changed and belong to nothing declared."""

    ram: int
    flash: int


class Witness:
    """Takes a machine's memories at power-on, and tells later what was touched."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._before = {memory.name: _content(machine, memory) for memory in machine.board.memories}

    def undeclared(self, elf: Path) -> Undeclared:
        """What has changed since outside everything that the ELF declares."""
        import numpy as np

        found = dict.fromkeys(("ram", "flash"), 0)
        ranges = declared(elf)
        for memory in self._machine.board.memories:
            changed = self._before[memory.name] != _content(self._machine, memory)
            for low, high in ranges:
                begin, end = max(low - memory.origin, 0), min(high - memory.origin, memory.bytes)
                if begin < end:
                    changed[begin:end] = False
            found[memory.kind] += int(np.count_nonzero(changed))
        return Undeclared(**found)


def declared(elf: Path) -> list[tuple[int, int]]:
    """Address ranges that the headers speak for: segments where they are stored and run, the stack, .noinit."""
    from elftools.elf.elffile import ELFFile

    ranges = []
    for one in segments(elf):
        ranges += [(one.run, one.run + one.memory_bytes), (one.load, one.load + one.file_bytes)]
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if section.name in (*UNLOADED, STACK_SECTION):
                ranges.append((section["sh_addr"], section["sh_addr"] + section["sh_size"]))
    return ranges


def _content(machine: Machine, memory: Memory) -> np.ndarray:
    import numpy as np

    return np.frombuffer(machine.core.memories.read(memory.origin, memory.bytes), np.uint8).copy()
