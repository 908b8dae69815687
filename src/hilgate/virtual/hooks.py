"""What the emulator calls while it runs, as one interface with two implementations: native (C) and fallback (Python).

Both count instructions and cycles block by block and stop the core at block boundaries; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Protocol

from hilgate.virtual.cost import BlockCost


class Reason(IntEnum):
    """Why the core stopped; the same numbers as in hook.c."""

    NONE = 0
    DEADLINE = 1
    NEW_BLOCK = 2
    UNALIGNED = 3
    NO_COPROCESSOR = 4
    DIVIDE = 5
    REGISTER = 6  # an unaligned access to registers; `pc` says where, reason_address and reason_size what


class Kind(IntEnum):
    """Who answers a read of a register word; the same numbers as in hook.c."""

    ASK = 0
    PLAIN = 1
    CYCLES = 2
    TICKS = 3
    NOTED = 4


WATCHDOG_FEED = 0xAAAA
POISON = 0xDFFF_0000
REGISTERS_BEGIN, REGISTERS_END = 0x4000_0000, 0xFFFF_FFFF


@dataclass(frozen=True)
class Accelerator:
    """Flash and its accelerator: address range, line size as a shift, lines of both caches."""

    flash_begin: int
    flash_bytes: int
    line_shift: int
    code_lines: int
    data_lines: int

    def fill(self, state: Any) -> None:
        state.flash_begin, state.flash_end = self.flash_begin, self.flash_begin + self.flash_bytes
        state.line_shift, state.ilines, state.dlines = self.line_shift, self.code_lines, self.data_lines
        state.line_now = state.data_line = 0xFFFF_FFFF


@dataclass(frozen=True)
class Executed:
    """One block's share of a run."""

    address: int
    size: int
    instructions: int
    entered: int
    spent: int


class Page(Protocol):
    """4 KiB of peripheral registers."""

    def show(self, address: int, value: int, kind: Kind = Kind.PLAIN) -> None:
        """Word reads of `address` answer without asking.

        PLAIN: `value`; NOTED: the same, and `noted` tells; CYCLES: the cycle count minus `value`; TICKS: the counter
        that `ticks_start`, `ticks_reload` and `ticks_divider` of the state describe.
        """

    def noted(self, address: int) -> bool:
        """Whether a NOTED word was read since this was asked last."""

    def feed(self, address: int) -> None:
        """Writes of WATCHDOG_FEED to `address` only set the state's `fed_at`, without asking; 0: no such register."""

    def ask(self, address: int) -> None:
        """Reads of `address` call the peripheral again."""


class Hooks(Protocol):
    """state: cycles, instructions, deadline, reason, reason_address, pc, fpu_enabled and so on, see machine_t."""

    state: Any

    def attach(self, uc: Any, *, memory: bool) -> None:
        """Install; `memory`: also see each data access (flash wait states, exact counter reads)."""

    def watch(self, uc: Any, address: int, reason: Reason, register: int, *, predicated: bool) -> int:
        """Stop before the instruction at `address` when its condition is broken (see hook_watch).

        Unicorn cannot stop at a predicated one: an unaligned access is then sent to POISON, so that it faults by
        itself; the others stop after it. Returns a handle for `unwatch`.
        """

    def unwatch(self, uc: Any, handle: int) -> None:
        """Take a watch away."""

    def page(self, uc: Any, base: int, read: Callable[..., int], write: Callable[..., None]) -> Page:
        """Map 4 KiB of registers: read(address, bytes) -> value; write(address, bytes, value)."""

    def add_block(self, cost: BlockCost, lines: list[tuple[int, int]], code: tuple[int, int] | None) -> None:
        """Teach a block. lines: (flash line, cycles in it); code: host address and words, of code in RAM."""

    def forget(self) -> None:
        """Forget all blocks, as after a change of code in flash."""

    def flush_caches(self) -> None:
        """Empty the flash accelerator."""

    def break_flow(self) -> None:
        """What runs next is not the successor of what ran last (exception, reset)."""

    def unspent(self, pc: int) -> tuple[int, int]:
        """Cycles accounted but not executed when the core stands at `pc`; and the block's address (0: not inside)."""

    def executed(self) -> Iterator[Executed]:
        """All blocks that ran, for the profile."""


def make_hooks(accelerator: Accelerator | None, *, native: bool = True) -> Hooks:
    """The native hooks where they can be built, else the Python ones."""
    from hilgate.virtual.fallback import PythonHooks
    from hilgate.virtual.library import load_library
    from hilgate.virtual.native import NativeHooks

    library = load_library() if native else None
    if native and library is None:
        _say_slow()
    return NativeHooks(library, accelerator) if library is not None else PythonHooks(accelerator)


@cache
def _say_slow() -> None:
    """Once: that nothing is wrong, but everything takes long."""
    from hilgate.console import say

    say("the virtual board runs without compiled hooks, 20 to 40 times slower: is there a C compiler (`cc`, or $CC)?")
