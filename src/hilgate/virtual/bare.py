"""A core with memory and nothing else: load an ELF, call a function in it, get its result, instructions and cycles.

    machine = BareMachine(Path("kernels.elf"), cpu="cortex_m4f")
    machine.write(machine.symbol("input"), data)
    call = machine.call("conv2d_s8", machine.symbol("input"), machine.symbol("output"))
    call.value, call.instructions, call.cycles      # r0, exact count, zero-wait cycles of the cost model

For kernel tests: no start-up code, no peripherals, zero wait states; .data is placed at its run address. The cores are
the files of cpus/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import VirtualFault
from hilgate.virtual.core import Core, Event
from hilgate.virtual.cost import load_cpu
from hilgate.virtual.elf import load_image

RETURN_ADDRESS = 0xDFFF_FF00
STACK_TOP, STACK_BYTES = 0x3FFF_0000, 0x4_0000
SCRATCH = 0x3000_0000


@dataclass(frozen=True)
class Call:
    """What one call did: r0, r0 and r1 as 64 bits, executed instructions, predicted cycles."""

    value: int
    value64: int
    instructions: int
    cycles: int


class BareMachine:
    """cpu: a file of cpus/; scratch_bytes: RAM at SCRATCH for the caller's own tensors."""

    def __init__(
        self,
        elf: Path,
        cpu: str = "cortex_m4f",
        *,
        cycles: bool = True,
        native: bool = True,
        scratch_bytes: int = 1 << 20,
    ) -> None:
        self.image = load_image(elf)
        self.core = Core(load_cpu(cpu), None, cycles=cycles, native=native)
        self.core.state.fpu_enabled = int(self.core.cpu.fpu)
        for begin, end in self._ranges():
            self.core.memories.map(begin, end - begin, execute=True, write=True)
        self.core.memories.map(STACK_TOP - STACK_BYTES, STACK_BYTES, execute=False, write=True)
        self.core.memories.map(SCRATCH, scratch_bytes, execute=False, write=True)
        for segment in self.image.segments:
            self.core.memories.write(segment.run, segment.data)

    def _ranges(self) -> list[tuple[int, int]]:
        """4 KiB ranges that the program headers ask for, by run address, merged."""
        ranges: list[tuple[int, int]] = []
        for begin, size in sorted(self.image.runs):
            first, last = begin & ~0xFFF, (begin + size + 0xFFF) & ~0xFFF
            if last > SCRATCH:
                raise VirtualFault(f"a segment at 0x{begin:08x} is outside code and RAM", where=str(self.image.path))
            if ranges and first <= ranges[-1][1]:
                ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
            else:
                ranges.append((first, last))
        return ranges

    def symbol(self, name: str) -> int:
        """Address of a symbol. Raises VirtualFault when the image has none of that name."""
        if name not in self.image.symbols:
            raise VirtualFault(f"there is no symbol `{name}`", where=str(self.image.path))
        return self.image.symbols[name]

    def read(self, address: int, size: int) -> bytes:
        return self.core.memories.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        self.core.memories.write(address, data)

    def call(self, function: str | int, *arguments: int, limit: int = 10_000_000_000) -> Call:
        """Call by the AAPCS with integer arguments; those after the fourth go on the stack.

        Raises VirtualFault when it crashes or runs for more than `limit` cycles.
        """
        address = self.symbol(function) if isinstance(function, str) else function
        core, state = self.core, self.core.state
        stack = STACK_TOP - 4 * ((len(arguments[4:]) + 1) & ~1)
        for index, value in enumerate(arguments[4:]):
            core.memories.write(stack + 4 * index, (value & 0xFFFF_FFFF).to_bytes(4, "little"))
        for index, value in enumerate(arguments[:4]):
            core.set(f"R{index}", value)
        core.set("SP", stack)
        core.set("LR", RETURN_ADDRESS | 1)
        cycles, instructions = state.cycles, state.instructions
        state.deadline = cycles + limit
        stop = core.run(address | 1)
        if stop.pc != RETURN_ADDRESS:
            what = f"still running after {limit} cycles" if stop.event is Event.DEADLINE else f"{stop.event.value}"
            raise VirtualFault(
                f"{what}, address 0x{stop.address:08x}", where=f"{function} at pc {self.image.place(stop.pc)}"
            )
        low, high = core.get("R0"), core.get("R1")
        return Call(low, high << 32 | low, state.instructions - instructions, state.cycles - cycles)
