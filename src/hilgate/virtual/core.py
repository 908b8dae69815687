"""The core: Unicorn made to be the one Cortex-M that it should be, run from stop to stop with everything accounted.

`Core.run` translates Unicorn's many ways to stop into one `Stop`; stops.py says what a stop means. Blocks are decoded
once, when first entered: for their cost, and for the checks that Unicorn itself leaves out.
"""

from __future__ import annotations

import ctypes
from enum import Enum
from typing import Any, NamedTuple

from hilgate.errors import VirtualFault
from hilgate.virtual.cost import Cpu
from hilgate.virtual.decode import decode
from hilgate.virtual.hooks import Accelerator, Page, Reason, make_hooks
from hilgate.virtual.learn import Learner
from hilgate.virtual.memory import Memories

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


class Stop(NamedTuple):
    """pc: of the instruction, or of the next one after a wait, svc or bkpt; of an access: address, bytes, value."""

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
        from unicorn.unicorn_py3.unicorn import uclib

        self._reg_read, self._reg_write = (
            uclib.uc_reg_read,
            uclib.uc_reg_write,
        )  # the binding's own are ten times slower
        self.cpu, self.cycles_counted = cpu, cycles
        self.registers = arm_const
        self._emulator_error = unicorn.UcError
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        model = getattr(arm_const, cpu.unicorn)
        self.uc.ctl_set_cpu_model(model)
        if self.uc.ctl_get_cpu_model() != model:
            raise VirtualFault(f"Unicorn does not give a {cpu.name}", where="unicorn", hint="use unicorn 2.1 or later")
        self.hooks = make_hooks(accelerator, native=native)
        self.state = self.hooks.state
        self.memories = Memories(self.uc)
        self.accelerator = accelerator
        self.learner = Learner(self)
        self._stop: Stop | None = None
        self.error: BaseException | None = None
        self.code_changed_later = False
        self.thumb = 1
        self._value, self._xpsr, self._pc = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_uint32()
        self._value_at = ctypes.byref(self._value)
        self._ids = {n.removeprefix("UC_ARM_REG_"): getattr(arm_const, n) for n in dir(arm_const) if "_REG_" in n}
        self._place_ids = (ctypes.c_int * 2)(self._ids["XPSR"], self._ids["PC"])
        self._place_at = (ctypes.c_void_p * 2)(ctypes.addressof(self._xpsr), ctypes.addressof(self._pc))
        self._read_batch = uclib.uc_reg_read_batch
        self.hooks.attach(self.uc, memory=cycles)
        self._attach()

    def _attach(self) -> None:
        import unicorn

        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._on_interrupt)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid_access)
        self.uc.hook_add(unicorn.UC_HOOK_INSN_INVALID, lambda _uc, _user: False)

    # ------------------------------------------------------------------ registers of peripherals

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

    def code_changed(self) -> None:
        """Forget everything translated, after flash was erased or programmed."""
        self.learner.forget()
        self.uc.ctl_flush_tb()
        self.hooks.forget()
        self.code_changed_later = False

    def code_break(self) -> None:
        """What runs next does not follow what ran last."""
        self.hooks.break_flow()

    # ------------------------------------------------------------------ registers

    def get(self, name: str) -> int:
        self._reg_read(self.uc._uch, self._ids[name], self._value_at)
        return int(self._value.value)

    def set(self, name: str, value: int) -> None:
        self._value.value = value & 0xFFFF_FFFF
        self._reg_write(self.uc._uch, self._ids[name], self._value_at)

    def register_id(self, number: int) -> int:
        """Unicorn's number of R0 to R15."""
        return int(self._ids[{13: "SP", 14: "LR", 15: "PC"}.get(number, f"R{number}")])

    def cycles_at(self, pc: int | None = None) -> int:
        """The cycle count; with `pc`, exact for a core that stands there in the middle of a block."""
        return int(self.state.cycles) - (0 if pc is None else self.hooks.unspent(pc)[0])

    # ------------------------------------------------------------------ running

    def run(self, pc: int) -> Stop:
        """Run from `pc` (bit 0: Thumb) until something needs attention.

        On return everything not executed is given back; `thumb` is the state that the core was left in.
        """
        while True:
            self._stop, self.state.reason = None, Reason.NONE
            self._emulate(pc)
            self._read_batch(self.uc._uch, self._place_ids, self._place_at, 2)
            self.thumb = self._xpsr.value >> 24 & 1
            pc = self._pc.value | self.thumb
            if self.state.reason == Reason.REGISTER:
                raise self._unaligned_register()
            if self.error is not None:
                error, self.error = self.error, None
                self._give_back(pc & ~1)
                raise error
            if self.state.reason == Reason.NEW_BLOCK and not self.thumb:
                return Stop(Event.INVALID_STATE, pc)
            if self.state.reason == Reason.NEW_BLOCK:
                self.learner.learn(int(self.state.reason_address), int(self.state.reason_size))
                continue
            return self._stopped(pc & ~1)

    def _emulate(self, pc: int) -> None:
        try:
            self.uc.emu_start(pc, NOWHERE)
        except self._emulator_error as error:
            from unicorn import UC_ERR_INSN_INVALID

            if error.errno == UC_ERR_INSN_INVALID:
                state = self.get("XPSR") >> 24 & 1
                event = Event.UNDEFINED if state else Event.INVALID_STATE
                self._stop = Stop(event, self.get("PC"))
            elif self._stop is None:
                raise VirtualFault(f"the emulator failed: {error}", where=f"pc 0x{self.get('PC'):08x}") from error

    def _stopped(self, pc: int) -> Stop:
        reason = int(self.state.reason)
        if reason == Reason.DEADLINE:
            return Stop(Event.DEADLINE, pc)
        if reason != Reason.NONE:
            self._stop = self._trapped(Reason(reason), int(self.state.reason_address), pc)
        stop = self._stop or Stop(Event.WAIT, pc)
        self._give_back(stop.pc)
        return stop

    def _unaligned_register(self) -> VirtualFault:
        """Ends the run: Unicorn has cut the access into aligned pieces, and done them."""
        self.error = None
        self.hooks.break_flow()
        self.set("PC", int(self.state.pc))
        size, address = 8 * int(self.state.reason_size), int(self.state.reason_address)
        what = f"unaligned access of {size} bits to a register at 0x{address:08x}: silicon answers with a usage fault"
        return VirtualFault(what, hint="see src/hilgate/virtual/FIDELITY.toml")

    def _trapped(self, reason: Reason, at: int, pc: int) -> Stop:
        """A watched instruction broke its condition. Raises VirtualFault inside IT blocks, where it cannot stop."""
        event = {
            Reason.UNALIGNED: Event.UNALIGNED,
            Reason.NO_COPROCESSOR: Event.NO_COPROCESSOR,
            Reason.DIVIDE: Event.DIVIDE,
        }[reason]
        item = decode(self.memories.read(at, 4), at)[0]
        if item.predicated and reason is Reason.UNALIGNED:
            self.uc.reg_write(self.register_id(item.checked_base), int(self.state.poisoned))
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
            self.state.instructions -= self.learner.instructions_from(block, pc)
        self.hooks.break_flow()

    def _on_interrupt(self, uc: Any, number: int, _user: Any) -> None:
        pc = self.get("PC")
        event = {2: Event.SUPERVISOR, 7: Event.BREAKPOINT, 8: Event.RETURN, 1: Event.UNDEFINED, 4: Event.UNALIGNED}.get(
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
