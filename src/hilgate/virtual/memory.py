"""The memories of a core: mapped from buffers of the host, so that both sides see the same bytes."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

from hilgate.errors import VirtualFault

PAGE = 0x1000


class Region(NamedTuple):
    """One range of addresses; its bytes as a view, and the buffer that holds them."""

    origin: int
    end: int
    write: bool
    view: memoryview
    buffer: Any


class Memories:
    """Plain memory only; registers are pages of the hooks."""

    def __init__(self, uc: Any) -> None:
        self._uc = uc
        self._regions: list[Region] = []

    def map(self, origin: int, size: int, *, execute: bool, write: bool) -> memoryview:
        """A memory as the core sees it; returns its bytes, shared. Sizes are rounded up to 4 KiB."""
        buffer = (ctypes.c_uint8 * ((size + PAGE - 1) & -PAGE))()
        view = memoryview(buffer).cast("B")
        self._map(Region(origin, origin + len(view), write, view, buffer), execute=execute)
        return view

    def alias(self, origin: int, size: int, at: int, *, write: bool) -> None:
        """`size` bytes of the memory at `origin` answer at `at` too. Raises VirtualFault where there is no memory."""
        known = self._find(origin, size)
        if known is None:
            raise VirtualFault(f"no memory at 0x{origin:08x}, {size} bytes", where="virtual board")
        begin = origin - known.origin
        view = known.view[begin : begin + size]
        self._map(Region(at, at + size, write, view, known.buffer), execute=True)

    def _map(self, region: Region, *, execute: bool) -> None:
        import unicorn

        permissions = unicorn.UC_PROT_READ | (unicorn.UC_PROT_WRITE if region.write else 0)
        permissions |= unicorn.UC_PROT_EXEC if execute else 0
        self._uc.mem_map_ptr(region.origin, len(region.view), permissions, _address(region))
        self._regions.append(region)

    def _find(self, address: int, size: int) -> Region | None:
        for region in self._regions:
            if region.origin <= address and address + size <= region.end:
                return region
        return None

    def holds(self, address: int, size: int) -> bool:
        return self._find(address, size) is not None

    def may_write(self, address: int, size: int) -> bool:
        """Whether stores of the core to all of these bytes arrive."""
        region = self._find(address, size)
        return region is not None and region.write

    def read(self, address: int, size: int) -> bytes:
        """Raises VirtualFault where there is no memory."""
        region = self._find(address, size)
        if region is None:
            raise VirtualFault(f"no memory at 0x{address:08x}, {size} bytes", where="virtual board")
        return bytes(region.view[address - region.origin : address - region.origin + size])

    def write(self, address: int, data: bytes) -> None:
        """Writes flash as well. Raises VirtualFault where there is no memory."""
        region = self._find(address, len(data))
        if region is None:
            raise VirtualFault(f"no memory at 0x{address:08x}, {len(data)} bytes", where="virtual board")
        region.view[address - region.origin : address - region.origin + len(data)] = data

    def host_address(self, address: int, size: int) -> int | None:
        """Where the bytes lie in this process."""
        region = self._find(address, size)
        return None if region is None else _address(region) + address - region.origin


def _address(region: Region) -> int:
    return ctypes.addressof(ctypes.c_uint8.from_buffer(region.view))
