"""What every RCC of ours does: oscillators that take time, the system clock, gates and resets of other peripherals."""

from __future__ import annotations

from abc import abstractmethod
from functools import partialmethod
from typing import Any, ClassVar

from hilgate.virtual.peripherals.base import Peripheral

AHB_DIVIDERS = (2, 4, 8, 16, 64, 128, 256, 512)


class ClockTree(Peripheral):
    """One RCC.

    CLOCKS: what CFGR.SW can ask for: its code -> (bit of CR that switches it on, bit of CR that says it is ready).
    PLL: the code of the PLL; PLL_REGISTERS: its settings, fixed while it is on, but for the fields PLL_OUTPUTS.
    GATES: registers of clock gates; PULSES: registers that reset peripherals.
    """

    CLOCKS: ClassVar[dict[int, tuple[str, str]]]
    PLL: ClassVar[int]
    PLL_REGISTERS: ClassVar[tuple[str, ...]]
    PLL_OUTPUTS: ClassVar[tuple[str, ...]] = ()
    GATES: ClassVar[tuple[str, ...]] = ()
    PULSES: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        named = (cls.PLL_REGISTERS, cls._set_pll), (cls.GATES, cls._gate), (cls.PULSES, cls._pulse)
        for names, what in named:
            for name in names:
                setattr(cls, f"write_{name}", partialmethod(what, name))

    @abstractmethod
    def core_hz(self) -> int:
        """Clock of the core as CFGR and the PLL are set."""

    @abstractmethod
    def pll_source(self) -> int | None:
        """Which of CLOCKS feeds the PLL; None when no modelled one does."""

    @abstractmethod
    def check_pll(self) -> None:
        """The PLL is switched on. Raises VirtualFault when it cannot work as it is set."""

    def bus_hz(self, bus: int) -> int:
        """Clock of APB1 or APB2."""
        return self.core_hz() // apb_divider(self.bit("CFGR", f"PPRE{bus}"))

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
        """An oscillator or PLL runs: who has asked for it as the system clock gets it now."""
        self.put("CR", ready, 1)
        wanted = self.bit("CFGR", "SW")
        if wanted != self.bit("CFGR", "SWS") and self.CLOCKS[wanted][1] == ready:
            self.write_CFGR(self.values["CFGR"])

    def keep_running(self) -> None:
        """After CR was written: hardware does not switch off the clock that it runs on, nor what feeds it."""
        running = self.bit("CFGR", "SWS")
        feeding = self.pll_source() if running == self.PLL else None
        for clock in (running, feeding):
            if clock is not None:
                self.put("CR", self.CLOCKS[clock][0], 1)

    def switch_pll(self, *, was_on: bool) -> None:
        """After CR was written and its oscillators were switched: the PLL locks when it is on and its source runs."""
        on, ready = self.CLOCKS[self.PLL]
        if self.bit("CR", on) and not was_on:
            self.check_pll()
        source = self.pll_source()
        fed = source is not None and bool(self.bit("CR", self.CLOCKS[source][1]))
        self.oscillator(on, ready, self.machine.family["startup_us"]["pll"], present=fed)

    # ------------------------------------------------------------------ the system clock

    def write_CFGR(self, value: int) -> None:  # noqa: N802  (named after the register)
        """SWS follows SW as soon as that clock is ready."""
        before, running = self.core_hz(), self.facts.registers["CFGR"].bits("SWS")
        self.set("CFGR", value & ~running | self.values["CFGR"] & running)
        wanted = self.bit("CFGR", "SW")
        if wanted not in self.CLOCKS:
            self._refuse(f"RCC.CFGR.SW = {wanted}, a system clock that the virtual board does not model")
        if wanted != self.bit("CFGR", "SWS") and self.bit("CR", self.CLOCKS[wanted][1]):
            self.put("CFGR", "SWS", wanted)
            self.check_step(before)
        self.apply()

    def check_step(self, before_hz: int) -> None:
        """The system clock was switched. Raises VirtualFault when the step from `before_hz` is too large."""

    def apply(self) -> None:
        """The core clock may have changed."""
        self.machine.set_core_hz(self.core_hz())

    def _set_pll(self, name: str, value: int) -> None:
        free = sum(self.facts.registers[name].bits(field) for field in self.PLL_OUTPUTS)
        on = any(self.bit("CR", flag) for flag in self.CLOCKS[self.PLL])
        if on and (value ^ self.values[name]) & ~free:
            self._refuse(f"write of 0x{value:x} to RCC.{name} while the PLL is on: silicon keeps what it has")
        self.set(name, value)
        if on:
            self.apply()

    # ------------------------------------------------------------------ what others hang on

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
