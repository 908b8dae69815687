"""USART of the STM32H7: separate receive and transmit data, flags that are cleared by writing them to ICR."""

from __future__ import annotations

from hilgate.virtual.peripherals.serial import IsrSerial
from hilgate.virtual.peripherals.usart import REFUSED_CR3, usart_bit_ps


class Usart(IsrSerial):
    """8N1 without FIFO."""

    PLAIN = frozenset(("ISR", "GTPR", "RTOR"))
    CLEARABLE = 0x0012_3BDF
    REFUSED_CR1 = ("M0", "M1", "PCE", "WAKE", "MME", "FIFOEN", "UESM")
    REFUSED_CR3 = (*REFUSED_CR3, "OVRDIS", "DDRE", "DEM", "WUFIE", "CTSIE")

    def divided(self) -> int:
        bus = 2 if self.facts.base >= 0x4001_0000 else 1
        return usart_bit_ps(self.values["BRR"], self.bit("CR1", "OVER8"), self.machine.rcc.bus_hz(bus))

    def write_PRESC(self, value: int) -> None:  # noqa: N802
        if value:
            self._refuse(f"{self.name}.PRESC = {value}: the prescaler is not modelled")
