"""RCC: oscillators with start-up times, PLL1, the clock tree of three domains, reset causes, gates and resets.

What silicon punishes with crashes that nobody can reproduce is a VirtualFault here, as on the STM32F4.
"""

from __future__ import annotations

from functools import partialmethod
from typing import ClassVar

from hilgate.errors import VirtualFault
from hilgate.virtual.peripherals.clock_tree import ClockTree, ahb_divider, apb_divider

HSI, HSE, PLL1 = 0, 2, 3  # of CFGR.SW; PLLCKSELR.PLLSRC has HSI, CSI, HSE, none
ENABLES = ("AHB1ENR", "AHB2ENR", "AHB3ENR", "AHB4ENR", "APB1LENR", "APB1HENR", "APB2ENR", "APB3ENR", "APB4ENR")
SLEEPING = tuple(enable.replace("ENR", "LPENR") for enable in ENABLES)
RANGES = ((1, 2), (2, 4), (4, 8), (8, 16))  # PLL1RGE: MHz into the VCO
POWER_ON = ("PORRSTF", "PINRSTF", "BORRSTF", "D1RSTF", "D2RSTF", "C1RSTF", "C2RSTF")
CAUSES = {"power_on": POWER_ON, "pin": ("PINRSTF",), "software": ("SFT1RSTF", "PINRSTF", "C1RSTF", "C2RSTF"),
          "watchdog": ("IWDG1RSTF", "PINRSTF", "C1RSTF", "C2RSTF")}  # fmt: skip


