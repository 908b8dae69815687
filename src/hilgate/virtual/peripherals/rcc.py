"""RCC: oscillators with start-up times, PLL, bus clocks, reset causes, clock gates and resets of the other peripherals.

What silicon punishes with crashes that nobody can reproduce is a VirtualFault here: a PLL outside its range, a core
that outruns its flash wait states or its voltage scale, a bus above its limit.
"""

from __future__ import annotations

from typing import ClassVar

from hilgate.errors import VirtualFault
from hilgate.virtual.peripherals.base import Peripheral

LOW_POWER = ("AHB1LPENR", "AHB2LPENR", "AHB3LPENR", "APB1LPENR", "APB2LPENR")
HSI, HSE, PLL = 0, 1, 2
AHB_DIVIDERS = (2, 4, 8, 16, 64, 128, 256, 512)
CAUSES = {"power_on": ("PORRSTF", "BORRSTF", "PADRSTF"), "pin": ("PADRSTF",), "software": ("SFTRSTF", "PADRSTF"),
          "watchdog": ("WDGRSTF", "PADRSTF")}  # fmt: skip


class Rcc(Peripheral):
    """`cause` of reset: power_on, pin, software, watchdog."""

    PLAIN = frozenset((*LOW_POWER, "PLLCFGR"))
    GATES: ClassVar[tuple[str, ...]] = ("AHB1ENR", "AHB2ENR", "AHB3ENR", "APB1ENR", "APB2ENR")

    def reset(self) -> None:
        flags = self.values.get("CSR", 0) & 0xFE00_0000
        super().reset()
        self.set("CSR", flags)
        self._apply()

    def reset_by(self, cause: str) -> None:
        """Latch why the reset happened; flags add up until RMVF clears them."""
        if cause == "power_on":
            self.set("CSR", 0)
        for name in CAUSES[cause]:
            self.put("CSR", name, 1)

    # ------------------------------------------------------------------ oscillators

    def write_CR(self, value: int) -> None:  # noqa: N802  (named after the register)
        ready = {"HSIRDY", "HSERDY", "PLLRDY", "PLLI2SRDY"}
        keep = sum(self.facts.registers["CR"].bits(name) for name in ready) | 0xFF00  # HSICAL is the factory's
        old = self.values["CR"]
        self.set("CR", old & keep | value & ~keep)
        if self.bit("CR", "PLLI2SON"):
            self._refuse("RCC.CR.PLLI2SON: the audio PLL, which the virtual board does not model")
        if self.bit("CFGR", "SWS") == HSI and not self.bit("CR", "HSION"):
            self.put("CR", "HSION", 1)  # hardware keeps the clock that it runs on
        family = self.machine.family["startup_us"]
        hse = "hse_bypass" if self.bit("CR", "HSEBYP") else "hse"
        self._oscillator("HSION", "HSIRDY", family["hsi"], present=True)
        self._oscillator("HSEON", "HSERDY", family[hse], present=self._hse_present())
        if self.bit("CR", "PLLON") and not old & self.facts.registers["CR"].bits("PLLON"):
            self._check_pll()
        source = "HSERDY" if self.bit("PLLCFGR", "PLLSRC") else "HSIRDY"
        self._oscillator("PLLON", "PLLRDY", family["pll"], present=bool(self.bit("CR", source)))

    def _hse_present(self) -> bool:
        clock = self.machine.board.tables["clock"]
        bypass = clock["source"] == "hse_bypass_pll"
        return "hse_hz" in clock and self.machine.options.hse and bool(self.bit("CR", "HSEBYP")) == bypass

    def _oscillator(self, on: str, ready: str, us: int, *, present: bool) -> None:
        key = f"RCC.{ready}"
        if not self.bit("CR", on):
            self.machine.clock.cancel(key)
            self.put("CR", ready, 0)
        elif present and not self.bit("CR", ready) and not self.machine.clock.planned(key):
            self.machine.clock.after_us(key, us, lambda: self._is_ready(ready))

    def _is_ready(self, ready: str) -> None:
        self.put("CR", ready, 1)
        if ready == "PLLRDY" and self.bit("CFGR", "SW") == PLL:
            self.write_CFGR(self.values["CFGR"])

    def _check_pll(self) -> None:
        limits = self.machine.family["limits"]
        vco_in = self._pll_input() // max(1, self.bit("PLLCFGR", "PLLM"))
        vco = vco_in * self.bit("PLLCFGR", "PLLN")
        if not limits["vco_input_min_hz"] <= vco_in <= limits["vco_input_max_hz"] or self.bit("PLLCFGR", "PLLM") < 2:
            self._refuse(f"PLL input of {vco_in} Hz after PLLM is outside 1 to 2 MHz")
        if not limits["vco_min_hz"] <= vco <= limits["vco_max_hz"]:
            self._refuse(f"PLL VCO of {vco} Hz is outside 100 to 432 MHz")

    def _pll_input(self) -> int:
        table = self.machine.board.tables["clock"]
        return (
            int(table.get("hse_hz", 0))
            if self.bit("PLLCFGR", "PLLSRC")
            else int(self.machine.family["clock"]["hsi_hz"])
        )

    # ------------------------------------------------------------------ the clock tree

    def write_CFGR(self, value: int) -> None:  # noqa: N802
        running = self.values["CFGR"] & self.facts.registers["CFGR"].bits("SWS")
        self.set("CFGR", value & ~self.facts.registers["CFGR"].bits("SWS") | running)
        wanted = self.bit("CFGR", "SW")
        ready = {HSI: "HSIRDY", HSE: "HSERDY", PLL: "PLLRDY"}.get(wanted)
        if ready is None:
            self._refuse(f"RCC.CFGR.SW = {wanted}, a system clock that the virtual board does not model")
        elif self.bit("CR", ready):
            self.put("CFGR", "SWS", wanted)
        self._apply()

    def _apply(self) -> None:
        self.machine.set_core_hz(self.core_hz())

    def system_hz(self) -> int:
        source = self.bit("CFGR", "SWS")
        if source == HSI:
            return int(self.machine.family["clock"]["hsi_hz"])
        if source == HSE:
            return int(self.machine.board.tables["clock"]["hse_hz"])
        vco = self._pll_input() * self.bit("PLLCFGR", "PLLN") // self.bit("PLLCFGR", "PLLM")
        return vco // (2 * (self.bit("PLLCFGR", "PLLP") + 1))

    def core_hz(self) -> int:
        code = self.bit("CFGR", "HPRE")
        return self.system_hz() // (AHB_DIVIDERS[code - 8] if code >= 8 else 1)

    def bus_hz(self, bus: int) -> int:
        """Clock of APB1 or APB2."""
        code = self.bit("CFGR", f"PPRE{bus}")
        return self.core_hz() // (2 << (code - 4) if code >= 4 else 1)

    def check_limits(self) -> None:
        """Called when clock, wait states or voltage change."""
        machine, limits = self.machine, self.machine.family["limits"]
        hz, needed = self.core_hz(), -(-self.core_hz() // self.machine.family["flash"]["wait_state_hz"]) - 1
        states = machine.flash.bit("ACR", "LATENCY")
        if states < needed:
            raise VirtualFault(f"the core at {hz} Hz needs {needed} flash wait states, FLASH.ACR has {states}")
        if hz > limits["without_over_drive_hz"] and not machine.pwr.over_drive:
            raise VirtualFault(f"the core at {hz} Hz needs over-drive, PWR.CSR says it is off")
        for bus, limit in ((1, "apb1_hz"), (2, "apb2_hz")):
            most = limits[limit] if machine.pwr.over_drive else limits[f"{limit}_without_over_drive"]
            if self.bus_hz(bus) > most:
                raise VirtualFault(f"APB{bus} at {self.bus_hz(bus)} Hz is above its {most} Hz")

    # ------------------------------------------------------------------ gates, resets, causes

    def write_CSR(self, value: int) -> None:  # noqa: N802
        flags = self.values["CSR"] & 0xFE00_0000
        if value & self.facts.registers["CSR"].bits("RMVF"):
            flags = 0
        on = value & 1
        self.set("CSR", flags | on | (self.values["CSR"] & 2 if on else 0))
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

    def write_AHB1ENR(self, value: int) -> None:  # noqa: N802
        self._gate("AHB1ENR", value)

    def write_AHB2ENR(self, value: int) -> None:  # noqa: N802
        self._gate("AHB2ENR", value)

    def write_AHB3ENR(self, value: int) -> None:  # noqa: N802
        self._gate("AHB3ENR", value)

    def write_APB1ENR(self, value: int) -> None:  # noqa: N802
        self._gate("APB1ENR", value)

    def write_APB2ENR(self, value: int) -> None:  # noqa: N802
        self._gate("APB2ENR", value)

    def write_AHB1RSTR(self, value: int) -> None:  # noqa: N802
        self._pulse("AHB1RSTR", value)

    def write_APB1RSTR(self, value: int) -> None:  # noqa: N802
        self._pulse("APB1RSTR", value)

    def write_APB2RSTR(self, value: int) -> None:  # noqa: N802
        self._pulse("APB2RSTR", value)

    def is_clocked(self, peripheral: str) -> bool:
        """Whether the gate of a peripheral is open; those without a gate always are."""
        for name in self.GATES:
            for field_name in (f"{peripheral}EN", f"{peripheral.replace('USART', 'UART')}EN"):
                if self.has(name, field_name):
                    return bool(self.bit(name, field_name))
        return True
