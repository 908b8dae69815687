"""LPUART: the STM32L4's UART registers, at 256 clocks over BRR; bytes with their time on the wire."""

from __future__ import annotations

from collections.abc import Callable

from hilgate.virtual.clock import PS_PER_S
from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.wire import FRAME_BITS, resample

BRR_MIN = 0x300  # RM0432, LPUART_BRR
ORE, RXNE = 1 << 3, 1 << 5
WHILE_OFF = ("BRR", "CR2")  # may be written only while CR1.UE is clear


class LpUart(Peripheral):
    """8N1 only. `listener(byte, bit_ps)` gets what leaves the TX pin; `receive` is what arrives at the RX pin."""

    PLAIN = frozenset(("ISR",))
    listener: Callable[[int, int], None] | None = None

    def reset(self) -> None:
        self._shifting: int | None = None
        self._waiting: int | None = None
        for event in ("TX", "IDLE"):
            self.machine.clock.cancel(f"{self.name}.{event}")
        super().reset()
        self._update_interrupt()

    def bit_ps(self) -> int:
        """Length of one bit in picoseconds; 0 while BRR is unusable."""
        brr = self.values["BRR"]
        return brr * PS_PER_S // (256 * self.machine.rcc.bus_hz(1)) if brr >= BRR_MIN else 0

    def baud(self) -> int:
        """The rate in bits per second, rounded; 0 while BRR is unusable."""
        ps = self.bit_ps()
        return round(PS_PER_S / ps) if ps else 0

    # ------------------------------------------------------------------ registers

    def write_BRR(self, value: int) -> None:  # noqa: N802
        self._set_while_off("BRR", value)

    def write_CR2(self, value: int) -> None:  # noqa: N802
        self._set_while_off("CR2", value)
        if value:
            self._refuse(f"{self.name}.CR2 = 0x{value:x}: only one stop bit and no swap or inversion is modelled")

    def _set_while_off(self, name: str, value: int) -> None:
        if self.bit("CR1", "UE"):
            self._refuse(f"write of 0x{value:x} to {self.name}.{name} while CR1.UE is set: silicon ignores it")
        self.set(name, value)

    def write_CR1(self, value: int) -> None:  # noqa: N802
        self.set("CR1", value)
        for name in ("M0", "M1", "PCE", "WAKE", "MME", "UESM", "CMIE"):
            if self.bit("CR1", name):
                self._refuse(f"{self.name}.CR1.{name}: only 8N1 is modelled")
        on = self.bit("CR1", "UE")
        for enable, acknowledge in (("TE", "TEACK"), ("RE", "REACK")):
            self.put("ISR", acknowledge, on & self.bit("CR1", enable))
        if not on:
            self._switch_off()
        self._update_interrupt()

    def _switch_off(self) -> None:
        """UE cleared: what is on the wire is lost, and all flags are those of reset (RM0432, LPUART_CR1.UE)."""
        self.machine.clock.cancel(f"{self.name}.TX")
        self._shifting = self._waiting = None
        self.set("ISR", self.facts.registers["ISR"].reset)

    def write_CR3(self, value: int) -> None:  # noqa: N802
        self.set("CR3", value)
        for name in ("DEM", "DDRE", "OVRDIS", "CTSE", "RTSE", "HDSEL", "EIE", "WUFIE", "CTSIE"):
            if self.bit("CR3", name):
                self._refuse(f"{self.name}.CR3.{name} is not modelled")
        self._request_transmit()

    def write_ICR(self, value: int) -> None:  # noqa: N802
        self.set("ISR", self.values["ISR"] & ~(value & 0x5F))  # PE, FE, NF, ORE, IDLE, TC stand where their clears do
        self._update_interrupt()

    def write_RQR(self, value: int) -> None:  # noqa: N802
        if value & ~self.facts.registers["RQR"].bits("RXFRQ"):
            self._refuse(f"{self.name}.RQR = 0x{value:x}: only RXFRQ is modelled")
        self.put("ISR", "RXNE", 0)
        self._update_interrupt()

    def read_RDR(self) -> int:  # noqa: N802
        self.put("ISR", "RXNE", 0)
        self._update_interrupt()
        return self.values["RDR"]

    def read_TDR(self) -> int:  # noqa: N802
        return self.values["TDR"]

    def write_TDR(self, value: int) -> None:  # noqa: N802
        self.set("TDR", value)
        if not (self.bit("CR1", "UE") and self.bit("CR1", "TE")):
            return
        self.put("ISR", "TC", 0)
        if self._shifting is None:
            self._shift(value & 0xFF)
        else:
            self._waiting = value & 0xFF  # a second write before TXE replaces the byte
            self.put("ISR", "TXE", 0)
        self._update_interrupt()

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
            self.put("ISR", "TXE", 1)
        self._request_transmit()
        if self._shifting is None:
            self.put("ISR", "TC", 1)
        self._update_interrupt()

    def _request_transmit(self) -> None:
        while self.bit("CR3", "DMAT") and self.bit("ISR", "TXE") and self.bit("CR1", "TE"):
            byte = self.machine.dma_read(f"{self.name}_TX")
            if byte is None:
                return
            self.write_TDR(byte)

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
        if self.bit("ISR", "RXNE"):
            self.put("ISR", "ORE", 1)  # the new byte is lost, the old one stays
        else:
            self.values["RDR"] = value
            if framing_error:
                self.put("ISR", "FE", 1)
            if not (self.bit("CR3", "DMAR") and self.machine.dma_write(f"{self.name}_RX", self.read_RDR)):
                self.put("ISR", "RXNE", 1)
        self._update_interrupt()

    def _idle(self) -> None:
        if self.bit("CR1", "RE"):
            self.put("ISR", "IDLE", 1)
            self._update_interrupt()

    def _update_interrupt(self) -> None:
        """TXEIE to IDLEIE stand where their flags do; RXNEIE also enables ORE, and PEIE (bit 8) enables PE (bit 0)."""
        enable = self.values.get("CR1", 0)
        enabled = enable & 0xF0 | (ORE if enable & RXNE else 0) | enable >> 8 & 1
        self.machine.set_interrupt(self.name, bool(self.values.get("ISR", 0) & enabled))
