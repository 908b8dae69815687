"""DMA of the STM32L4+: seven channels a controller, each fed by the request that its DMAMUX channel selects."""

from __future__ import annotations

from collections.abc import Callable

from hilgate.virtual.peripherals.base import Peripheral

CHANNELS = 7
COMPLETE, HALF, TRANSFER_ERROR = 1, 2, 3  # bits of a channel's flags; 0 is "any"
EN, CIRC, MINC = 1, 1 << 5, 1 << 7  # CCR
UNMODELLED = 1 << 14 | 3 << 10 | 3 << 8 | 1 << 6  # MEM2MEM, MSIZE, PSIZE, PINC


class DmaMux(Peripheral):
    """Selects requests; synchronisation and the request generators are refused."""

    PLAIN = frozenset(("CSR",))

    def _modelled(self, register: object) -> bool:
        name = getattr(register, "name", "")
        return (name.startswith("C") and name.endswith("CR")) or super()._modelled(register)  # type: ignore[arg-type]

    def set(self, name: str, value: int) -> None:
        super().set(name, value)
        if name.endswith("CR") and value & ~0xFF:
            self._refuse(f"{self.name}.{name} = 0x{value:08x}: only the request's number is modelled")

    def request(self, controller: int, channel: int) -> int:
        return self.values[f"C{CHANNELS * (controller - 1) + channel - 1}CR"] if self.clocked else 0


class DmaChannels(Peripheral):
    """Bytes only, memory increments or not. A memory without `dma` in board.toml gives a transfer error."""

    PLAIN = frozenset(
        ("ISR", *(f"{name}{n}" for n in range(1, CHANNELS + 1) for name in ("CNDTR", "CPAR", "CMAR", "CCR")))
    )

    def reset(self) -> None:
        super().reset()
        self._length = [0] * (CHANNELS + 1)
        self._done = [0] * (CHANNELS + 1)

    def write(self, address: int, size: int, value: int) -> None:
        channel, register = divmod(address - self.facts.base - 8, 0x14)
        before = self.values.get(f"CCR{channel + 1}", 0)
        super().write(address, size, value)
        if not (0 <= channel < CHANNELS and register == 0):
            return
        channel += 1
        if value & EN and value & UNMODELLED:
            self._refuse(f"{self.name} channel {channel}: only byte transfers with a peripheral are modelled")
        if value & EN and not before & EN:
            self._length[channel], self._done[channel] = self.values[f"CNDTR{channel}"], 0
        self._update_interrupt(channel)

    def write_IFCR(self, value: int) -> None:  # noqa: N802
        for channel in range(1, CHANNELS + 1):
            low = 4 * (channel - 1)
            clear = 15 << low if value >> low & 1 else value & 15 << low
            self.set("ISR", self.values["ISR"] & ~clear)
            if not self.values["ISR"] >> low & 14:
                self.set("ISR", self.values["ISR"] & ~(1 << low))
            self._update_interrupt(channel)

    # ------------------------------------------------------------------ requests, as DmaRoutes asks for them

    def serves(self, channel: int, request: int, direction: int) -> bool:
        control, mux = self.values[f"CCR{channel}"], self.machine.peripherals["DMAMUX1"]
        selected = mux.request(int(self.name[-1]), channel)  # type: ignore[attr-defined]
        return bool(self.clocked and control & EN and selected == request and control >> 4 & 1 == direction)

    def register(self, channel: int) -> int:
        """The peripheral's register that the channel was given."""
        return self.values[f"CPAR{channel}"]

    def to_memory(self, channel: int, take: Callable[[], int]) -> None:
        """One byte from the peripheral into memory."""
        address = self._address(channel)
        if not self.machine.dma.reaches(address):
            return self._fail(channel)
        self.machine.core.memories.write(address, bytes([take() & 0xFF]))
        self._advance(channel)
        return None

    def from_memory(self, channel: int) -> int | None:
        """One byte of memory for the peripheral; None when that memory has no DMA."""
        address = self._address(channel)
        if not self.machine.dma.reaches(address):
            self._fail(channel)
            return None
        byte = self.machine.core.memories.read(address, 1)[0]
        self._advance(channel)
        return byte

    def _address(self, channel: int) -> int:
        step = self._done[channel] if self.values[f"CCR{channel}"] & MINC else 0
        return self.values[f"CMAR{channel}"] + step

    def _advance(self, channel: int) -> None:
        self._done[channel] += 1
        left = self._length[channel] - self._done[channel]
        if left == self._length[channel] // 2:
            self._raise(channel, HALF)
        if left == 0:
            self._done[channel] = 0
            if self.values[f"CCR{channel}"] & CIRC:
                left = self._length[channel]
            else:
                self.set(f"CCR{channel}", self.values[f"CCR{channel}"] & ~EN)
            self._raise(channel, COMPLETE)
        self.set(f"CNDTR{channel}", left)

    def _fail(self, channel: int) -> None:
        self.set(f"CCR{channel}", self.values[f"CCR{channel}"] & ~EN)
        self._raise(channel, TRANSFER_ERROR)

    def _raise(self, channel: int, flag: int) -> None:
        self.set("ISR", self.values["ISR"] | (1 << flag | 1) << 4 * (channel - 1))
        self._update_interrupt(channel)

    def _update_interrupt(self, channel: int) -> None:
        flags, enabled = self.values["ISR"] >> 4 * (channel - 1), self.values[f"CCR{channel}"]
        self.machine.set_interrupt(f"{self.name}_Channel{channel}", bool(flags & enabled & 0xE))
