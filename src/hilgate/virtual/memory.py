"""The memories of a core: mapped from buffers of the host, so that both sides see the same bytes."""

from __future__ import annotations

import ctypes
from typing import Any

from hilgate.errors import VirtualFault

PAGE = 0x1000


class Memories:
    """Plain memory only; registers are pages of the hooks."""

    def __init__(self, uc: Any) -> None:
        self._uc = uc
        self._all: list[tuple[int, int, memoryview, Any]] = []  # origin, end, bytes, and the buffer that holds them

    def map(self, origin: int, size: int, *, execute: bool, write: bool) -> memoryview:
        """A memory as the core sees it; returns its bytes, shared. Sizes are rounded up to 4 KiB."""
        import unicorn

        rounded = (size + PAGE - 1) & -PAGE
        buffer = (ctypes.c_uint8 * rounded)()
        permissions = unicorn.UC_PROT_READ | (unicorn.UC_PROT_WRITE if write else 0)
        permissions |= unicorn.UC_PROT_EXEC if execute else 0
        self._uc.mem_map_ptr(origin, rounded, permissions, ctypes.addressof(buffer))
        view = memoryview(buffer).cast("B")
        self._all.append((origin, origin + rounded, view, buffer))
        return view

    def alias(self, origin: int, at: int) -> None:
        """The memory at `origin` answers at `at` too, read-only."""
        import unicorn

        for begin, end, view, buffer in list(self._all):
            if begin == origin:
                permissions = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
                self._uc.mem_map_ptr(at, end - begin, permissions, ctypes.addressof(buffer))
                self._all.append((at, at + end - begin, view, buffer))

    def _find(self, address: int, size: int) -> tuple[int, memoryview, Any] | None:
        for origin, end, view, buffer in self._all:
            if origin <= address and address + size <= end:
                return address - origin, view, buffer
        return None

    def holds(self, address: int, size: int) -> bool:
        return self._find(address, size) is not None

    def read(self, address: int, size: int) -> bytes:
        """Raises VirtualFault where there is no memory."""
        found = self._find(address, size)
        if found is None:
            raise VirtualFault(f"no memory at 0x{address:08x}, {size} bytes", where="virtual board")
        return bytes(found[1][found[0] : found[0] + size])

    def write(self, address: int, data: bytes) -> None:
        """Writes flash as well. Raises VirtualFault where there is no memory."""
        found = self._find(address, len(data))
        if found is None:
            raise VirtualFault(f"no memory at 0x{address:08x}, {len(data)} bytes", where="virtual board")
        found[1][found[0] : found[0] + len(data)] = data

    def host_address(self, address: int, size: int) -> int | None:
        """Where the bytes lie in this process."""
        found = self._find(address, size)
        return None if found is None else ctypes.addressof(found[2]) + found[0]
