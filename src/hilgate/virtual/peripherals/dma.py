"""DMA controller: byte transfers between a USART's data register and memory, one request at a time, circular or not."""

from __future__ import annotations

from collections.abc import Callable

from hilgate.virtual.peripherals.base import Peripheral

STREAMS = 8
FLAG_SHIFT = (0, 6, 16, 22)  # RM0390 9.5.1: place of a stream's flags in LISR or HISR
TRANSFER_ERROR, HALF, COMPLETE = 3, 4, 5  # their bits


class Dma(Peripheral):
    """Bytes only, direct mode, memory increments. A memory without `dma` in board.toml gives a transfer error."""

    PLAIN = frozenset(
        (
            "LISR",
            "HISR",
            *(f"S{n}{register}" for n in range(STREAMS) for register in ("NDTR", "PAR", "M0AR", "M1AR", "FCR")),
        )
    )

    def reset(self) -> None:
        super().reset()
        self._length = [0] * STREAMS
        self._done = [0] * STREAMS

    def write(self, address: int, size: int, value: int) -> None:
        offset = address - self.facts.base - 0x10
        stream, register = divmod(offset, 0x18)
        if 0 <= stream < STREAMS and register == 0:
            self._check(stream, value)
            starts = bool(value & 1) and not self.values[f"S{stream}CR"] & 1
            self.set(f"S{stream}CR", value)
            if starts:
                self._length[stream], self._done[stream] = self.values[f"S{stream}NDTR"], 0
            self._update_interrupt(stream)
            return
        super().write(address, size, value)

    def _modelled(self, register: object) -> bool:
        name = getattr(register, "name", "")
        return (name.endswith("CR") and not name.endswith("FCR")) or super()._modelled(register)  # type: ignore[arg-type]

    def _check(self, stream: int, value: int) -> None:
        if value & 1 and (value & (1 << 18) or value & (3 << 11) or value & (3 << 13) or value >> 6 & 3 == 2):
            self._refuse(f"{self.name} stream {stream}: only byte transfers with one buffer are modelled")
        if value & 1 and self.values[f"S{stream}FCR"] & 4:
            self._refuse(f"{self.name} stream {stream}: the FIFO is not modelled")

    def write_LIFCR(self, value: int) -> None:  # noqa: N802
        self._clear("LISR", value)

    def write_HIFCR(self, value: int) -> None:  # noqa: N802
        self._clear("HISR", value)

    def _clear(self, register: str, value: int) -> None:
        self.set(register, self.values[register] & ~value)
        for stream in range(STREAMS):
            self._update_interrupt(stream)

    # ------------------------------------------------------------------ requests

    def serves(self, stream: int, channel: int, direction: int) -> bool:
        control = self.values[f"S{stream}CR"]
        return bool(self.clocked and control & 1 and control >> 25 & 7 == channel and control >> 6 & 3 == direction)

    def register(self, stream: int) -> int:
        """The peripheral's register that the stream was given."""
        return self.values[f"S{stream}PAR"]

    def to_memory(self, stream: int, take: Callable[[], int]) -> None:
        """One byte from the peripheral into memory."""
        address = self._address(stream)
        if not self.machine.dma.reaches(address):
            return self._fail(stream)
        self.machine.core.memories.write(address, bytes([take() & 0xFF]))
        self._advance(stream)
        return None

    def from_memory(self, stream: int) -> int | None:
        """One byte of memory for the peripheral; None when there is none left."""
        address = self._address(stream)
        if not self.machine.dma.reaches(address):
            self._fail(stream)
            return None
        byte = self.machine.core.memories.read(address, 1)[0]
        self._advance(stream)
        return byte

    def _address(self, stream: int) -> int:
        step = self._done[stream] if self.values[f"S{stream}CR"] >> 10 & 1 else 0
        return self.values[f"S{stream}M0AR"] + step

    def _advance(self, stream: int) -> None:
        self._done[stream] += 1
        left = self._length[stream] - self._done[stream]
        if left == self._length[stream] // 2:
            self._raise(stream, HALF)
        if left == 0:
            self._done[stream] = 0
            if self.values[f"S{stream}CR"] >> 8 & 1:
                left = self._length[stream]
            else:
                self.set(f"S{stream}CR", self.values[f"S{stream}CR"] & ~1)
            self._raise(stream, COMPLETE)
        self.set(f"S{stream}NDTR", left)

    def _fail(self, stream: int) -> None:
        self.set(f"S{stream}CR", self.values[f"S{stream}CR"] & ~1)
        self._raise(stream, TRANSFER_ERROR)

    def _raise(self, stream: int, flag: int) -> None:
        register = "LISR" if stream < 4 else "HISR"
        self.set(register, self.values[register] | 1 << FLAG_SHIFT[stream % 4] + flag)
        self._update_interrupt(stream)

    def _update_interrupt(self, stream: int) -> None:
        flags = self.values["LISR" if stream < 4 else "HISR"] >> FLAG_SHIFT[stream % 4]
        control = self.values[f"S{stream}CR"]
        pairs = ((2, TRANSFER_ERROR), (3, HALF), (4, COMPLETE))  # TEIE, HTIE, TCIE
        self.machine.set_interrupt(f"{self.name}_Stream{stream}", any(control >> e & flags >> f & 1 for e, f in pairs))
