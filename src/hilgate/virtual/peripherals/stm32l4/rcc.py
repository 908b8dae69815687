"""RCC of the STM32L4+: MSI, HSI16 and the main PLL, bus clocks, gates, reset causes, and the limits of each."""

from __future__ import annotations

from typing import ClassVar

from hilgate.errors import VirtualFault
from hilgate.virtual.peripherals.clock_tree import ClockTree, ahb_divider

MSI, HSI16 = 0, 1  # of CFGR.SW and SWS
MSI_RANGE_AT_RESET = 6  # 4 MHz
FLAGS = 0xFF00_0000  # of CSR: why there was a reset
CAUSES = {"power_on": ("BORRSTF", "PINRSTF"), "pin": ("PINRSTF",), "software": ("SFTRSTF", "PINRSTF"),
          "watchdog": ("IWDGRSTF", "PINRSTF")}  # fmt: skip


class RccL4(ClockTree):
    """MSI stays at the 4 MHz of reset; HSE and the audio PLLs are refused."""

    PLAIN = frozenset(("CCIPR",))
    CLOCKS: ClassVar = {MSI: ("MSION", "MSIRDY"), HSI16: ("HSION", "HSIRDY"), 3: ("PLLON", "PLLRDY")}
    PLL = 3
    PLL_REGISTERS = ("PLLCFGR",)
    PLL_OUTPUTS = ("PLLPEN", "PLLQEN", "PLLREN")
    GATES = ("AHB1ENR", "AHB2ENR", "AHB3ENR", "APB1ENR1", "APB1ENR2", "APB2ENR")
    PULSES = ("AHB1RSTR", "AHB2RSTR", "APB1RSTR1", "APB1RSTR2", "APB2RSTR")

    def reset(self) -> None:
        flags = self.values.get("CSR", 0) & FLAGS
        super().reset()
        self.set("CSR", self.values["CSR"] & ~FLAGS | flags)
        self.apply()

    def reset_by(self, cause: str) -> None:
        if cause == "power_on":
            self.set("CSR", self.values["CSR"] & ~FLAGS)
        for name in CAUSES[cause]:
            self.put("CSR", name, 1)

    # ------------------------------------------------------------------ oscillators

    def write_CR(self, value: int) -> None:  # noqa: N802
        bits = self.facts.registers["CR"].bits
        ready = sum(bits(name) for name in ("MSIRDY", "HSIRDY", "HSERDY", "PLLRDY", "PLLSAI1RDY", "PLLSAI2RDY"))
        old = self.values["CR"]
        self.set("CR", old & ready | value & ~ready)
        for name in ("HSEON", "PLLSAI1ON", "PLLSAI2ON", "MSIPLLEN", "CSSON"):
            if self.bit("CR", name):
                self._refuse(f"RCC.CR.{name}, which the virtual board does not model")
        if self.bit("CR", "MSIRGSEL") and self.bit("CR", "MSIRANGE") != MSI_RANGE_AT_RESET:
            self._refuse("RCC.CR.MSIRANGE: only the MSI's 4 MHz of reset are modelled")
        self.keep_running()
        family = self.machine.family["startup_us"]
        self.oscillator("MSION", "MSIRDY", family["msi"], present=True)
        self.oscillator("HSION", "HSIRDY", family["hsi"], present=self.machine.options.hsi)
        self.switch_pll(was_on=bool(old & bits("PLLON")))

    def pll_source(self) -> int | None:
        return {1: MSI, 2: HSI16}.get(self.bit("PLLCFGR", "PLLSRC"))

    def check_pll(self) -> None:
        limits = self.machine.family["limits"]
        vco_in = self._pll_input() // (self.bit("PLLCFGR", "PLLM") + 1)
        vco = vco_in * self.bit("PLLCFGR", "PLLN")
        if not limits["vco_input_min_hz"] <= vco_in <= limits["vco_input_max_hz"]:
            self._refuse(f"PLL input of {vco_in} Hz after PLLM is outside 2.66 to 16 MHz")
        if not limits["vco_min_hz"] <= vco <= limits["vco_max_hz"] or self.bit("PLLCFGR", "PLLN") < 8:
            self._refuse(f"PLL VCO of {vco} Hz is outside 64 to 344 MHz")

    def _pll_input(self) -> int:
        source = self.pll_source()
        if source is None:
            self._refuse(f"RCC.PLLCFGR.PLLSRC = {self.bit('PLLCFGR', 'PLLSRC')}: no modelled clock feeds the PLL")
        return int(self.machine.family["clock"]["msi_hz" if source == MSI else "hsi_hz"])

    # ------------------------------------------------------------------ the clock tree

    def check_step(self, before_hz: int) -> None:
        """The regulator undershoots when the clock jumps above the limit of normal mode in one step."""
        limit = self.machine.family["limits"]["without_boost_hz"]
        if before_hz <= limit < self.core_hz():
            self._refuse(
                f"RCC.CFGR switches from {before_hz} to {self.core_hz()} Hz at once, without HPRE's half between"
            )

    def system_hz(self) -> int:
        source, clock = self.bit("CFGR", "SWS"), self.machine.family["clock"]
        if source == MSI:
            return int(clock["msi_hz"])
        if source == HSI16:
            return int(clock["hsi_hz"])
        vco = self._pll_input() * self.bit("PLLCFGR", "PLLN") // (self.bit("PLLCFGR", "PLLM") + 1)
        return vco // (2 * (self.bit("PLLCFGR", "PLLR") + 1)) if self.bit("PLLCFGR", "PLLREN") else 0

    def core_hz(self) -> int:
        hz = self.system_hz() // ahb_divider(self.bit("CFGR", "HPRE"))
        if not hz:
            self._refuse("the PLL is the system clock, but PLLCFGR.PLLREN is off")
        return hz

    def check_limits(self) -> None:
        machine, limits, hz = self.machine, self.machine.family["limits"], self.core_hz()
        needed = -(-hz // machine.family["flash"]["wait_state_hz"]) - 1
        states = machine.flash.bit("ACR", "LATENCY")
        if states < needed:
            raise VirtualFault(f"the core at {hz} Hz needs {needed} flash wait states, FLASH.ACR has {states}")
        if hz > limits["without_boost_hz"] and machine.pwr.bit("CR5", "R1MODE"):
            raise VirtualFault(f"the core at {hz} Hz needs voltage range 1 with boost, PWR.CR5.R1MODE is set")
        if hz > limits["core_hz"]:
            raise VirtualFault(f"the core at {hz} Hz is above its {limits['core_hz']} Hz")

    # ------------------------------------------------------------------ causes of reset

    def write_CSR(self, value: int) -> None:  # noqa: N802
        if self.bit("CSR", "MSISRANGE") != value >> 8 & 15:
            self._refuse("RCC.CSR.MSISRANGE: only the MSI's 4 MHz of reset are modelled")
        flags = 0 if value & self.facts.registers["CSR"].bits("RMVF") else self.values["CSR"] & FLAGS
        self.set("CSR", flags | value & 0xF00 | self.values["CSR"] & 3)
        self.write_lsi(value)
