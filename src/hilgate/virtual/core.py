"""The core: Unicorn made to be the one Cortex-M that it should be, run from stop to stop with everything accounted.

`Core.run` translates Unicorn's many ways to stop into one `Stop`; what a stop means is the machine's business. Blocks are
decoded once, when first entered: for their cost, and for the checks that Unicorn itself leaves out.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hilgate.errors import VirtualFault
from hilgate.virtual.cost import BlockCost, Cpu, block_cost, may_unmask
from hilgate.virtual.decode import Instruction, decode, needs_coprocessor
from hilgate.virtual.hooks import Accelerator, Page, Reason, make_hooks

NOWHERE = 0xDFFF_FFFE  # never executed: Unicorn wants an address to stop at
EXCEPTION_RETURN = 0xFFFF_FFE0


class Event(Enum):
    """Why the core stopped."""

    DEADLINE = "deadline"
    WAIT = "wfi"
    SUPERVISOR = "svc"
    BREAKPOINT = "bkpt"
    RETURN = "exception return"
    UNDEFINED = "undefined instruction"
    INVALID_STATE = "ARM state"
    UNALIGNED = "unaligned"
    NO_COPROCESSOR = "no coprocessor"
    DIVIDE = "division by zero"
    READ = "read of unmapped memory"
    WRITE = "write to unmapped memory"
    FETCH = "execution of unmapped memory"
    FETCH_DENIED = "execution of memory that cannot execute"
    PROTECTED = "write to read-only memory"


@dataclass(frozen=True)
class Stop:
    """event, the address of the instruction (of the next one after a wait, svc or bkpt), and of an access its address and value."""

    event: Event
    pc: int
    address: int = 0
    size: int = 0
    value: int = 0


class Core:
    """One core with its memories. cycles: the cost model counts; else each instruction counts as one cycle."""

    def __init__(self, cpu: Cpu, accelerator: Accelerator | None, *, cycles: bool = True, native: bool = True) -> None:
        import unicorn
        from unicorn import arm_const

        self.cpu, self.cycles_counted = cpu, cycles
        self.registers = arm_const
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        model = getattr(arm_const, cpu.unicorn)
        self.uc.ctl_set_cpu_model(model)
        if self.uc.ctl_get_cpu_model() != model:
            raise VirtualFault(f"Unicorn does not give a {cpu.name}", where="unicorn", hint="use unicorn 2.1 or later")
        self.hooks = make_hooks(accelerator, native=native)
        self.state = self.hooks.state
        self._memories: list[tuple[int, int, Any]] = []
        self._flash = accelerator
        self._starts: dict[int, tuple[int, ...]] = {}
        self._watched: set[tuple[int, Reason]] = set()
        self._stop: Stop | None = None
        self.error: BaseException | None = None
        self.divide_trap = False
        self.code_changed_later = False
        self.thumb = 1
        self.hooks.attach(self.uc, memory=cycles)
        self._attach()

    def _attach(self) -> None:
        import unicorn

        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._on_interrupt)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid_access)
        self.uc.hook_add(unicorn.UC_HOOK_INSN_INVALID, lambda _uc, _user: False)

    # ------------------------------------------------------------------ memory

    def map_memory(self, origin: int, size: int, *, execute: bool, write: bool) -> memoryview:
        """A memory as the core sees it; returns its bytes for the host, shared."""
        import unicorn

        rounded = (size + 0xFFF) & ~0xFFF
        buffer = (ctypes.c_uint8 * rounded)()
        permissions = unicorn.UC_PROT_READ | (unicorn.UC_PROT_WRITE if write else 0)
        permissions |= unicorn.UC_PROT_EXEC if execute else 0
        self.uc.mem_map_ptr(origin, rounded, permissions, ctypes.addressof(buffer))
        self._memories.append((origin, rounded, buffer))
        return memoryview(buffer).cast("B")

    def alias(self, origin: int, at: int) -> None:
        """The memory at `origin` answers at `at` too."""
        import unicorn

        for begin, rounded, buffer in list(self._memories):
            if begin == origin:
                self.uc.mem_map_ptr(at, rounded, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC, ctypes.addressof(buffer))
                self._memories.append((at, rounded, buffer))

    def map_registers(self, base: int, read: Any, write: Any) -> Page:
        """4 KiB of registers. Exceptions of the callbacks stop the core and come out of `run`."""

        def guarded_read(address: int, size: int) -> int:
            try:
                return int(read(address, size)) & 0xFFFF_FFFF
            except BaseException as error:  # ctypes would swallow it
                self._fail(error)
                return 0

        def guarded_write(address: int, size: int, value: int) -> None:
            try:
                write(address, size, value & ((1 << 8 * size) - 1))
            except BaseException as error:  # ctypes would swallow it
                self._fail(error)

        return self.hooks.page(self.uc, base, guarded_read, guarded_write)

    def _fail(self, error: BaseException) -> None:
        self.error = self.error or error
        self.uc.emu_stop()

    def holds(self, address: int, size: int) -> bool:
        return any(origin <= address and address + size <= origin + rounded for origin, rounded, _ in self._memories)

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory (no registers). Raises VirtualFault where there is none."""
        for origin, rounded, buffer in self._memories:
            if origin <= address and address + size <= origin + rounded:
                return bytes(memoryview(buffer)[address - origin : address - origin + size])
        raise VirtualFault(f"no memory at 0x{address:08x}, {size} bytes", where="virtual board")

    def write(self, address: int, data: bytes) -> None:
        """The same for writing; writes flash too."""
        for origin, rounded, buffer in self._memories:
            if origin <= address and address + len(data) <= origin + rounded:
                memoryview(buffer).cast("B")[address - origin : address - origin + len(data)] = data
                return
        raise VirtualFault(f"no memory at 0x{address:08x}, {len(data)} bytes", where="virtual board")

    def code_changed(self) -> None:
        """Forget everything translated, after flash was erased or programmed."""
        self.uc.ctl_flush_tb()
        self.hooks.forget()
        self.code_changed_later = False

    def code_break(self) -> None:
        """What runs next does not follow what ran last."""
        self.hooks.break_flow()

    # ------------------------------------------------------------------ registers

    def get(self, name: str) -> int:
        return int(self.uc.reg_read(getattr(self.registers, f"UC_ARM_REG_{name}")))

    def set(self, name: str, value: int) -> None:
        self.uc.reg_write(getattr(self.registers, f"UC_ARM_REG_{name}"), value & 0xFFFF_FFFF)

    def cycles_at(self, pc: int | None = None) -> int:
        """The cycle count; with `pc`, exact for a core that stands there in the middle of a block."""
        return int(self.state.cycles) - (0 if pc is None else self.hooks.unspent(pc)[0])

    # ------------------------------------------------------------------ running

    def run(self, pc: int) -> Stop:
        """Run from `pc` (bit 0: Thumb) until something needs attention. On return everything not executed is given back;
        `thumb` is the state that the core was left in."""
        while True:
            self._stop, self.state.reason = None, Reason.NONE
            self._emulate(pc)
            self.thumb = self.get("XPSR") >> 24 & 1
            pc = self.get("PC") | self.thumb
            if self.error is not None:
                error, self.error = self.error, None
                self._give_back(pc & ~1)
                raise error
            if self.state.reason == Reason.NEW_BLOCK and not self.thumb:
                return Stop(Event.INVALID_STATE, pc)
            if self.state.reason == Reason.NEW_BLOCK:
                self._learn(int(self.state.reason_address), int(self.state.reason_size))
                continue
            return self._stopped(pc & ~1)

    def _emulate(self, pc: int) -> None:
        from unicorn import UC_ERR_INSN_INVALID, UcError

        try:
            self.uc.emu_start(pc, NOWHERE)
        except UcError as error:
            if error.errno == UC_ERR_INSN_INVALID:
                state = self.get("XPSR") >> 24 & 1
                event = Event.UNDEFINED if state else Event.INVALID_STATE
                self._stop = Stop(event, self.get("PC"))
            elif self._stop is None:
                raise VirtualFault(f"the emulator failed: {error}", where=f"pc 0x{self.get('PC'):08x}") from error

    def _stopped(self, pc: int) -> Stop:
        reason, at = Reason(self.state.reason), int(self.state.reason_address)
        if reason is Reason.DEADLINE:
            return Stop(Event.DEADLINE, pc)
        if reason is not Reason.NONE:
            self._stop = self._trapped(reason, at, pc)
        stop = self._stop or Stop(Event.WAIT, pc)
        self._give_back(stop.pc)
        return stop

    def _trapped(self, reason: Reason, at: int, pc: int) -> Stop:
        """A watched instruction broke its condition."""
        event = {
            Reason.UNALIGNED: Event.UNALIGNED,
            Reason.NO_COPROCESSOR: Event.NO_COPROCESSOR,
            Reason.DIVIDE: Event.DIVIDE,
        }[reason]
        item = decode(self.read(at, 4), at)[0]
        if item.predicated and reason is Reason.UNALIGNED:
            name = {13: "SP", 14: "LR", 15: "PC"}.get(item.checked_base, f"R{item.checked_base}")
            self.set(name, int(self.state.poisoned))
        elif pc != at:
            raise VirtualFault(
                f"`{item.mnemonic} {item.operands}` in an IT block: its {event.value} fault is not modelled",
                where=f"pc 0x{at:08x}",
            )
        return Stop(event, at)

    def _give_back(self, pc: int) -> None:
        """A block is accounted when entered: take back what lies at and after `pc`."""
        rest, block = self.hooks.unspent(pc)
        if block:
            self.state.cycles -= rest
            self.state.instructions -= sum(1 for start in self._starts[block] if start >= pc)
        self.hooks.break_flow()

    def _on_interrupt(self, uc: Any, number: int, _user: Any) -> None:
        pc = self.get("PC")
        event = {2: Event.SUPERVISOR, 7: Event.BREAKPOINT, 8: Event.RETURN, 1: Event.UNDEFINED}.get(
            number, Event.FETCH_DENIED
        )
        if pc >= EXCEPTION_RETURN:
            event = Event.RETURN
        self._stop = Stop(event, pc, address=pc)
        uc.emu_stop()

    def _on_invalid_access(self, _uc: Any, access: int, address: int, size: int, value: int, _user: Any) -> bool:
        import unicorn

        events = {
            unicorn.UC_MEM_READ_UNMAPPED: Event.READ,
            unicorn.UC_MEM_WRITE_UNMAPPED: Event.WRITE,
            unicorn.UC_MEM_FETCH_UNMAPPED: Event.FETCH,
            unicorn.UC_MEM_FETCH_PROT: Event.FETCH_DENIED,
            unicorn.UC_MEM_WRITE_PROT: Event.PROTECTED,
        }
        event = events.get(access, Event.READ)
        pc = self.get("PC")
        if event is Event.FETCH and pc >= EXCEPTION_RETURN:
            event = Event.RETURN
        self._stop = Stop(event, pc, address & 0xFFFF_FFFF, size, value)
        return False

    # ------------------------------------------------------------------ learning blocks

    def _learn(self, address: int, size: int) -> None:
        code, after = self._decode(address, size)
        self._starts[address] = tuple(item.address for item in code)
        watched = [self._watch(item) for item in code]
        if any(watched):
            self.uc.ctl_remove_cache(address, address + size)
        if not self.cycles_counted:
            count = tuple(i for i, item in enumerate(code) for _ in range(item.size // 2))
            return self.hooks.add_block(
                BlockCost(address, size, len(code), len(code), 0, 0, count, may_unmask(code[-1])),
                [],
                self._host(address, size),
            )
        cost = block_cost(self.cpu, code, after)
        self.hooks.add_block(cost, self._lines(cost), self._host(address, size))
        return None

    def _decode(self, address: int, size: int) -> tuple[list[Instruction], Instruction | None]:
        raw = self.read(address, size)
        code = decode(raw, address)
        end = code[-1].address + code[-1].size if code else address
        while end < address + size:  # no instruction: it will fault when it is reached
            width = 4 if raw[end - address + 1] >> 3 >= 0b11101 and end + 2 < address + size else 2
            code.append(Instruction(end, width, "(undefined)", "", "alu", 0, 0, 0, False, False))
            more = decode(raw[end + width - address :], end + width)
            code, end = code + more, end + width + sum(item.size for item in more)
        after = decode(self.read(end, 4), end)[:1] if self.holds(end, 4) else []
        self._refuse_foreign(code)
        return code, (after[0] if after else None)

    def _refuse_foreign(self, code: list[Instruction]) -> None:
        """Unicorn's smaller cores execute instructions that they do not have; a firmware built for another core ends here."""
        for item in code:
            if item.mnemonic in self.cpu.forbidden or (item.kind.startswith("fp") and not self.cpu.fpu):
                raise VirtualFault(
                    f"`{item.mnemonic} {item.operands}` is no instruction of the {self.cpu.name}",
                    where=f"pc 0x{item.address:08x}",
                    hint="build for this core (-mcpu)",
                )

    def _watch(self, item: Instruction) -> bool:
        """Add the checks that an instruction needs. Returns whether there are new ones."""
        wanted = []
        if item.checked_base >= 0:
            wanted.append((Reason.UNALIGNED, self._register(item.checked_base)))
        if needs_coprocessor(item) and not (self.state.fpu_enabled and item.kind != "coprocessor"):
            wanted.append((Reason.NO_COPROCESSOR, -1))
        if item.divisor >= 0 and self.divide_trap:
            wanted.append((Reason.DIVIDE, self._register(item.divisor)))
        new = [(reason, register) for reason, register in wanted if (item.address, reason) not in self._watched]
        for reason, register in new:
            self._watched.add((item.address, reason))
            self.hooks.watch(self.uc, item.address, reason, register, predicated=item.predicated)
        return bool(new)

    def _register(self, number: int) -> int:
        name = {13: "SP", 14: "LR", 15: "PC"}.get(number, f"R{number}")
        return int(getattr(self.registers, f"UC_ARM_REG_{name}"))

    def _lines(self, cost: BlockCost) -> list[tuple[int, int]]:
        """(flash line, cycles spent on instructions that start in it) of a block in flash; nothing for code in RAM."""
        flash = self._flash
        if flash is None or not flash.flash_begin <= cost.address < flash.flash_begin + flash.flash_bytes:
            return []
        shift = flash.line_shift
        ends = [*cost.before[1:], cost.cycles]
        lines: dict[int, int] = {}
        for index, start in enumerate(cost.before):
            line = (cost.address + 2 * index) >> shift
            lines[line] = lines.get(line, 0) + ends[index] - start
        return list(lines.items())

    def _host(self, address: int, size: int) -> tuple[int, int] | None:
        """Host address and words of code that firmware can rewrite at any time (RAM)."""
        flash = self._flash
        if flash is None or flash.flash_begin <= address < flash.flash_begin + flash.flash_bytes:
            return None
        begin, end = address & ~3, (address + size + 3) & ~3
        for origin, rounded, buffer in self._memories:
            if origin <= begin and end <= origin + rounded:
                return ctypes.addressof(buffer) + begin - origin, (end - begin) // 4
        return None
