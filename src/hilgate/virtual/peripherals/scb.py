"""SCB, FPU control and debug identification: what firmware reads after a fault and writes before a reset."""

from __future__ import annotations

from hilgate.virtual.exceptions import NMI, PENDSV, SYSTICK
from hilgate.virtual.peripherals.base import Peripheral

KEY = 0x05FA
SHARED_WITH_EXCEPTIONS = ("CFSR", "HFSR", "MMFAR", "BFAR")


class Scb(Peripheral):
    """Fault status lives here; who sets it is exceptions.py."""

    PLAIN = frozenset(("CPUID", "CFSR", "HFSR", "DFSR", "MMFAR", "BFAR", "AFSR", "SHPR1", "SHPR2", "SHPR3"))
    CLEARED_BY_ONES = frozenset(("CFSR", "HFSR", "DFSR"))

    def reset(self) -> None:
        super().reset()
        self.set("VTOR", 0)
        self.machine.core.state.fpu_enabled = 0

    def write_CFSR(self, value: int) -> None:  # noqa: N802
        self.set("CFSR", self.values["CFSR"] & ~value)

    def write_HFSR(self, value: int) -> None:  # noqa: N802
        self.set("HFSR", self.values["HFSR"] & ~value)

    def write_DFSR(self, value: int) -> None:  # noqa: N802
        self.set("DFSR", self.values["DFSR"] & ~value)

    def write_VTOR(self, value: int) -> None:  # noqa: N802
        self.set("VTOR", value & 0xFFFF_FF80)

    def _priorities(self, register: str, value: int) -> None:
        value &= 0xF0F0_F0F0
        self.set(register, value)
        first = {"SHPR1": 4, "SHPR2": 8, "SHPR3": 12}[register]
        for i in range(4):
            self.machine.exceptions.priority[first + i] = value >> 8 * i & 0xFF
        self.machine.clock.stop_now()

    def write_SHPR1(self, value: int) -> None:  # noqa: N802
        self._priorities("SHPR1", value)

    def write_SHPR2(self, value: int) -> None:  # noqa: N802
        self._priorities("SHPR2", value)

    def write_SHPR3(self, value: int) -> None:  # noqa: N802
        self._priorities("SHPR3", value)

    def read_ICSR(self) -> int:  # noqa: N802
        exceptions = self.machine.exceptions
        pending = exceptions.next_pending(ignore_masks=True) or 0
        word = exceptions.current() | pending << 12 | int(any(n >= 16 for n in exceptions.pending)) << 22
        word |= int(len(exceptions.active) <= 1) << 11
        return word | int(SYSTICK in exceptions.pending) << 26 | int(PENDSV in exceptions.pending) << 28

    def write_ICSR(self, value: int) -> None:  # noqa: N802
        exceptions = self.machine.exceptions
        for bit, number, sets in (
            (31, NMI, True),
            (28, PENDSV, True),
            (27, PENDSV, False),
            (26, SYSTICK, True),
            (25, SYSTICK, False),
        ):
            if value >> bit & 1:
                (exceptions.pending.add if sets else exceptions.pending.discard)(number)
        self.machine.clock.stop_now()

    def read_AIRCR(self) -> int:  # noqa: N802
        return 0xFA05 << 16 | self.values["AIRCR"] & 0x700

    def write_AIRCR(self, value: int) -> None:  # noqa: N802
        if value >> 16 != KEY:
            return  # a write without the key is ignored (ARM DDI 0403E B3.2.6)
        self.set("AIRCR", value & 0x700)
        if value & 4:
            self.machine.request_reset("software")
        if value & 3:
            self._refuse(f"SCB.AIRCR = 0x{value:08x}: VECTRESET and VECTCLRACTIVE are for debuggers")

    def write_SCR(self, value: int) -> None:  # noqa: N802
        self.set("SCR", value & 0x16)
        if value & 4:
            self._refuse("SCB.SCR.SLEEPDEEP: stop and standby modes are not modelled")

    def write_CCR(self, value: int) -> None:  # noqa: N802
        self.set("CCR", value & 0x31B)
        if value & 8:
            self._refuse("SCB.CCR.UNALIGN_TRP is not modelled")
        divide_trap = bool(value & 0x10)
        if divide_trap != self.machine.core.learner.divide_trap:
            self.machine.core.learner.divide_trap = divide_trap
            self.machine.core.code_changed_later = True
            self.machine.clock.stop_now()

    def write_SHCSR(self, value: int) -> None:  # noqa: N802
        self.set("SHCSR", value & 0x7_0000)

    def read_SHCSR(self) -> int:  # noqa: N802
        active, pending = self.machine.exceptions.active, self.machine.exceptions.pending
        bits = {4: 0, 5: 1, 6: 3, 11: 7, 12: 8, 14: 10, 15: 11}
        word = sum(1 << bit for number, bit in bits.items() if number in active)
        word |= sum(1 << bit for number, bit in {6: 12, 4: 13, 5: 14, 11: 15}.items() if number in pending)
        return self.values["SHCSR"] | word

    def write_CPACR(self, value: int) -> None:  # noqa: N802
        self.set("CPACR", value & 0x00F0_0000 if self.machine.core.cpu.fpu else 0)
        on = int(self.values["CPACR"] == 0x00F0_0000)
        if on != self.machine.core.state.fpu_enabled:
            self.machine.core.state.fpu_enabled = on
            if not on:
                self.machine.core.code_changed_later = True
                self.machine.clock.stop_now()


class Fpu(Peripheral):
    """FPCCR and friends. State is always stacked at once where silicon may do it lazily: same frame, other time."""

    PLAIN = frozenset(("FPCAR", "FPDSCR"))

    def write_FPCCR(self, value: int) -> None:  # noqa: N802
        self.set("FPCCR", value & 0xC000_0000)


class Debug(Peripheral):
    """DBGMCU: the freeze bits only matter to a debugger. IDCODE is refused: vendor data has that of another chip."""

    PLAIN = frozenset(("CR", "APB1_FZ", "APB2_FZ", "APB1_FZR1", "APB1_FZR2", "APB2_FZR"))
