"""USART of the STM32H7: separate receive and transmit data, flags that are cleared by writing them to ICR."""

from __future__ import annotations

from hilgate.virtual.peripherals.serial import IsrSerial
from hilgate.virtual.peripherals.usart import REFUSED_CR3, usart_bit_ps

REFUSED_CR1 = ("M0", "M1", "PCE", "WAKE", "MME", "FIFOEN", "UESM")


class Usart(IsrSerial):
    """8N1 without FIFO."""

    PLAIN = frozenset(("ISR", "GTPR", "RTOR"))
    CLEARABLE = 0x0012_3BDF

    def bit_ps(self) -> int:
        bus = 2 if self.facts.base >= 0x4001_0000 else 1
        return usart_bit_ps(self.values["BRR"], self.bit("CR1", "OVER8"), self.machine.rcc.bus_hz(bus))

    def write_CR1(self, value: int) -> None:  # noqa: N802
        self.set("CR1", value)
        self.refuse_any("CR1", REFUSED_CR1, ": only 8N1 without FIFO is modelled")
        self.acknowledge()
        self.update_interrupt()

    def write_CR2(self, value: int) -> None:  # noqa: N802
        self.set("CR2", value)
        if value:
            self._refuse(f"{self.name}.CR2 = 0x{value:x}: only one stop bit and no synchronous or LIN mode is modelled")

    def write_CR3(self, value: int) -> None:  # noqa: N802
        self.set("CR3", value)
        self.refuse_any("CR3", REFUSED_CR3, " is not modelled")
        self.request_transmit()

    def write_PRESC(self, value: int) -> None:  # noqa: N802
        if value:
            self._refuse(f"{self.name}.PRESC = {value}: the prescaler is not modelled")
