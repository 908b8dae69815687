"""USART: bytes with their time on the wire, at the rate that BRR and the bus clock really make."""

from __future__ import annotations

from collections.abc import Callable

from hilgate.virtual.clock import PS_PER_S
from hilgate.virtual.hooks import Kind
from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.wire import FRAME_BITS, resample

FLAGS = 0x1F  # PE, FE, NF, ORE, IDLE: cleared by reading SR, then DR
ORE, RXNE = 1 << 3, 1 << 5


class Usart(Peripheral):
    """8N1 only. `listener(byte, bit_ps)` gets what leaves the TX pin; `receive` is what arrives at the RX pin."""

    PLAIN = frozenset(("BRR", "GTPR", "SR"))

    def reset(self) -> None:
        self._seen = 0
        self._shifting: int | None = None
        self._waiting: int | None = None
        for event in ("TX", "IDLE"):
            self.machine.clock.cancel(f"{self.name}.{event}")
        super().reset()
        self.update_interrupt()

    listener: Callable[[int, int], None] | None = None

    def bit_ps(self) -> int:
        """Length of one bit in picoseconds; 0 while BRR is unusable."""
        brr, over8 = self.values["BRR"], self.bit("CR1", "OVER8")
        divider = (brr >> 4) * 8 + (brr & 7) if over8 else brr
        if divider < 16 >> over8:
            return 0
        bus = 2 if self.facts.base >= 0x4001_0000 else 1
        return divider * PS_PER_S // self.machine.rcc.bus_hz(bus)

    def baud(self) -> int:
        """The rate in bits per second, rounded; 0 while BRR is unusable."""
        ps = self.bit_ps()
        return round(PS_PER_S / ps) if ps else 0

    # ------------------------------------------------------------------ registers

    def set(self, name: str, value: int) -> None:
        if name == "SR" and self._page is not None and self._page.noted(self.facts.base):
            self._seen |= self.values["SR"] & FLAGS
        super().set(name, value)
        if name == "SR" and self._page is not None and self.clocked and value & FLAGS:
            self._page.show(self.facts.base, value, Kind.NOTED)  # reading SR is the first half of clearing these

    def write_SR(self, value: int) -> None:  # noqa: N802
        clearable = sum(self.facts.registers["SR"].bits(name) for name in ("RXNE", "TC", "LBD", "CTS"))
        self.set("SR", self.values["SR"] & (value | ~clearable))
        self.update_interrupt()

    def read_DR(self) -> int:  # noqa: N802
        if self._page is not None and self._page.noted(self.facts.base):
            self._seen |= self.values["SR"] & FLAGS
        status = self.values["SR"] & ~(self._seen | RXNE)
        if status != self.values["SR"]:
            self.set("SR", status)
        self._seen = 0
        self.update_interrupt()
        return self.values["DR"]

    def write_DR(self, value: int) -> None:  # noqa: N802
        if not (self.bit("CR1", "UE") and self.bit("CR1", "TE")):
            return
        self.put("SR", "TC", 0)
        if self._shifting is None:
            self._shift(value & 0xFF)
        else:
            self._waiting = value & 0xFF  # a second write before TXE replaces the byte, as on silicon
            self.put("SR", "TXE", 0)
        self.update_interrupt()

    def write_CR1(self, value: int) -> None:  # noqa: N802
        self.set("CR1", value)
        for name in ("M", "PCE", "WAKE", "RWU", "SBK"):
            if self.bit("CR1", name):
                self._refuse(f"{self.name}.CR1.{name}: only 8N1 is modelled")
        self.update_interrupt()

    def write_CR2(self, value: int) -> None:  # noqa: N802
        self.set("CR2", value)
        if value:
            self._refuse(f"{self.name}.CR2 = 0x{value:x}: only one stop bit and no synchronous or LIN mode is modelled")

    def write_CR3(self, value: int) -> None:  # noqa: N802
        self.set("CR3", value)
        for name in ("IREN", "HDSEL", "SCEN", "RTSE", "CTSE", "EIE"):
            if self.bit("CR3", name):
                self._refuse(f"{self.name}.CR3.{name} is not modelled")
        self._request_transmit()

    # ------------------------------------------------------------------ transmitting

    def _shift(self, byte: int) -> None:
        bit = self.bit_ps()
        if not bit:
            self._refuse(f"{self.name} transmits while BRR = {self.values['BRR']}")
        self._shifting = byte
        clock = self.machine.clock
        clock.at(f"{self.name}.TX", clock.now_ps() + FRAME_BITS * bit, lambda: self._sent(byte, bit))

    def _sent(self, byte: int, bit: int) -> None:
        self._shifting = None
        if self.listener is not None and self.machine.pin_is(f"{self.name}_TX"):
            self.listener(byte, bit)
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._shift(waiting)
            self.put("SR", "TXE", 1)
            self._request_transmit()
        else:
            self._request_transmit()
            if self._shifting is None:
                self.put("SR", "TC", 1)
        self.update_interrupt()

    def _request_transmit(self) -> None:
        while self.bit("CR3", "DMAT") and self.bit("SR", "TXE") and self.bit("CR1", "TE"):
            byte = self.machine.dma_read(f"{self.name}_TX")
            if byte is None:
                return
            self.write_DR(byte)

    # ------------------------------------------------------------------ receiving

    def receive(self, byte: int, bit: int) -> None:
        """One frame has arrived at the pin, sent with bits of length `bit` ps."""
        if not (self.bit("CR1", "UE") and self.bit("CR1", "RE") and self.machine.pin_is(f"{self.name}_RX")):
            return
        mine = self.bit_ps()
        if not mine:
            return
        for value, framing_error in resample(byte, bit, mine):
            self._take(value, framing_error)
        clock = self.machine.clock
        clock.at(f"{self.name}.IDLE", clock.now_ps() + FRAME_BITS * mine, self._idle)

    def _take(self, value: int, framing_error: bool) -> None:
        if self.bit("SR", "RXNE"):
            self.put("SR", "ORE", 1)  # the new byte is lost, the old one stays (RM0390, overrun error)
        else:
            self.values["DR"] = value
            self.put("SR", "FE", int(framing_error))
            if not (self.bit("CR3", "DMAR") and self.machine.dma_write(f"{self.name}_RX", self.read_DR)):
                self.put("SR", "RXNE", 1)
        self.update_interrupt()

    def _idle(self) -> None:
        if self.bit("CR1", "RE"):
            self.put("SR", "IDLE", 1)
            self.update_interrupt()

    def update_interrupt(self) -> None:
        """TXEIE to IDLEIE stand where their flags do; RXNEIE also enables ORE, and PEIE (bit 8) enables PE (bit 0)."""
        enable = self.values["CR1"]
        enabled = enable & 0xF0 | (ORE if enable & RXNE else 0) | enable >> 8 & 1
        self.machine.set_interrupt(self.name, bool(self.values["SR"] & enabled))
