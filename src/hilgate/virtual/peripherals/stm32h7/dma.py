"""DMA behind a DMAMUX, and the two ways in which a Cortex-M7 makes DMA go wrong."""

from __future__ import annotations

from hilgate.virtual.peripherals import dma
from hilgate.virtual.peripherals.base import Peripheral

TRBUFF = 1 << 20
D2_SRAM = ((0x3000_0000, "SRAM1EN"), (0x3002_0000, "SRAM2EN"), (0x3004_0000, "SRAM3EN"))


class DmaMux(Peripheral):
    """Which request drives which stream; synchronisation and request generators are not modelled."""

    PLAIN = frozenset(f"C{n}CR" for n in range(16))

    def request(self, controller: int, stream: int) -> int:
        return self.bit(f"C{8 * (controller - 1) + stream}CR", "DMAREQ_ID")


class Dma(dma.Dma):
    """A byte into memory that the data cache holds is a VirtualFault: the core would read the old one."""

    def _check(self, stream: int, value: int) -> None:
        super()._check(stream, value)
        if value & 1 and not value & TRBUFF:
            self._refuse(f"{self.name} stream {stream}: a USART's stream without TRBUFF can lock up (ST ES0445)")

    def serves(self, stream: int, channel: int, direction: int) -> bool:
        control = self.values[f"S{stream}CR"]
        mux: DmaMux = self.machine.peripherals["DMAMUX1"]  # type: ignore[assignment]
        number = int(self.name.removeprefix("DMA"))
        wanted = bool(self.clocked and control & 1 and control >> 6 & 3 == direction)
        return wanted and mux.request(number, stream) == channel

    def _address(self, stream: int) -> int:
        address = super()._address(stream)
        for begin, gate in D2_SRAM:
            if begin <= address < begin + 0x2_0000 and not self.machine.rcc.bit("AHB2ENR", gate):
                self._refuse(f"{self.name} accesses 0x{address:08x} while RCC.AHB2ENR.{gate} is 0")
        _, data_cache = self.machine.scb.caches  # type: ignore[attr-defined]
        if data_cache and self.machine.peripherals["MPU"].is_cacheable(address):  # type: ignore[attr-defined]
            self._refuse(f"{self.name} accesses 0x{address:08x}, which the data cache may hold another copy of")
        return address
