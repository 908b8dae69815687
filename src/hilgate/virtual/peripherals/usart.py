"""USART of the STM32F4: one data register, flags that reading SR and then DR clears."""

from __future__ import annotations

from hilgate.virtual.clock import PS_PER_S
from hilgate.virtual.hooks import Kind
from hilgate.virtual.peripherals.serial import RXNE, Serial

FLAGS = 0x1F  # PE, FE, NF, ORE, IDLE: cleared by reading SR, then DR
REFUSED_CR3 = ("IREN", "HDSEL", "SCEN", "RTSE", "CTSE", "EIE")


def usart_bit_ps(brr: int, over8: int, bus_hz: int) -> int:
    """Length of one bit of a USART in picoseconds; 0 when the divider is unusable."""
    divider = (brr >> 4) * 8 + (brr & 7) if over8 else brr
    return 0 if divider < 16 >> over8 else divider * PS_PER_S // bus_hz


class Usart(Serial):
    """At the rate that BRR and the bus clock really make."""

    PLAIN = frozenset(("BRR", "GTPR", "SR"))
    STATUS, RECEIVED, SENT = "SR", "DR", "DR"
    REFUSED_CR1 = ("M", "PCE", "WAKE", "RWU", "SBK")
    REFUSED_CR3 = REFUSED_CR3

    def reset(self) -> None:
        self._seen = 0
        super().reset()

    def divided(self) -> int:
        bus = 2 if self.facts.base >= 0x4001_0000 else 1
        return usart_bit_ps(self.values["BRR"], self.bit("CR1", "OVER8"), self.machine.rcc.bus_hz(bus))

    def set(self, name: str, value: int) -> None:
        if name == "SR" and self._page is not None and self._page.noted(self.facts.base):
            self._seen |= self.values["SR"] & FLAGS
        super().set(name, value)
        if name == "SR" and self._page is not None and self.clocked and value & FLAGS:
            self._page.show(self.facts.base, value, Kind.NOTED)  # reading SR is the first half of clearing these

    def framing(self, error: bool) -> None:
        self.put("SR", "FE", int(error))

    def write_SR(self, value: int) -> None:  # noqa: N802
        clearable = sum(self.facts.registers["SR"].bits(name) for name in ("RXNE", "TC", "LBD", "CTS"))
        self.set("SR", self.values["SR"] & (value | ~clearable))
        self.update_interrupt()

    def take_received(self) -> int:
        if self._page is not None and self._page.noted(self.facts.base):
            self._seen |= self.values["SR"] & FLAGS
        status = self.values["SR"] & ~(self._seen | RXNE)
        self._seen = 0
        if status != self.values["SR"]:
            self.set("SR", status)
            self.update_interrupt()
        return self.values["DR"]

    def read_DR(self) -> int:  # noqa: N802
        return self.take_received()

    def write_DR(self, value: int) -> None:  # noqa: N802
        self.transmit(value)
