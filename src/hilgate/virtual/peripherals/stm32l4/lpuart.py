"""LPUART of the STM32L4+: 256 clocks over BRR, and registers that may be written only while it is off."""

from __future__ import annotations

from hilgate.virtual.clock import PS_PER_S
from hilgate.virtual.peripherals.serial import IsrSerial

BRR_MIN = 0x300  # RM0432, LPUART_BRR


class LpUart(IsrSerial):
    """8N1 only."""

    PLAIN = frozenset(("ISR",))
    CLEARABLE = 0x5F  # PE, FE, NF, ORE, IDLE, TC
    REFUSED_CR1 = ("M0", "M1", "PCE", "WAKE", "MME", "UESM", "CMIE")
    REFUSED_CR3 = ("DEM", "DDRE", "OVRDIS", "CTSE", "RTSE", "HDSEL", "EIE", "WUFIE", "CTSIE")

    def divided(self) -> int:
        brr = self.values["BRR"]
        return brr * PS_PER_S // (256 * self.machine.rcc.bus_hz(1)) if brr >= BRR_MIN else 0
