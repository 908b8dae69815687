"""What every UART of ours does, whatever its registers: bytes with their time on the wire, flags, DMA requests.

A class gives the registers their meaning and says in STATUS, RECEIVED, SENT and `divided` where flags and data are and
how long a bit takes. 8N1 only.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from hilgate.virtual.clock import PS_PER_S
from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.wire import FRAME_BITS, resample

if TYPE_CHECKING:
    from hilgate.virtual.machine import Machine
    from hilgate.virtual.registers import PeripheralFacts

ORE, RXNE = 1 << 3, 1 << 5


class Serial(Peripheral):
    """`listener(byte, bit_ps)` gets what leaves the TX pin; `receive` is what arrives at the RX pin."""

    STATUS: ClassVar[str]  # the register of the flags
    RECEIVED: ClassVar[str]  # the register of the received byte
    SENT: ClassVar[str]  # the register of the byte to send
    REFUSED_CR1: ClassVar[tuple[str, ...]]
    REFUSED_CR3: ClassVar[tuple[str, ...]]
    listener: Callable[[int, int], None] | None = None

    def __init__(self, machine: Machine, facts: PeripheralFacts) -> None:
        super().__init__(machine, facts)
        self._rx, self._tx, self._idle_event = f"{self.name}_RX", f"{self.name}_TX", f"{self.name}.IDLE"
        self._receives = facts.registers["CR1"].bits("UE") | facts.registers["CR1"].bits("RE")
        self._received_at = facts.base + facts.registers[self.RECEIVED].offset
        self._sent_at = facts.base + facts.registers[self.SENT].offset
        self._bit_ps: int | None = None

    def reset(self) -> None:
        self._shifting: int | None = None
        self._waiting: int | None = None
        for event in (f"{self.name}.TX", self._idle_event):
            self.machine.clock.cancel(event)
        super().reset()
        self.update_interrupt()

    def set(self, name: str, value: int) -> None:
        if name in ("BRR", "CR1"):
            self.rate_changed()
        super().set(name, value)

    def rate_changed(self) -> None:
        """BRR, OVER8 or the clock of the bus may have another value from now on."""
        self._bit_ps = None

    def bit_ps(self) -> int:
        """Length of one bit in picoseconds; 0 while the divider is unusable."""
        if self._bit_ps is None:
            self._bit_ps = self.divided()
        return self._bit_ps

    @abstractmethod
    def divided(self) -> int:
        """`bit_ps`, from BRR and the clock."""

    @abstractmethod
    def take_received(self) -> int:
        """The received byte, as a read of its register by the core or the DMA gives it."""

    def baud(self) -> int:
        """The rate in bits per second, rounded; 0 while the divider is unusable."""
        ps = self.bit_ps()
        return round(PS_PER_S / ps) if ps else 0

    def update_interrupt(self) -> None:
        """TXEIE to IDLEIE stand where their flags do; RXNEIE also enables ORE, and PEIE (bit 8) enables PE (bit 0)."""
        enable = self.values["CR1"]
        enabled = enable & 0xF0 | (ORE if enable & RXNE else 0) | enable >> 8 & 1
        self.machine.set_interrupt(self.name, bool(self.values[self.STATUS] & enabled))

    def refuse_any(self, register: str, names: tuple[str, ...], why: str) -> None:
        """Raise VirtualFault when one of these fields is set."""
        for name in names:
            if self.bit(register, name):
                self._refuse(f"{self.name}.{register}.{name}{why}")

    # ------------------------------------------------------------------ control registers

    def write_CR1(self, value: int) -> None:  # noqa: N802
        self.set("CR1", value)
        self.refuse_any("CR1", self.REFUSED_CR1, ": only 8N1 without FIFO is modelled")
        self.switched()
        self.update_interrupt()

    def switched(self) -> None:
        """CR1 was written."""

    def write_CR2(self, value: int) -> None:  # noqa: N802
        self.set("CR2", value)
        if value:
            only = "one stop bit and no swap, inversion, synchronous or LIN mode"
            self._refuse(f"{self.name}.CR2 = 0x{value:x}: only {only} is modelled")

    def write_CR3(self, value: int) -> None:  # noqa: N802
        self.set("CR3", value)
        self.refuse_any("CR3", self.REFUSED_CR3, " is not modelled")
        self.request_transmit()

    # ------------------------------------------------------------------ transmitting

    def transmit(self, byte: int) -> None:
        """A byte is written to be sent. A second one before TXE replaces the first, as on silicon."""
        if not (self.bit("CR1", "UE") and self.bit("CR1", "TE")):
            return
        self.put(self.STATUS, "TC", 0)
        if self._shifting is None:
            self._shift(byte & 0xFF)
        else:
            self._waiting = byte & 0xFF
            self.put(self.STATUS, "TXE", 0)
        self.update_interrupt()

    def stop_transmitting(self) -> None:
        """What is on the wire is lost."""
        self.machine.clock.cancel(f"{self.name}.TX")
        self._shifting = self._waiting = None

    def request_transmit(self) -> None:
        """Let the DMA write while it has something and there is room."""
        while self.bit("CR3", "DMAT") and self.bit(self.STATUS, "TXE") and self.bit("CR1", "TE"):
            byte = self.machine.dma.read(self._tx, self._sent_at)
            if byte is None:
                return
            self.transmit(byte)

    def _shift(self, byte: int) -> None:
        bit = self.bit_ps()
        if not bit:
            self._refuse(f"{self.name} transmits while BRR = {self.values['BRR']}")
        self._shifting = byte
        clock = self.machine.clock
        clock.at(f"{self.name}.TX", clock.now_ps() + FRAME_BITS * bit, lambda: self._sent(byte, bit))

    def _sent(self, byte: int, bit: int) -> None:
        self._shifting = None
        if self.listener is not None and self.machine.pin_is(self._tx):
            self.machine.said_something()
            self.listener(byte, bit)
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._shift(waiting)
            self.put(self.STATUS, "TXE", 1)
        self.request_transmit()
        if self._shifting is None:
            self.put(self.STATUS, "TC", 1)
        self.update_interrupt()

    # ------------------------------------------------------------------ receiving

    def receive(self, byte: int, bit: int) -> None:
        """One frame has arrived at the pin, sent with bits of length `bit` ps."""
        if self.values["CR1"] & self._receives != self._receives or not self.machine.pin_is(self._rx):
            return
        mine = self.bit_ps()
        if not mine:
            return
        for value, framing_error in resample(byte, bit, mine):
            self._take(value, framing_error)
        clock = self.machine.clock
        clock.at(self._idle_event, clock.now_ps() + FRAME_BITS * mine, self._idle)

    def framing(self, error: bool) -> None:
        """Whether the byte that was just received had its stop bit: FE stays set until software clears it."""
        if error:
            self.put(self.STATUS, "FE", 1)

    def _take(self, value: int, framing_error: bool) -> None:
        if self.bit(self.STATUS, "RXNE"):
            self.put(self.STATUS, "ORE", 1)  # the new byte is lost, the old one stays (RM0390, overrun error)
        else:
            self.values[self.RECEIVED] = value
            self.framing(framing_error)
            if not (self.bit("CR3", "DMAR") and self._hand_over()):
                self.put(self.STATUS, "RXNE", 1)
        self.update_interrupt()

    def _hand_over(self) -> bool:
        """To the DMA, where it waits for this byte."""
        return self.machine.dma.write(self._rx, self._received_at, self.take_received)

    def _idle(self) -> None:
        if self.bit("CR1", "RE"):
            self.put(self.STATUS, "IDLE", 1)
            self.update_interrupt()


class IsrSerial(Serial):
    """The newer UARTs: flags in ISR, cleared by writing ICR; received and sent data in registers of their own."""

    STATUS, RECEIVED, SENT = "ISR", "RDR", "TDR"
    CLEARABLE: ClassVar[int]  # bits of ICR, each where its flag stands in ISR

    def take_received(self) -> int:
        if self.values["ISR"] & RXNE:
            self.put("ISR", "RXNE", 0)
            self.update_interrupt()
        return self.values["RDR"]

    def read_RDR(self) -> int:  # noqa: N802
        return self.take_received()

    def read_TDR(self) -> int:  # noqa: N802
        return self.values["TDR"]

    def write_TDR(self, value: int) -> None:  # noqa: N802
        self.set("TDR", value)
        self.transmit(value)

    def write_BRR(self, value: int) -> None:  # noqa: N802
        self.set_while_off("BRR", value)

    def write_ICR(self, value: int) -> None:  # noqa: N802
        self.set("ISR", self.values["ISR"] & ~(value & self.CLEARABLE))
        self.update_interrupt()

    def write_RQR(self, value: int) -> None:  # noqa: N802
        if value & ~self.facts.registers["RQR"].bits("RXFRQ"):
            self._refuse(f"{self.name}.RQR = 0x{value:x}: only RXFRQ is modelled")
        self.put("ISR", "RXNE", 0)
        self.update_interrupt()

    def switched(self) -> None:
        """TEACK and REACK follow the enables; what is on the wire when UE is cleared is lost, and all flags are those
        of reset (RM0399, USART_CR1.UE; RM0432, LPUART_CR1.UE)."""
        if not self.bit("CR1", "UE"):
            self.stop_transmitting()
            self.set("ISR", self.facts.registers["ISR"].reset)
            return
        for enable, acknowledge in (("TE", "TEACK"), ("RE", "REACK")):
            self.put("ISR", acknowledge, self.bit("CR1", enable))

    def set_while_off(self, name: str, value: int) -> None:
        """Write a register that silicon keeps while UE is set."""
        if self.bit("CR1", "UE"):
            self._refuse(f"write of 0x{value:x} to {self.name}.{name} while CR1.UE is set: silicon ignores it")
        self.set(name, value)