class Rcc(ClockTree):
    """`cause` of reset: power_on, pin, software, watchdog. Kernel clocks of UARTs are those of their bus."""

    PLAIN = frozenset((*SLEEPING, "CIFR", "GCR"))
    CLOCKS: ClassVar = {HSI: ("HSION", "HSIRDY"), HSE: ("HSEON", "HSERDY"), PLL1: ("PLL1ON", "PLL1RDY")}
    PLL = PLL1
    PLL_REGISTERS = ("PLLCKSELR", "PLLCFGR", "PLL1DIVR")
    GATES = ENABLES
    PULSES = tuple(enable.replace("ENR", "RSTR") for enable in ENABLES)

    def reset(self) -> None:
        flags = self.values.get("RSR", 0)
        super().reset()
        self.set("RSR", flags)
        for name in ("HSIRDY", "D1CKRDY", "D2CKRDY"):
            self.put("CR", name, 1)
        self.apply()

    def reset_by(self, cause: str) -> None:
        """Latch why the reset happened; flags add up until RMVF clears them."""
        if cause == "power_on":
            self.set("RSR", 0)
        for name in CAUSES[cause]:
            self.put("RSR", name, 1)

    # ------------------------------------------------------------------ oscillators

    def write_CR(self, value: int) -> None:  # noqa: N802
        ready = (
            "HSIRDY",
            "CSIRDY",
            "RC48RDY",
            "D1CKRDY",
            "D2CKRDY",
            "HSERDY",
            "PLL1RDY",
            "PLL2RDY",
            "PLL3RDY",
            "HSIDIVF",
        )
        keep = sum(self.facts.registers["CR"].bits(name) for name in ready)
        old = self.values["CR"]
        self.set("CR", old & keep | value & ~keep)
        for name in ("PLL2ON", "PLL3ON", "RC48ON", "HSECSSON"):
            if self.bit("CR", name):
                self._refuse(f"RCC.CR.{name}, which the virtual board does not model")
        if self.bit("CR", "HSIDIV"):
            self._refuse("RCC.CR.HSIDIV: only the undivided HSI is modelled")
        self.keep_running()
        family = self.machine.family["startup_us"]
        hse = "hse_bypass" if self.bit("CR", "HSEBYP") else "hse"
        self.oscillator("HSION", "HSIRDY", family["hsi"], present=True)
        self.oscillator("HSEON", "HSERDY", family[hse], present=self.hse_present())
        self.switch_pll(was_on=bool(old & self.facts.registers["CR"].bits("PLL1ON")))

    def pll_source(self) -> int | None:
        source = self.bit("PLLCKSELR", "PLLSRC")
        return source if source in (HSI, HSE) else None

    def _vco_input(self) -> int:
        source = self.bit("PLLCKSELR", "PLLSRC")
        table = self.machine.board.tables["clock"]
        hz = int(table.get("hse_hz", 0)) if source == HSE else int(self.machine.family["clock"]["hsi_hz"])
        return hz // max(1, self.bit("PLLCKSELR", "DIVM1"))

    def _vco(self) -> int:
        return self._vco_input() * (self.bit("PLL1DIVR", "DIVN1") + 1)

    def check_pll(self) -> None:
        limits, into, vco = self.machine.family["limits"], self._vco_input(), self._vco()
        if self.pll_source() is None or not self.bit("PLLCKSELR", "DIVM1"):
            self._refuse("PLL1 has no clock: only HSI and HSE are modelled as its source, and DIVM1 must not be 0")
        low, high = RANGES[self.bit("PLLCFGR", "PLL1RGE")]
        if not low * 990_000 <= into <= high * 1_010_000:
            self._refuse(f"PLL1 input of {into} Hz is outside PLL1RGE's {low} to {high} MHz")
        if self.bit("PLLCFGR", "PLL1VCOSEL") or self.bit("PLLCFGR", "PLL1FRACEN"):
            self._refuse("RCC.PLLCFGR: only the wide VCO without fraction is modelled")
        if not limits["vco_min_hz"] <= vco <= limits["vco_max_hz"]:
            self._refuse(f"PLL1 VCO of {vco} Hz is outside {limits['vco_min_hz']} to {limits['vco_max_hz']} Hz")

    # ------------------------------------------------------------------ the clock tree

    def _divide(self, name: str, value: int) -> None:
        self.set(name, value)
        self.apply()

    def apply(self) -> None:
        super().apply()
        if "FLASH" in self.machine.peripherals and self.machine.flash.values:
            self.machine.flash._apply()

    def system_hz(self) -> int:
        source = self.bit("CFGR", "SWS")
        if source == PLL1:
            return self._vco() // (self.bit("PLL1DIVR", "DIVP1") + 1)
        return int(
            self.machine.board.tables["clock"]["hse_hz"] if source == HSE else self.machine.family["clock"]["hsi_hz"]
        )

    def core_hz(self) -> int:
        return self.system_hz() // ahb_divider(self.bit("D1CFGR", "D1CPRE"))

    def ahb_divider(self) -> int:
        """Core cycles in one cycle of the AXI bus and the AHBs."""
        return ahb_divider(self.bit("D1CFGR", "HPRE")) if self.values else 1

    def bus_hz(self, bus: int) -> int:
        """Clock of APB1 or APB2."""
        return self._apb_hz("D2CFGR", f"D2PPRE{bus}")

    def _apb_hz(self, register: str, name: str) -> int:
        return self.core_hz() // self.ahb_divider() // apb_divider(self.bit(register, name))

    def check_limits(self) -> None:
        """Called when clock, wait states or voltage change."""
        machine, hz, ahb = self.machine, self.core_hz(), self.core_hz() // self.ahb_divider()
        if "PWR" not in machine.peripherals or not machine.pwr.values:
            return
        scale, limits = machine.pwr.scale, machine.family["limits"]  # type: ignore[attr-defined]
        needed = -(-ahb // machine.family["flash"][f"wait_state_hz_scale_{scale}"]) - 1
        states = machine.flash.bit("ACR", "LATENCY")
        if states < needed:
            raise VirtualFault(
                f"an AXI bus of {ahb} Hz at scale {scale} needs {needed} flash wait states, not {states}"
            )
        if hz > limits[f"core_hz_scale_{scale}"]:
            raise VirtualFault(
                f"the core at {hz} Hz is above the {limits[f'core_hz_scale_{scale}']} Hz of scale {scale}"
            )
        if ahb > limits[f"core_hz_scale_{scale}"] // 2:
            raise VirtualFault(f"the AXI bus at {ahb} Hz is above half of what the core may have at scale {scale}")
        apbs = (("D1CFGR", "D1PPRE"), ("D2CFGR", "D2PPRE1"), ("D2CFGR", "D2PPRE2"), ("D3CFGR", "D3PPRE"))
        apb_limit = max(limits[f"core_hz_scale_{scale}"] // 4, machine.family["clock"]["hsi_hz"])  # as after reset
        for register, name in apbs:
            if self._apb_hz(register, name) > apb_limit:
                raise VirtualFault(f"RCC.{register}.{name}: that bus is above a quarter of what the core may have")

    # ------------------------------------------------------------------ gates, resets, causes

    def write_RSR(self, value: int) -> None:  # noqa: N802
        if value & self.facts.registers["RSR"].bits("RMVF"):
            self.set("RSR", 0)

    def write_CSR(self, value: int) -> None:  # noqa: N802
        self.write_lsi(value)

    def write_D2CCIP2R(self, value: int) -> None:  # noqa: N802
        if value & 0x3F:
            self._refuse("RCC.D2CCIP2R: UARTs run on the clock of their bus only")
        self.set("D2CCIP2R", value)

    def is_clocked(self, peripheral: str) -> bool:
        if peripheral == "DMAMUX1":
            return bool(self.bit("AHB1ENR", "DMA1EN") or self.bit("AHB1ENR", "DMA2EN"))
        return super().is_clocked(peripheral)


for _name in ("D1CFGR", "D2CFGR", "D3CFGR"):
    setattr(Rcc, f"write_{_name}", partialmethod(Rcc._divide, _name))
