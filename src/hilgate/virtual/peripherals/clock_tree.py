"""What every RCC of ours does: oscillators that take time, gates and resets of the other peripherals."""

from __future__ import annotations

from functools import partialmethod
from typing import Any, ClassVar

from hilgate.virtual.peripherals.base import Peripheral

AHB_DIVIDERS = (2, 4, 8, 16, 64, 128, 256, 512)


class ClockTree(Peripheral):
    """GATES: registers of clock gates; PULSES: registers that reset peripherals."""

    GATES: ClassVar[tuple[str, ...]] = ()
    PULSES: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for names, what in ((cls.GATES, cls._gate), (cls.PULSES, cls._pulse)):
            for name in names:
                setattr(cls, f"write_{name}", partialmethod(what, name))

    def hse_present(self) -> bool:
        """Whether the board has an external clock of the kind that CR asks for, and it works."""
        clock = self.machine.board.tables["clock"]
        bypass = clock["source"] == "hse_bypass_pll"
        return "hse_hz" in clock and self.machine.options.hse and bool(self.bit("CR", "HSEBYP")) == bypass

    def oscillator(self, on: str, ready: str, us: int, *, present: bool) -> None:
        """After CR was written: an oscillator stops at once, or is ready after `us` when there is one."""
        key = f"RCC.{ready}"
        if not self.bit("CR", on):
            self.machine.clock.cancel(key)
            self.put("CR", ready, 0)
        elif present and not self.bit("CR", ready) and not self.machine.clock.planned(key):
            self.machine.clock.after_us(key, us, lambda: self.is_ready(ready))

    def is_ready(self, ready: str) -> None:
        """An oscillator or PLL runs."""
        self.put("CR", ready, 1)

    def write_lsi(self, value: int) -> None:
        """The low two bits of CSR: the LSI is on, and ready after its time."""
        on = value & 1
        self.set("CSR", self.values["CSR"] & ~3 | on | (self.values["CSR"] & 2 if on else 0))
        if on and not self.bit("CSR", "LSIRDY"):
            us = self.machine.family["startup_us"]["lsi"]
            self.machine.clock.after_us("RCC.LSIRDY", us, lambda: self.put("CSR", "LSIRDY", 1))

    def _gate(self, name: str, value: int) -> None:
        self.set(name, value)
        self.machine.gate(self)

    def _pulse(self, name: str, value: int) -> None:
        self.set(name, value)
        for bit_name in self.facts.registers[name].fields:
            if self.bit(name, bit_name):
                self.machine.reset_peripheral(bit_name.removesuffix("RST"))

    def is_clocked(self, peripheral: str) -> bool:
        """Whether the gate of a peripheral is open; those without a gate always are."""
        for name in self.GATES:
            for field_name in (f"{peripheral}EN", f"{peripheral.replace('USART', 'UART')}EN"):
                if self.has(name, field_name):
                    return bool(self.bit(name, field_name))
        return True


def ahb_divider(code: int) -> int:
    """What HPRE and its like divide by."""
    return AHB_DIVIDERS[code - 8] if code >= 8 else 1


def apb_divider(code: int) -> int:
    """What PPRE and its like divide by."""
    return 2 << (code - 4) if code >= 4 else 1
