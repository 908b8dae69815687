"""LPUART of the STM32L4+: 256 clocks over BRR, and registers that may be written only while it is off."""

from __future__ import annotations

from hilgate.virtual.clock import PS_PER_S
from hilgate.virtual.peripherals.serial import IsrSerial

BRR_MIN = 0x300  # RM0432, LPUART_BRR
REFUSED_CR1 = ("M0", "M1", "PCE", "WAKE", "MME", "UESM", "CMIE")
REFUSED_CR3 = ("DEM", "DDRE", "OVRDIS", "CTSE", "RTSE", "HDSEL", "EIE", "WUFIE", "CTSIE")


class LpUart(IsrSerial):
    """8N1 only."""

    PLAIN = frozenset(("ISR",))
    CLEARABLE = 0x5F  # PE, FE, NF, ORE, IDLE, TC

    def bit_ps(self) -> int:
        brr = self.values["BRR"]
        return brr * PS_PER_S // (256 * self.machine.rcc.bus_hz(1)) if brr >= BRR_MIN else 0

    def write_CR2(self, value: int) -> None:  # noqa: N802
        self.set_while_off("CR2", value)
        if value:
            self._refuse(f"{self.name}.CR2 = 0x{value:x}: only one stop bit and no swap or inversion is modelled")

    def write_CR1(self, value: int) -> None:  # noqa: N802
        self.set("CR1", value)
        self.refuse_any("CR1", REFUSED_CR1, ": only 8N1 is modelled")
        self.acknowledge()
        if not self.bit("CR1", "UE"):
            self._switch_off()
        self.update_interrupt()

    def _switch_off(self) -> None:
        """UE cleared: what is on the wire is lost, and all flags are those of reset (RM0432, LPUART_CR1.UE)."""
        self.stop_transmitting()
        self.set("ISR", self.facts.registers["ISR"].reset)

    def write_CR3(self, value: int) -> None:  # noqa: N802
        self.set("CR3", value)
        self.refuse_any("CR3", REFUSED_CR3, " is not modelled")
        self.request_transmit()
