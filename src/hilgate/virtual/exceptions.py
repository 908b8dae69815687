"""Exceptions of an ARMv7-M core: which one is next, its entry and return with the proper frame, faults and escalation.

ARM DDI 0403E.e B1.5. Unicorn has none of this for an M-profile core; what it gives is a stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.errors import VirtualFault

if TYPE_CHECKING:
    from hilgate.virtual.machine import Machine

NMI, HARD, MEMORY, BUS, USAGE, SVCALL, DEBUG, PENDSV, SYSTICK, FIRST_INTERRUPT = 2, 3, 4, 5, 6, 11, 12, 14, 15, 16
LOWEST = 256
FIXED = {1: -3, NMI: -2, HARD: -1}
# CFSR bit -> (number, exception that it belongs to); B3.2.15
FAULTS = {
    "IACCVIOL": (0, MEMORY), "DACCVIOL": (1, MEMORY), "MSTKERR": (4, MEMORY), "IBUSERR": (8, BUS),
    "PRECISERR": (9, BUS),
    "IMPRECISERR": (10, BUS), "UNSTKERR": (11, BUS), "STKERR": (12, BUS), "UNDEFINSTR": (16, USAGE),
    "INVSTATE": (17, USAGE),
    "INVPC": (18, USAGE), "NOCP": (19, USAGE), "UNALIGNED": (24, USAGE), "DIVBYZERO": (25, USAGE),
}  # fmt: skip
BFARVALID = 1 << 15
HFSR_VECTTBL, HFSR_FORCED = 1 << 1, 1 << 30
ENABLE_BITS = {MEMORY: 16, BUS: 17, USAGE: 18}
BASIC_FRAME, FP_FRAME = 0x20, 0x68
CONTROL_SPSEL, CONTROL_FPCA = 2, 4
XPSR_IT = 0x0600_FC00
XPSR_ALIGNED = 1 << 9


class Exceptions:
    """pending, active, enabled: exception numbers; levels: interrupt lines that are high."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.core = machine, machine.core
        self.reset()

    def reset(self) -> None:
        self.pending: set[int] = set()
        self.active: list[int] = []
        self.enabled: set[int] = set()
        self.levels: set[int] = set()
        self.priority: dict[int, int] = {}

    # ------------------------------------------------------------------ which one is next

    def current(self) -> int:
        return self.active[-1] if self.active else 0

    def priority_of(self, number: int) -> int:
        """Group priority; lower is more urgent."""
        if number in FIXED:
            return FIXED[number]
        group = (self.machine.scb.get("AIRCR") >> 8 & 7) + 1
        return self.priority.get(number, 0) >> group << group

    def execution_priority(self) -> int:
        level = min((self.priority_of(number) for number in self.active), default=LOWEST)
        basepri = self.core.get("BASEPRI")
        if basepri:
            level = min(level, basepri)
        if self.core.get("PRIMASK") & 1:
            level = min(level, 0)
        return min(level, -1) if self.core.get("FAULTMASK") & 1 else level

    def next_pending(self, *, ignore_masks: bool = False) -> int | None:
        """The most urgent pending exception, or the most urgent one that may be taken now."""
        candidates = [n for n in self.pending if n < FIRST_INTERRUPT or n in self.enabled]
        if not candidates:
            return None
        best = min(candidates, key=lambda number: (self.priority_of(number), number))
        return best if ignore_masks or self.priority_of(best) < self.execution_priority() else None

    def pend(self, number: int) -> None:
        self.pending.add(number)

    def set_level(self, number: int, high: bool) -> None:
        """An interrupt line; it pends on its rising edge, and again on return while it is still high."""
        if high and number not in self.levels:
            self.levels.add(number)
            self.pending.add(number)
            self.machine.clock.stop_now()
        elif not high:
            self.levels.discard(number)

    # ------------------------------------------------------------------ entry

    def enter(self, number: int, return_address: int) -> int:
        """Stack a frame, switch to handler mode; returns where to go on (with its Thumb bit)."""
        core, fp = self.core, bool(self.core.get("CONTROL") & CONTROL_FPCA)
        on_process_stack = not self.active and bool(core.get("CONTROL") & CONTROL_SPSEL)
        pointer = core.get("PSP" if on_process_stack else "MSP")
        frame = (pointer - (FP_FRAME if fp else BASIC_FRAME)) & ~7  # CCR.STKALIGN is set on a Cortex-M4
        xpsr = core.get("XPSR") & ~XPSR_ALIGNED | (XPSR_ALIGNED if pointer & 4 else 0)
        number = self._stack(number, frame, fp, return_address, xpsr)
        return_code = (0xFFFF_FFE1 if fp else 0xFFFF_FFF1) | (0 if self.active else 8) | (4 if on_process_stack else 0)
        others = core.get("MSP" if on_process_stack else "PSP")
        self.pending.discard(number)
        self.active.append(number)
        self._set_mode(
            number, *((others, frame) if on_process_stack else (frame, others)), control=core.get("CONTROL") & 1
        )
        core.set("LR", return_code)
        core.state.cycles += core.cpu.cost["exception_entry"] if core.cycles_counted else 0
        return self._vector(number)

    def _stack(self, number: int, frame: int, fp: bool, return_address: int, xpsr: int) -> int:
        core = self.core
        words = [core.get(name) for name in ("R0", "R1", "R2", "R3", "R12", "LR")] + [return_address & ~1, xpsr]
        if fp:
            words += [core.get(f"S{n}") for n in range(16)] + [core.get("FPSCR"), 0]
        data = b"".join(word.to_bytes(4, "little") for word in words)
        if core.memories.may_write(frame, len(data)):
            core.memories.write(frame, data)
            return number
        self._status("STKERR")  # a derived fault: taken instead when it is more urgent (B1.5.11)
        derived = self._escalated(BUS)
        if self.priority_of(derived) < self.priority_of(number) or derived == HARD:
            if number >= SVCALL:
                self.pending.add(number)
            return derived
        self.pending.add(derived)
        return number

    def _set_mode(self, number: int, main: int, process: int, *, control: int) -> None:
        """IPSR, both stack pointers and CONTROL, in the order that Unicorn's banking of SP needs."""
        core = self.core
        xpsr = core.get("XPSR") & ~(0x1FF | XPSR_IT)
        core.set("CONTROL", control)
        core.set("XPSR", xpsr | number | 1 << 24)
        core.set("MSP", main)
        core.set("PSP", process)

    def _vector(self, number: int) -> int:
        table = self.machine.scb.get("VTOR") or self.machine.vector_base
        address = table + 4 * number
        if not self.core.memories.holds(address, 4):
            self.machine.scb.set("HFSR", self.machine.scb.get("HFSR") | HFSR_VECTTBL)
            raise VirtualFault(f"lockup: no vector {number} at 0x{address:08x}", hint="check VTOR")
        self.core.code_break()
        handler = int.from_bytes(self.core.memories.read(address, 4), "little")
        if handler in (0, 0xFFFF_FFFF):
            cause = f" for {self.machine.last_fault}" if number < SVCALL else ""
            raise VirtualFault(f"exception {number} has no handler{cause}: its vector holds 0x{handler:08x}")
        return handler

    # ------------------------------------------------------------------ return

    def leave(self, code: int) -> int:
        """Exception return with EXC_RETURN `code`; returns where to go on (with its Thumb bit)."""
        core = self.core
        if not self.active:
            raise VirtualFault(f"jump to 0x{code:08x} (exception return) while no exception is active")
        number = self.active.pop()
        if number != NMI:
            core.set("FAULTMASK", 0)
        if number in self.levels:
            self.pending.add(number)
        to_thread, process, fp = bool(code & 8), bool(code & 4), not code & 0x10
        if code & 0xF not in (1, 9, 13) or to_thread == bool(self.active):
            return self._bad_return(number, code)
        frame = core.get("PSP" if process else "MSP")
        size = FP_FRAME if fp else BASIC_FRAME
        if not core.memories.holds(frame, size):
            return self.fault("UNSTKERR", core.get("PC"))
        raw = core.memories.read(frame, size)
        words = [int.from_bytes(raw[i : i + 4], "little") for i in range(0, size, 4)]
        after = frame + size + (4 if words[7] & XPSR_ALIGNED else 0)
        others = core.get("MSP" if process else "PSP")
        control = core.get("CONTROL") & 1 | (CONTROL_SPSEL if process else 0) | (CONTROL_FPCA if fp else 0)
        for name, value in zip(("R0", "R1", "R2", "R3", "R12", "LR"), words, strict=False):
            core.set(name, value)
        if fp:
            for n in range(16):
                core.set(f"S{n}", words[8 + n])
            core.set("FPSCR", words[24])
        self._restore(words[7], *((others, after) if process else (after, others)), control=control)
        core.state.cycles += core.cpu.cost["exception_return"] if core.cycles_counted else 0
        core.code_break()
        return words[6] | (words[7] >> 24 & 1)

    def _restore(self, xpsr: int, main: int, process: int, *, control: int) -> None:
        core = self.core
        core.set("XPSR", xpsr & ~XPSR_ALIGNED & ~0x1FF | self.current())
        core.set("CONTROL", control)
        core.set("MSP", main)
        core.set("PSP", process)

    def _bad_return(self, number: int, code: int) -> int:
        self.active.append(number)
        raise VirtualFault(f"exception return with the illegal code 0x{code:08x} from exception {number}")

    # ------------------------------------------------------------------ faults

    def fault(self, bit: str, pc: int, address: int | None = None) -> int:
        """A synchronous fault at `pc`. Returns where to go on. Raises VirtualFault at lockup."""
        self._status(bit, address)
        self.machine.note_fault(bit, pc, address)
        return self.enter(self._escalated(FAULTS[bit][1]), pc)

    def _status(self, bit: str, address: int | None = None) -> None:
        scb = self.machine.scb
        value = scb.get("CFSR") | 1 << FAULTS[bit][0]
        if address is not None:
            scb.set("BFAR", address)
            value |= BFARVALID
        scb.set("CFSR", value)

    def _escalated(self, number: int) -> int:
        """The fault itself when enabled and urgent enough, else HardFault; lockup when even that cannot be taken."""
        enabled = self.machine.scb.get("SHCSR") >> ENABLE_BITS[number] & 1
        if enabled and self.priority_of(number) < self.execution_priority():
            return number
        self.machine.scb.set("HFSR", self.machine.scb.get("HFSR") | HFSR_FORCED)
        if self.execution_priority() <= -1:
            raise VirtualFault(f"lockup: {self.machine.last_fault}")
        return HARD

    def supervisor_call(self, return_address: int) -> int:
        """SVC; escalates when its priority does not allow it now (B1.5.4)."""
        if self.priority_of(SVCALL) < self.execution_priority():
            return self.enter(SVCALL, return_address)
        self.machine.scb.set("HFSR", self.machine.scb.get("HFSR") | HFSR_FORCED)
        if self.execution_priority() <= -1:
            raise VirtualFault("lockup: SVC in a HardFault handler")
        return self.enter(HARD, return_address)
