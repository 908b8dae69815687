"""RCC: oscillators with start-up times, PLL, bus clocks, reset causes, clock gates and resets of the other peripherals.

What silicon punishes with crashes that nobody can reproduce is a VirtualFault here: a PLL outside its range, a core
that outruns its flash wait states or its voltage scale, a bus above its limit.
"""

from __future__ import annotations

from typing import ClassVar

from hilgate.errors import VirtualFault
from hilgate.virtual.peripherals.clock_tree import ClockTree, ahb_divider

LOW_POWER = ("AHB1LPENR", "AHB2LPENR", "AHB3LPENR", "APB1LPENR", "APB2LPENR")
HSI, HSE = 0, 1
CAUSES = {"power_on": ("PORRSTF", "BORRSTF", "PADRSTF"), "pin": ("PADRSTF",), "software": ("SFTRSTF", "PADRSTF"),
          "watchdog": ("WDGRSTF", "PADRSTF")}  # fmt: skip


class Rcc(ClockTree):
    """`cause` of reset: power_on, pin, software, watchdog."""

    PLAIN = frozenset(LOW_POWER)
    CLOCKS: ClassVar = {HSI: ("HSION", "HSIRDY"), HSE: ("HSEON", "HSERDY"), 2: ("PLLON", "PLLRDY")}
    PLL = 2
    PLL_REGISTERS = ("PLLCFGR",)
    GATES: ClassVar[tuple[str, ...]] = ("AHB1ENR", "AHB2ENR", "AHB3ENR", "APB1ENR", "APB2ENR")
    PULSES: ClassVar[tuple[str, ...]] = ("AHB1RSTR", "APB1RSTR", "APB2RSTR")

    def reset(self) -> None:
        flags = self.values.get("CSR", 0) & 0xFE00_0000
        super().reset()
        self.set("CSR", flags)
        self.apply()

    def reset_by(self, cause: str) -> None:
        """Latch why the reset happened; flags add up until RMVF clears them."""
        if cause == "power_on":
            self.set("CSR", 0)
        for name in CAUSES[cause]:
            self.put("CSR", name, 1)

    # ------------------------------------------------------------------ oscillators

    def write_CR(self, value: int) -> None:  # noqa: N802
        ready = {"HSIRDY", "HSERDY", "PLLRDY", "PLLI2SRDY"}
        keep = sum(self.facts.registers["CR"].bits(name) for name in ready) | 0xFF00  # HSICAL is the factory's
        old = self.values["CR"]
        self.set("CR", old & keep | value & ~keep)
        for name in ("PLLI2SON", "CSSON"):
            if self.bit("CR", name):
                self._refuse(f"RCC.CR.{name}, which the virtual board does not model")
        self.keep_running()
        family = self.machine.family["startup_us"]
        hse = "hse_bypass" if self.bit("CR", "HSEBYP") else "hse"
        self.oscillator("HSION", "HSIRDY", family["hsi"], present=True)
        self.oscillator("HSEON", "HSERDY", family[hse], present=self.hse_present())
        self.switch_pll(was_on=bool(old & self.facts.registers["CR"].bits("PLLON")))

    def pll_source(self) -> int:
        return HSE if self.bit("PLLCFGR", "PLLSRC") else HSI

    def check_pll(self) -> None:
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

    def system_hz(self) -> int:
        source = self.bit("CFGR", "SWS")
        if source == HSI:
            return int(self.machine.family["clock"]["hsi_hz"])
        if source == HSE:
            return int(self.machine.board.tables["clock"]["hse_hz"])
        vco = self._pll_input() * self.bit("PLLCFGR", "PLLN") // self.bit("PLLCFGR", "PLLM")
        return vco // (2 * (self.bit("PLLCFGR", "PLLP") + 1))

    def core_hz(self) -> int:
        return self.system_hz() // ahb_divider(self.bit("CFGR", "HPRE"))

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

    # ------------------------------------------------------------------ causes of reset

    def write_CSR(self, value: int) -> None:  # noqa: N802
        flags = 0 if value & self.facts.registers["CSR"].bits("RMVF") else self.values["CSR"] & 0xFE00_0000
        self.set("CSR", flags | self.values["CSR"] & 3)
        self.write_lsi(value)
