"""The native half of the hooks: talks by ctypes to hook.c and aligned.c, which library.py builds and loads."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

from hilgate.virtual.cost import BlockCost
from hilgate.virtual.hooks import REGISTERS_BEGIN, REGISTERS_END, Accelerator, Executed, Kind, Reason
from hilgate.virtual.layout import (
    CACHE_LINES_MAX,
    POINTER,
    READ_TYPE,
    U16,
    U32,
    U64,
    WRITE_TYPE,
    Block,
    Machine,
    PageState,
    Watch,
)  # fmt: skip

EVERYWHERE = (1, 0)  # Unicorn's way to say no range


class NativePage:
    """4 KiB of registers. `show` lets the native side answer word reads; everything else asks Python."""

    def __init__(self, base: int, machine: Machine, read: Callable[..., int], write: Callable[..., None]) -> None:
        self.base = base
        self.state = PageState(
            machine=ctypes.addressof(machine), base=base, read=READ_TYPE(read), write=WRITE_TYPE(write)
        )
        self._callbacks = (self.state.read, self.state.write)

    def show(self, address: int, value: int, kind: Kind = Kind.PLAIN) -> None:
        word = (address - self.base) // 4
        self.state.value[word] = value & 0xFFFF_FFFF
        self.state.kind[word] = int(kind)

    def feed(self, address: int) -> None:
        self.state.feed = address

    def noted(self, address: int) -> bool:
        word = (address - self.base) // 4
        was, self.state.noted[word] = bool(self.state.noted[word]), 0
        return was

    def ask(self, address: int) -> None:
        self.state.kind[(address - self.base) // 4] = int(Kind.ASK)


class NativeHooks:
    """See hooks.Hooks for what each method does."""

    CAPACITY = 1 << 16

    def __init__(self, library: ctypes.CDLL, accelerator: Accelerator | None) -> None:
        self._library = library
        self._blocks = (Block * self.CAPACITY)()
        self._spans = (U32 * (2 * self.CAPACITY * 4))()
        self._prefixes = (U32 * (1 << 20))()
        self._keep: dict[int, Any] = {}  # Unicorn holds pointers to these
        self.state = Machine(last=-1, deadline=1 << 62, capacity_mask=self.CAPACITY - 1, data_line=0xFFFF_FFFF)
        self.state.ticks_divider = 1
        for name in ("blocks", "spans", "prefixes"):
            setattr(self.state, name, ctypes.addressof(getattr(self, f"_{name}")))
        if accelerator is not None:
            self._islot = (U16 * ((accelerator.flash_bytes >> accelerator.line_shift) + 1))()
            self.state.islot = ctypes.addressof(self._islot)
            accelerator.fill(self.state)
        self._old: dict[int, Executed] = {}
        self._used = self._spans_used = self._prefixes_used = 0

    def attach(self, uc: Any, *, memory: bool) -> None:
        from unicorn import UC_HOOK_BLOCK, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE
        from unicorn.unicorn_py3.unicorn import uclib

        self.state.stop = ctypes.cast(uclib.uc_emu_stop, POINTER).value
        self.state.reg_read = ctypes.cast(uclib.uc_reg_read, POINTER).value
        self.state.reg_write = ctypes.cast(uclib.uc_reg_write, POINTER).value
        self._hook(uc, UC_HOOK_BLOCK, "hook_block", self.state)
        if memory:
            self.state.exact = 1
            both = UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE
            self._hook(uc, both, "hook_register", self.state, (REGISTERS_BEGIN, REGISTERS_END))
            self._hook(uc, both, "hook_aligned", self.state, (REGISTERS_BEGIN, REGISTERS_END))
            if self.state.flash_end:
                flash = (self.state.flash_begin, self.state.flash_end - 1)
                self._hook(uc, UC_HOOK_MEM_READ, "hook_flash", self.state, flash)

    def _hook(
        self, uc: Any, kind: int, function: str, user: ctypes.Structure, only: tuple[int, int] = EVERYWHERE
    ) -> int:
        from unicorn import UcError
        from unicorn.unicorn_py3.unicorn import uclib

        handle = ctypes.c_size_t()
        pointer = ctypes.cast(getattr(self._library, function), POINTER)
        status = uclib.uc_hook_add(uc._uch, ctypes.byref(handle), kind, pointer, ctypes.byref(user), *map(U64, only))
        if status:
            raise UcError(status)
        self._keep[handle.value] = user
        return int(handle.value)

    def watch(self, uc: Any, address: int, reason: Reason, register: int, *, predicated: bool) -> int:
        from unicorn import UC_HOOK_CODE

        state = ctypes.addressof(self.state)
        user = Watch(machine=state, base_register=register, reason=int(reason), predicated=int(predicated))
        return self._hook(uc, UC_HOOK_CODE, "hook_watch", user, (address, address))

    def unwatch(self, uc: Any, handle: int) -> None:
        from unicorn.unicorn_py3.unicorn import uclib

        uclib.uc_hook_del(uc._uch, ctypes.c_size_t(handle))
        self._keep.pop(handle, None)

    def page(self, uc: Any, base: int, read: Callable[..., int], write: Callable[..., None]) -> NativePage:
        from unicorn import UcError
        from unicorn.unicorn_py3.unicorn import uclib

        page = NativePage(base, self.state, read, write)
        user = ctypes.byref(page.state)
        functions = [ctypes.cast(getattr(self._library, f"hook_page_{way}"), POINTER) for way in ("read", "write")]
        status = uclib.uc_mmio_map(uc._uch, U64(base), ctypes.c_size_t(0x1000), functions[0], user, functions[1], user)
        if status:
            raise UcError(status)
        self._keep[-base] = page
        return page

    def add_block(self, cost: BlockCost, lines: list[tuple[int, int]], code: tuple[int, int] | None) -> None:
        if self._full(cost, lines):
            self.forget()
        at = ((cost.address >> 1) * 2654435761 & 0xFFFF_FFFF) & (self.CAPACITY - 1)
        while self._blocks[at].size and self._blocks[at].address != cost.address:
            at = (at + 1) & (self.CAPACITY - 1)
        block = self._blocks[at]
        if block.size:
            self._remember(block)
        else:
            self._used += 1
        block.address, block.size, block.instructions = cost.address, cost.size, cost.instructions
        block.cycles, block.refill, block.carry = cost.cycles, cost.refill, cost.carry
        block.prefix, block.span, block.spans = self._prefixes_used, self._spans_used, len(lines)
        block.unmasks, block.predicated = int(cost.unmasks), int(cost.predicated)
        block.entered, block.spent, block.words = 0, 0, 0
        if code is not None:
            block.code, block.words = code
            block.sum = checksum((U32 * code[1]).from_address(code[0]))
        self._prefixes[self._prefixes_used : self._prefixes_used + len(cost.before)] = list(cost.before)
        self._prefixes_used += len(cost.before)
        flat: list[Any] = [number for line in lines for number in line]
        self._spans[2 * self._spans_used : 2 * self._spans_used + len(flat)] = flat
        self._spans_used += len(lines)

    def _full(self, cost: BlockCost, lines: list[tuple[int, int]]) -> bool:
        return (
            self._used >= self.CAPACITY * 3 // 4
            or self._prefixes_used + len(cost.before) > len(self._prefixes)
            or 2 * (self._spans_used + len(lines)) > len(self._spans)
        )

    def _remember(self, block: Block) -> None:
        past = self._old.get(block.address)
        entered, spent = (past.entered, past.spent) if past else (0, 0)
        self._old[block.address] = Executed(
            block.address, block.size, block.instructions, entered + block.entered, spent + block.spent
        )

    def forget(self) -> None:
        self.break_flow()
        for block in self._blocks:
            if block.size:
                self._remember(block)
        ctypes.memset(self._blocks, 0, ctypes.sizeof(self._blocks))
        self._used = self._spans_used = self._prefixes_used = 0

    def flush_caches(self) -> None:
        for name in ("iused", "dused"):
            ctypes.memset(getattr(self.state, name), 0, 8 * CACHE_LINES_MAX)
        if self.state.islot:
            ctypes.memset(self._islot, 0, ctypes.sizeof(self._islot))
        self.state.line_now = self.state.data_line = 0xFFFF_FFFF

    def break_flow(self) -> None:
        if self.state.last >= 0:
            self._blocks[self.state.last].spent += self.state.cycles - self.state.last_entry
        self.state.last = -1

    def unspent(self, pc: int) -> tuple[int, int]:
        if self.state.last < 0:
            return 0, 0
        block = self._blocks[self.state.last]
        inside = block.address <= pc < block.address + block.size
        return int(self._library.hook_unspent(ctypes.byref(self.state), pc)), block.address if inside else 0

    def executed(self) -> Iterator[Executed]:
        current = self.state.last
        for index, block in enumerate(self._blocks):
            if block.size and block.entered:
                running = self.state.cycles - self.state.last_entry if index == current else 0
                yield Executed(block.address, block.size, block.instructions, block.entered, block.spent + running)
        yield from self._old.values()


def checksum(words: Any) -> int:
    """The sum that `rewritten` of hook.c computes over the code of a block in RAM."""
    total = 0
    for word in words:
        total = (total * 31 + word) & 0xFFFF_FFFF
    return total
