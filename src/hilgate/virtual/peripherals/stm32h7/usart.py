"""USART of the newer families: separate receive and transmit data, flags that are cleared by writing them to ICR."""

from __future__ import annotations

from hilgate.virtual.peripherals import usart
from hilgate.virtual.peripherals.base import Peripheral

ORE, RXNE, TC, IDLE = 1 << 3, 1 << 5, 1 << 6, 1 << 4
REFUSED = ("M0", "M1", "PCE", "WAKE", "MME", "FIFOEN", "UESM")


class Usart(usart.Usart):
    """8N1 without FIFO. What sends, receives and keeps time is the older USART's; its SR is called ISR here."""

    PLAIN = frozenset(("ISR", "GTPR", "RTOR"))

    def set(self, name: str, value: int) -> None:
        Peripheral.set(self, name, value)

    def bit(self, register: str, name: str) -> int:
        return super().bit("ISR" if register == "SR" else register, name)

    def put(self, register: str, name: str, value: int) -> None:
        super().put("ISR" if register == "SR" else register, name, value)

    # ------------------------------------------------------------------ registers

    def read_RDR(self) -> int:  # noqa: N802
        self.put("ISR", "RXNE", 0)
        self.update_interrupt()
        return self.values["RDR"]

    def write_TDR(self, value: int) -> None:  # noqa: N802
        self.write_DR(value)

    def write_BRR(self, value: int) -> None:  # noqa: N802
        if self.bit("CR1", "UE"):
            self._refuse(f"{self.name}.BRR is written while UE is set: silicon ignores it")
        self.set("BRR", value)

    def write_ICR(self, value: int) -> None:  # noqa: N802
        self.set("ISR", self.values["ISR"] & ~(value & 0x0012_3BDF))
        self.update_interrupt()

    def write_RQR(self, value: int) -> None:  # noqa: N802
        if value & ~8:
            self._refuse(f"{self.name}.RQR = 0x{value:x}: only RXFRQ is modelled")
        self.put("ISR", "RXNE", 0)
        self.update_interrupt()

    def write_CR1(self, value: int) -> None:  # noqa: N802
        self.set("CR1", value)
        for name in REFUSED:
            if self.bit("CR1", name):
                self._refuse(f"{self.name}.CR1.{name}: only 8N1 without FIFO is modelled")
        self.put("ISR", "TEACK", self.bit("CR1", "UE") & self.bit("CR1", "TE"))
        self.put("ISR", "REACK", self.bit("CR1", "UE") & self.bit("CR1", "RE"))
        self.update_interrupt()

    def write_PRESC(self, value: int) -> None:  # noqa: N802
        if value:
            self._refuse(f"{self.name}.PRESC = {value}: the prescaler is not modelled")

    # ------------------------------------------------------------------ receiving

    def _take(self, value: int, framing_error: bool) -> None:
        if self.bit("ISR", "RXNE"):
            self.put("ISR", "ORE", 1)  # the new byte is lost, the old one stays
        else:
            self.values["RDR"] = value
            self.put("ISR", "FE", int(framing_error) | self.bit("ISR", "FE"))
            if not (self.bit("CR3", "DMAR") and self.machine.dma_write(f"{self.name}_RX", self.read_RDR)):
                self.put("ISR", "RXNE", 1)
        self.update_interrupt()

    def update_interrupt(self) -> None:
        enable = self.values["CR1"]
        enabled = enable & 0xF0 | (ORE if enable & RXNE else 0) | enable >> 8 & 1
        self.machine.set_interrupt(self.name, bool(self.values["ISR"] & enabled))
