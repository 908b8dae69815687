"""Which stream or channel of which DMA controller serves a request of a peripheral, and which memory it may reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hilgate.errors import VirtualFault

if TYPE_CHECKING:
    from hilgate.virtual.machine import Machine
    from hilgate.virtual.peripherals.dma import Dma

TO_MEMORY, TO_PERIPHERAL = 0, 1


class DmaRoutes:
    """register: the address of the peripheral's data, which the stream must have been given too."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self._routes = machine, machine.facts.usart_dma
        self._reach = [(memory.origin, memory.end) for memory in machine.board.memories if "dma" in memory.can]

    def reaches(self, address: int) -> bool:
        """Whether a DMA controller can access this memory."""
        return any(origin <= address < end for origin, end in self._reach)

    def write(self, request: str, register: int, take: Callable[[], int]) -> bool:
        """A peripheral has a byte for memory; False when no stream waits for it."""
        dma, stream = self._serving(request, register, TO_MEMORY)
        if dma is None:
            return False
        dma.to_memory(stream, take)
        return True

    def read(self, request: str, register: int) -> int | None:
        """A peripheral has room for a byte; None when no stream has one."""
        dma, stream = self._serving(request, register, TO_PERIPHERAL)
        return None if dma is None else dma.from_memory(stream)

    def _serving(self, request: str, register: int, direction: int) -> tuple[Dma | None, int]:
        """Raises VirtualFault when the stream was given another register than the one that asks."""
        for controller, stream, channel in self._routes.get(request, ()):
            dma: Dma = self._machine.peripherals[f"DMA{controller}"]  # type: ignore[assignment]
            if dma.serves(stream, channel, direction):
                there = dma.register(stream)
                if there != register:
                    what = f"{dma.name} serves {request} at 0x{there:08x}, but its data are at 0x{register:08x}"
                    raise VirtualFault(what, hint="see src/hilgate/virtual/FIDELITY.toml")
                return dma, stream
        return None, 0
