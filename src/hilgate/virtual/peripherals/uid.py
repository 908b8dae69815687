"""What the factory wrote: the unique id, made of a mark, the board's name and the seed, and the flash size."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hilgate.errors import VirtualFault

if TYPE_CHECKING:
    from hilgate.virtual.machine import Machine

FLASH_SIZE_OFFSET = 0x12  # 16 bits in KiB at UID + 0x12 (RM0390 33.2: 0x1FFF7A22), unless the family says otherwise

UID_MARK = b"VIRTUAL"  # no chip's id begins so: an emulator behind a TCP port is never taken for one
NO_UID = (bytes(12), b"\xff" * 12)  # of an emulator that has none, and of memory that was never written


class FactoryData:
    """A page of system memory; everything beside id and flash size is a VirtualFault."""

    def __init__(self, machine: Machine, uid_address: int, seed: int) -> None:
        digest = (UID_MARK + hashlib.sha256(f"{machine.board.name}/{seed}".encode()).digest())[:12]
        kib = sum(memory.bytes for memory in machine.board.memories if memory.kind == "flash") // 1024
        size_at = uid_address + int(machine.family.get("identity", {}).get("flash_size_offset", FLASH_SIZE_OFFSET))
        self.bytes = {uid_address + i: byte for i, byte in enumerate(digest)}
        self.bytes |= {size_at + i: byte for i, byte in enumerate(kib.to_bytes(2, "little"))}
        self.uid = digest

    def read(self, address: int, size: int) -> int:
        if not all(address + i in self.bytes for i in range(size)):
            raise VirtualFault(f"read of 0x{address:08x}: system memory that the virtual board does not model")
        return int.from_bytes(bytes(self.bytes[address + i] for i in range(size)), "little")

    def write(self, address: int, size: int, value: int) -> None:
        raise VirtualFault(f"write of 0x{value:x} ({size} bytes) to 0x{address:08x}: system memory cannot be written")
