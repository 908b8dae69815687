"""hook.c said again in Python, for machines without a C compiler: the same cycles and counts, but slow."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hilgate.virtual.cost import BlockCost
from hilgate.virtual.exceptions import XPSR_IT
from hilgate.virtual.fallback_page import PythonPage
from hilgate.virtual.hooks import (
    POISON,
    REGISTERS_BEGIN,
    REGISTERS_END,
    Accelerator,
    Executed,
    Reason,
)
from hilgate.virtual.native import checksum

NOWHERE = 0xFFFF_FFFF


@dataclass
class State:
    """The fields of machine_t that others use."""

    cycles: int = 0
    instructions: int = 0
    deadline: int = 1 << 62
    reason: int = 0
    reason_address: int = 0
    reason_size: int = 0
    pc: int = 0
    fpu_enabled: int = 0
    ticks_start: int = 0
    ticks_reload: int = 0
    ticks_divider: int = 1
    fed_at: int = 0
    pending: int = 0
    unmasked: int = 0
    poisoned: int = 0
    flash_begin: int = 0
    flash_end: int = 0
    line_shift: int = 0
    wait_states: int = 0
    prefetch: int = 0
    icache: int = 0
    dcache: int = 0
    ilines: int = 0
    dlines: int = 0
    line_now: int = NOWHERE
    line_cycles: int = 0
    data_line: int = NOWHERE
    fetch_stalls: int = 0
    data_stalls: int = 0


@dataclass
class PythonBlock:
    """block_t of hook.c."""

    cost: BlockCost
    lines: list[tuple[int, int]]
    code: Any
    sum: int
    entered: int = 0
    spent: int = 0


class PythonHooks:
    """See hooks.Hooks for what each method does, and hook.c for the why."""

    def __init__(self, accelerator: Accelerator | None) -> None:
        self.state = State()
        if accelerator is not None:
            accelerator.fill(self.state)
        self._blocks: dict[int, PythonBlock] = {}
        self._old: list[PythonBlock] = []
        self._last: PythonBlock | None = None
        self._last_entry = 0
        self.exact = False
        self._code_lines: dict[int, None] = {}  # insertion order is the order of use
        self._data_lines: dict[int, None] = {}
        self._stalls: list[int] = []

    def attach(self, uc: Any, *, memory: bool) -> None:
        from unicorn import UC_HOOK_BLOCK, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE

        uc.hook_add(UC_HOOK_BLOCK, self._on_block)
        if memory:
            both = UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE
            self.exact = True
            uc.hook_add(both, self._on_register, begin=REGISTERS_BEGIN, end=REGISTERS_END)
            if self.state.flash_end:
                uc.hook_add(
                    UC_HOOK_MEM_READ, self._on_flash, begin=self.state.flash_begin, end=self.state.flash_end - 1
                )

    def _stop(self, uc: Any, reason: Reason, address: int, size: int) -> None:
        self.state.reason, self.state.reason_address, self.state.reason_size = int(reason), address, size
        uc.emu_stop()

    def _on_block(self, uc: Any, address: int, size: int, _user: Any) -> None:
        state, last = self.state, self._last
        if state.reason:
            uc.emu_stop()  # stopping already: Unicorn goes on after a stop inside an IT block
            return None
        if state.cycles >= state.deadline:
            return self._stop(uc, Reason.DEADLINE, address, size)
        if state.unmasked and state.pending:
            state.unmasked = 0
            return self._stop(uc, Reason.DEADLINE, address, size)
        block = self._blocks.get(address)
        if block is None or block.cost.size != size or (block.code is not None and checksum(block.code) != block.sum):
            return self._stop(uc, Reason.NEW_BLOCK, address, size)
        cost = block.cost.cycles
        if last is not None:
            last.spent += state.cycles - self._last_entry
        self._last_entry = state.cycles
        if last is not None and last.cost.address + last.cost.size == address:
            cost += last.cost.carry
        else:
            cost += block.cost.refill
        if block.lines:
            stall = self._fetch(block.lines)
            state.fetch_stalls += stall
            cost += stall
        state.unmasked = int(block.cost.unmasks)
        self._last = block
        state.cycles += cost
        state.instructions += block.cost.instructions
        block.entered += 1
        return None

    def _fetch(self, lines: list[tuple[int, int]]) -> int:
        state, total = self.state, 0
        self._stalls = []
        for line, cycles in lines:
            if line == state.line_now:
                state.line_cycles += cycles
            else:
                total += self._line_stall(line)
                state.line_now, state.line_cycles = line, cycles
            self._stalls.append(total)
        return total

    def _line_stall(self, line: int) -> int:
        state = self.state
        if state.icache and line in self._code_lines:
            del self._code_lines[line]
            self._code_lines[line] = None
            return 0
        stall = state.wait_states
        if state.prefetch and line == state.line_now + 1:
            stall = max(0, stall - state.line_cycles)
        if state.icache:
            _use(self._code_lines, line, state.ilines)
        return stall

    def _leave_it(self, uc: Any) -> None:
        if self._last is not None and self._last.cost.predicated:
            from unicorn.arm_const import UC_ARM_REG_XPSR

            uc.reg_write(UC_ARM_REG_XPSR, uc.reg_read(UC_ARM_REG_XPSR) & ~XPSR_IT)

    def _on_flash(self, uc: Any, _kind: int, address: int, _size: int, _value: int, _user: Any) -> None:
        self._leave_it(uc)
        if self.state.wait_states:
            self._data_read(address >> self.state.line_shift)

    def _on_register(self, uc: Any, _kind: int, address: int, size: int, _value: int, _user: Any) -> None:
        self._leave_it(uc)
        if address % min(size, 4) and not self.state.reason:
            from unicorn.arm_const import UC_ARM_REG_PC

            self._stop(uc, Reason.REGISTER, address & 0xFFFF_FFFF, size)
            self.state.pc = uc.reg_read(UC_ARM_REG_PC)

    def now(self, uc: Any) -> int:
        """The cycle at which the instruction that accesses a register now starts."""
        from unicorn.arm_const import UC_ARM_REG_PC

        self.state.pc = uc.reg_read(UC_ARM_REG_PC) if self.exact else 0
        return self.state.cycles - self.unspent(self.state.pc)[0]

    def _data_read(self, line: int) -> None:
        state = self.state
        if line == state.data_line:
            return
        if state.dcache:
            hit = line in self._data_lines
            _use(self._data_lines, line, state.dlines)
            if hit:
                state.data_line = line
                return
        state.data_line = line
        state.cycles += state.wait_states
        state.data_stalls += state.wait_states

    def flush_caches(self) -> None:
        self._code_lines.clear()
        self._data_lines.clear()
        self.state.line_now = self.state.data_line = NOWHERE

    def watch(self, uc: Any, address: int, reason: Reason, register: int, *, predicated: bool) -> int:
        from unicorn import UC_HOOK_CODE

        def check(uc: Any, at: int, size: int, _user: Any) -> None:
            value = uc.reg_read(register) if register >= 0 else 0
            fine = {
                Reason.UNALIGNED: value % 4 == 0,
                Reason.NO_COPROCESSOR: self.state.fpu_enabled != 0,
                Reason.DIVIDE: value != 0,
            }[reason]
            if not fine and predicated and reason is Reason.UNALIGNED:
                self.state.reason, self.state.reason_address, self.state.poisoned = int(reason), at, value
                uc.reg_write(register, POISON)
            elif not fine:
                self._stop(uc, reason, at, size)

        return int(uc.hook_add(UC_HOOK_CODE, check, begin=address, end=address))

    def unwatch(self, uc: Any, handle: int) -> None:
        uc.hook_del(handle)

    def page(self, uc: Any, base: int, read: Callable[..., int], write: Callable[..., None]) -> PythonPage:
        page = PythonPage(base, self, read, write)
        uc.mmio_map(base, 0x1000, page.on_read, None, page.on_write, None)
        return page

    def add_block(self, cost: BlockCost, lines: list[tuple[int, int]], code: tuple[int, int] | None) -> None:
        words = None if code is None else (ctypes.c_uint32 * code[1]).from_address(code[0])
        if cost.address in self._blocks:
            self._old.append(self._blocks[cost.address])
        self._blocks[cost.address] = PythonBlock(cost, lines, words, 0 if words is None else checksum(words))

    def forget(self) -> None:
        self.break_flow()
        self._old.extend(self._blocks.values())
        self._blocks.clear()

    def break_flow(self) -> None:
        if self._last is not None:
            self._last.spent += self.state.cycles - self._last_entry
        self._last = None

    def unspent(self, pc: int) -> tuple[int, int]:
        block = self._last
        if block is None or not block.cost.address <= pc < block.cost.address + block.cost.size:
            return 0, 0
        rest = block.cost.cycles - block.cost.before[(pc - block.cost.address) // 2]
        if block.lines:
            rest += self._stalls[-1] - self._stalls[(pc >> self.state.line_shift) - block.lines[0][0]]
        return rest, block.cost.address

    def executed(self) -> Iterator[Executed]:
        for block in [*self._blocks.values(), *self._old]:
            if block.entered:
                running = self.state.cycles - self._last_entry if block is self._last else 0
                cost = block.cost
                yield Executed(cost.address, cost.size, cost.instructions, block.entered, block.spent + running)


def _use(lines: dict[int, None], line: int, capacity: int) -> None:
    """Mark a cache line as the last used one; the least recently used one goes when there is no room."""
    lines.pop(line, None)
    if len(lines) >= capacity:
        del lines[next(iter(lines))]
    lines[line] = None
