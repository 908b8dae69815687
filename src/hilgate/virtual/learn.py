"""Learning blocks: what a block costs, and the checks that Unicorn leaves out, when it is first entered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilgate.errors import VirtualFault
from hilgate.virtual import dual_issue
from hilgate.virtual.cost import BlockCost, block_cost, may_unmask
from hilgate.virtual.decode import Instruction, decode, needs_coprocessor
from hilgate.virtual.hooks import Reason

if TYPE_CHECKING:
    from hilgate.virtual.core import Core


@dataclass(frozen=True)
class Watched:
    """A check on one instruction, and Unicorn's handle of it."""

    reason: Reason
    register: int
    handle: int


class Learner:
    """divide_trap: CCR.DIV_0_TRP, which decides what is watched; change it before `forget`."""

    def __init__(self, core: Core) -> None:
        self._core, self._flash = core, core.accelerator
        self._starts: dict[int, tuple[int, ...]] = {}
        self._watched: dict[int, list[Watched]] = {}
        self.divide_trap = False

    def learn(self, address: int, size: int) -> None:
        """Teach the hooks the block that is about to be entered. Raises VirtualFault for foreign instructions."""
        code, after = self._decode(address, size)
        known = (
            address in self._starts
        )  # rewritten, perhaps by another address of the same memory, which Unicorn misses
        self._starts[address] = tuple(item.address for item in code)
        if self._check(code) or known:
            self._core.uc.ctl_remove_cache(address, address + size)
        if self._core.cycles_counted:
            rule = dual_issue.block_cost if dual_issue.applies(self._core.cpu) else block_cost
            cost = rule(self._core.cpu, code, after)
        else:
            count = tuple(i for i, item in enumerate(code) for _ in range(item.size // 2))
            cost = BlockCost(address, size, len(code), len(code), 0, 0, count, may_unmask(code[-1]))
        lines = self._lines(cost) if self._core.cycles_counted else []
        self._core.hooks.add_block(cost, lines, self._host(address, size))

    def instructions_from(self, block: int, pc: int) -> int:
        """How many instructions of a block lie at or after `pc`."""
        return sum(1 for start in self._starts[block] if start >= pc)

    def forget(self) -> None:
        """Before everything is learned anew."""
        for watches in self._watched.values():
            for watched in watches:
                self._core.hooks.unwatch(self._core.uc, watched.handle)
        self._watched.clear()

    def _decode(self, address: int, size: int) -> tuple[list[Instruction], Instruction | None]:
        memories = self._core.memories
        raw = memories.read(address, size)
        code = decode(raw, address)
        end = code[-1].address + code[-1].size if code else address
        while end < address + size:  # no instruction: it will fault when it is reached
            width = 4 if raw[end - address + 1] >> 3 >= 0b11101 and end + 2 < address + size else 2
            code.append(Instruction(end, width, "(undefined)", "", "alu", 0, 0, 0, indexed=False, to_pc=False))
            more = decode(raw[end + width - address :], end + width)
            code, end = code + more, end + width + sum(item.size for item in more)
        after = decode(memories.read(end, 4), end)[:1] if memories.holds(end, 4) else []
        self._refuse_foreign(code)
        return code, (after[0] if after else None)

    def _refuse_foreign(self, code: list[Instruction]) -> None:
        """Unicorn's smaller cores execute instructions that they do not have: firmware for another core ends here."""
        cpu = self._core.cpu
        for item in code:
            if not cpu.has(item) and item.mnemonic != "(undefined)":
                raise VirtualFault(
                    f"`{item.mnemonic} {item.operands}` is no instruction of the {cpu.name}",
                    where=f"pc 0x{item.address:08x}",
                    hint="build for this core (-mcpu)",
                )

    # ------------------------------------------------------------------ checks

    def _check(self, code: list[Instruction]) -> bool:
        """Watch what needs it and nothing else: RAM may hold other code than last time. Returns whether it changed."""
        changed = False
        wanted = {item.address: self._wanted(item) for item in code}
        for address in range(code[0].address, code[-1].address + code[-1].size, 2):
            for watched in list(self._watched.get(address, ())):
                if (watched.reason, watched.register) not in wanted.get(address, ()):
                    self._core.hooks.unwatch(self._core.uc, watched.handle)
                    self._watched[address].remove(watched)
                    changed = True
        for item in code:
            there = self._watched.setdefault(item.address, []) if wanted[item.address] else []
            for reason, register in wanted[item.address]:
                if not any((w.reason, w.register) == (reason, register) for w in there):
                    watch = self._core.hooks.watch
                    handle = watch(self._core.uc, item.address, reason, register, predicated=item.predicated)
                    there.append(Watched(reason, register, handle))
                    changed = True
        return changed

    def _wanted(self, item: Instruction) -> list[tuple[Reason, int]]:
        wanted = []
        if item.checked_base >= 0:
            wanted.append((Reason.UNALIGNED, self._core.register_id(item.checked_base)))
        if needs_coprocessor(item) and not (self._core.state.fpu_enabled and item.kind != "coprocessor"):
            wanted.append((Reason.NO_COPROCESSOR, -1))
        if item.divisor >= 0 and self.divide_trap:
            wanted.append((Reason.DIVIDE, self._core.register_id(item.divisor)))
        return wanted

    # ------------------------------------------------------------------ places

    def _in_flash(self, address: int) -> bool:
        flash = self._flash
        return flash is not None and flash.flash_begin <= address < flash.flash_begin + flash.flash_bytes

    def _lines(self, cost: BlockCost) -> list[tuple[int, int]]:
        """(flash line, cycles spent on instructions that start in it) of a block in flash; nothing for code in RAM."""
        if self._flash is None or not self._in_flash(cost.address):
            return []
        shift = self._flash.line_shift
        ends = [*cost.before[1:], cost.cycles]
        lines: dict[int, int] = {}
        for index, start in enumerate(cost.before):
            line = (cost.address + 2 * index) >> shift
            lines[line] = lines.get(line, 0) + ends[index] - start
        return list(lines.items())

    def _host(self, address: int, size: int) -> tuple[int, int] | None:
        """Host address and words of code that firmware can rewrite at any time (RAM)."""
        if self._flash is None or self._in_flash(address):
            return None
        begin, end = address & ~3, (address + size + 3) & ~3
        host = self._core.memories.host_address(begin, end - begin)
        return None if host is None else (host, (end - begin) // 4)
