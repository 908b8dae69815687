"""Run one inference of a ruler image and count: instructions exactly, cycles by the ruler's prices, bytes.

    count(Path("build/ruler/digits.elf")).cycles

Equal to the figures of the ruler on which the peers were measured, instruction by instruction and cycle by cycle.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.compile.ruler.price import REFILL, block_cycles
from hilgate.errors import BuildError

FLASH, FLASH_BYTES, RAM, RAM_BYTES = 0x0800_0000, 0x0080_0000, 0x2000_0000, 0x0040_0000
SYSTEM, CPACR = 0xE000_E000, 0xE000_ED88
STOP = FLASH + FLASH_BYTES - 16  # where the counted function returns to
STACK = RAM + RAM_BYTES - 64
STACK_WATCHED = 65536
PAINT = 0xA5


@dataclass(frozen=True)
class Count:
    """One inference. flash_bytes, ram_bytes: sections of the whole image; stack_bytes: deepest use in this run."""

    instructions: int
    cycles: int
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    output: bytes


def count(image: Path, content: bytes | None = None) -> Count:
    """Count one inference on `content` (default: white noise from a fixed seed). Raises BuildError on a bad image."""
    machine = _Machine(image)
    machine.call("bm_reset", void=True)
    machine.call("bm_init")
    size = machine.word("bm_in_len")
    machine.write(machine.word("bm_in_ptr"), noise(size) if content is None else content)
    machine.write(STACK - STACK_WATCHED, bytes([PAINT]) * STACK_WATCHED)
    edges, sizes = machine.watched_call("bm_invoke")
    instructions, cycles = _sums(machine, edges, sizes)
    stack = machine.read(STACK - STACK_WATCHED, STACK_WATCHED).lstrip(bytes([PAINT]))
    output = machine.read(machine.word("bm_out_ptr"), machine.word("bm_out_len"))
    return Count(instructions, cycles, machine.flash_bytes, machine.ram_bytes, len(stack), output)


def noise(size: int) -> bytes:
    """The input that is counted unless another is given."""
    import numpy as np

    return np.random.RandomState(1234).randint(-128, 128, size).astype(np.int8).tobytes()


class _Machine:
    """Unicorn's Cortex-M4 with flash, RAM and an enabled FPU."""

    def __init__(self, image: Path) -> None:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
        from unicorn import UC_ARCH_ARM, UC_MODE_THUMB, Uc
        from unicorn.arm_const import UC_CPU_ARM_CORTEX_M4

        self.uc: Any = Uc(UC_ARCH_ARM, UC_MODE_THUMB)
        self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
        for base, size in ((FLASH, FLASH_BYTES), (RAM, RAM_BYTES), (SYSTEM, 0x1000)):
            self.uc.mem_map(base, size)
        try:
            with image.open("rb") as file:
                self._load(ELFFile(file))
        except (OSError, ELFError) as error:
            raise BuildError(
                f"no ruler image: {error}", where=str(image), hint="`scripts/ruler MODEL` makes one"
            ) from error
        self._enable_fpu()

    def _load(self, elf: Any) -> None:
        for segment in elf.iter_segments():
            if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
                self.write(segment["p_paddr"], segment.data())
        self.write(STOP, b"\x00\xbf" * 4)
        self.symbols = {s.name: s["st_value"] for s in elf.get_section_by_name(".symtab").iter_symbols() if s.name}
        kept = [s for s in elf.iter_sections() if s["sh_flags"] & 2]  # SHF_ALLOC
        self.flash_bytes = sum(s["sh_size"] for s in kept if s["sh_type"] != "SHT_NOBITS")
        self.ram_bytes = sum(s["sh_size"] for s in kept if s["sh_addr"] >= RAM)

    def _enable_fpu(self) -> None:
        from unicorn.arm_const import UC_ARM_REG_C1_C0_2, UC_ARM_REG_FPEXC

        self.uc.reg_write(UC_ARM_REG_C1_C0_2, 0xF << 20)
        self.uc.reg_write(UC_ARM_REG_FPEXC, 1 << 30)
        self.write(CPACR, (0xF << 20).to_bytes(4, "little"))

    def write(self, address: int, content: bytes) -> None:
        self.uc.mem_write(address, content)

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.uc.mem_read(address, size))

    def word(self, symbol: str) -> int:
        return int.from_bytes(self.read(self.symbols[symbol], 4), "little")

    def call(self, function: str, *, void: bool = False) -> None:
        """Call a function without arguments. Raises BuildError when it crashes or, unless void, does not return 0."""
        from unicorn import UcError
        from unicorn.arm_const import UC_ARM_REG_LR, UC_ARM_REG_PC, UC_ARM_REG_R0, UC_ARM_REG_SP

        self.uc.reg_write(UC_ARM_REG_SP, STACK)
        self.uc.reg_write(UC_ARM_REG_LR, STOP | 1)
        try:
            self.uc.emu_start(self.symbols[function] | 1, STOP)
        except UcError as error:
            raise BuildError(
                f"`{function}` crashed: {error}", where=f"pc 0x{self.uc.reg_read(UC_ARM_REG_PC):08x}"
            ) from error
        if not void and self.uc.reg_read(UC_ARM_REG_R0) != 0:
            raise BuildError(f"`{function}` did not return 0", where=function)

    def watched_call(self, function: str) -> tuple[Counter[tuple[int, int]], dict[int, int]]:
        """Call it; returns how often each block followed each other block, and the blocks' bytes."""
        from unicorn import UC_HOOK_BLOCK

        edges: Counter[tuple[int, int]] = Counter()
        sizes: dict[int, int] = {}
        last = 0

        def block(_uc: Any, address: int, size: int, _data: Any) -> None:
            nonlocal last
            edges[last, address] += 1
            sizes[address] = size
            last = address

        hook = self.uc.hook_add(UC_HOOK_BLOCK, block)
        self.uc.ctl_flush_tb()  # blocks translated before the hook was added would not call it
        self.call(function)
        self.uc.hook_del(hook)
        return edges, sizes


def _sums(machine: _Machine, edges: Counter[tuple[int, int]], sizes: dict[int, int]) -> tuple[int, int]:
    """Instructions and cycles. A block that another falls into keeps that one's last instruction as its context."""
    from capstone import CS_ARCH_ARM, CS_MODE_MCLASS, CS_MODE_THUMB, Cs

    decoder = Cs(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS)
    decoder.detail = True
    code = {address: list(decoder.disasm(machine.read(address, size), address)) for address, size in sizes.items()}
    instructions = cycles = 0
    for (source, target), times in edges.items():
        falls = source != 0 and target != STOP and source + sizes[source] == target
        if source and not falls:
            cycles += times * REFILL
        if target != STOP:
            instructions += times * len(code[target])
            cycles += times * block_cycles(code[target], code[source][-1] if falls else None)
    return instructions, cycles
