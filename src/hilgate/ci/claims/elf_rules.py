"""What an image must be before anybody runs, counts or flashes it: rules about a foreign ELF, by the base's board.

The file is read with `struct` and bounds, before any library sees it. Names of fields are the ELF specification's
(System V gABI, chapters 4 and 5; ELF for the Arm Architecture). Sections only explain: what is loaded is decided by
program headers.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from hilgate.build.layout import layout_of
from hilgate.catalogue import Board, Memory
from hilgate.errors import ArtifactError, ClaimError, ParamsError
from hilgate.hashing import image_hashes

LARGEST_ELF_BYTES = 32 * 1024 * 1024
MOST_SEGMENTS, MOST_SECTIONS, MOST_SYMBOLS = 32, 256, 100_000
HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
SEGMENT = struct.Struct("<8I")
SECTION = struct.Struct("<10I")
SYMBOL = struct.Struct("<IIIBBH")
SYMBOL_BYTES = SYMBOL.size
IDENTITY = b"\x7fELF\x01\x01\x01"  # 32 bits, little-endian, version 1
EXEC, ARM, EABI5 = 2, 40, 0x0500_0000
PT_LOAD, PT_NOTE, PT_GNU_STACK, PT_ARM_EXIDX = 1, 4, 0x6474_E551, 0x7000_0001
PF_X, PF_W = 1, 2
SHT_SYMTAB, SHT_NOBITS, SHF_COMPRESSED, STT_FUNC = 2, 8, 0x800, 2
FORBIDDEN = (  # what an image must not reach, for the message: ARM DDI 0403E.e B3.1, reference manuals, memory map
    (0x1FF0_0000, 0x2000_0000, "system memory, one-time-programmable or option bytes"),
    (0x4000_0000, 0x6000_0000, "peripheral registers"),
    (0xA000_0000, 0xE000_0000, "external devices"),
    (0xE000_0000, 0x1_0000_0000, "the core's own registers"),
)


@dataclass(frozen=True)
class Load:
    """One PT_LOAD: offset and bytes in the file, load address (LMA), run address (VMA), bytes in memory, flags."""

    offset: int
    lma: int
    vma: int
    file_bytes: int
    memory_bytes: int
    flags: int


def check_elf(path: Path, board: Board) -> None:
    """Apply every rule. Raises ClaimError at the first that is broken."""
    data = _read(path)
    entry, loads = _headers(data, path)
    _check_sections(data, board, path)
    for load in loads:
        _check_place(load, board, path)
    _check_overlaps(loads, path)
    _check_capacity(loads, board, path)
    _check_start(data, entry, loads, board, path)
    _check_slot(path)


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if size > LARGEST_ELF_BYTES:
        _refuse(f"{size} bytes, more than {LARGEST_ELF_BYTES} are refused", path)
    return path.read_bytes()


def _headers(data: bytes, path: Path) -> tuple[int, list[Load]]:
    """Entry point and PT_LOADs of a file that is an executable for a 32-bit little-endian ARM."""
    if len(data) < HEADER.size or not data.startswith(IDENTITY):
        _refuse("not an ELF file of 32 bits, little-endian", path)
    _, kind, machine, version, entry, at, _, flags, _, entry_bytes, count, *_ = HEADER.unpack_from(data)
    if (kind, machine, version) != (EXEC, ARM, 1):
        _refuse(f"type {kind}, machine {machine}: not an executable for ARM", path)
    if flags & 0xFF00_0000 != EABI5:
        _refuse(f"flags {flags:#010x}: not of the ARM EABI version 5", path)
    if entry_bytes != SEGMENT.size or not 0 < count <= MOST_SEGMENTS or at + count * SEGMENT.size > len(data):
        _refuse(f"{count} program headers of {entry_bytes} bytes at {at:#x}", path)
    loads = []
    for index in range(count):
        kind, offset, vma, lma, stored, memory, access, _ = SEGMENT.unpack_from(data, at + index * SEGMENT.size)
        if kind not in (0, PT_LOAD, PT_NOTE, PT_GNU_STACK, PT_ARM_EXIDX):
            _refuse(f"program header {index} has type {kind:#x}, which firmware does not need", path)
        if kind == PT_LOAD and memory:
            if stored > memory or offset + stored > len(data):
                _refuse(f"segment {index} is cut short, or stores more than it loads", path)
            loads.append(Load(offset, lma, vma, stored, memory, access))
    return entry, loads


def _check_sections(data: bytes, board: Board, path: Path) -> None:
    """Bounds for the libraries that read sections later: counts, places, bytes, no decompression."""
    _, _, _, _, _, _, at, _, _, _, _, entry_bytes, count, names = HEADER.unpack_from(data)
    if entry_bytes != SECTION.size or not 0 < count <= MOST_SECTIONS or at + count * SECTION.size > len(data):
        _refuse(f"{count} section headers of {entry_bytes} bytes at {at:#x}", path)
    if names >= count:
        _refuse(f"section names in section {names} of {count}", path)
    total = 0
    for index in range(count):
        _, kind, flags, _, offset, size, link, _, _, item = SECTION.unpack_from(data, at + index * SECTION.size)
        total += size if kind != SHT_NOBITS else 0
        if flags & SHF_COMPRESSED:
            _refuse(f"section {index} is compressed", path)
        if kind != SHT_NOBITS and offset + size > len(data):
            _refuse(f"section {index} is cut short", path)
        if kind == SHT_SYMTAB:
            if item != SYMBOL_BYTES or size // item > MOST_SYMBOLS or link >= count:
                _refuse(f"section {index} is no symbol table, or has more than {MOST_SYMBOLS} symbols", path)
            _check_functions(data[offset : offset + size // item * item], board, path)
    if total > len(data):
        _refuse(f"its sections have {total} bytes, the file {len(data)}: they overlap", path)


def _check_functions(table: bytes, board: Board, path: Path) -> None:
    """Functions together are hardly larger than the flash: each is disassembled from start to end."""
    sizes = sum(size for _, _, size, info, _, _ in SYMBOL.iter_unpack(table) if info & 15 == STT_FUNC)
    flash = sum(memory.bytes for memory in board.memories if memory.kind == "flash")
    if sizes > 2 * flash:
        _refuse(f"its functions have {sizes} bytes, the flash {flash}", path)


def _check_place(load: Load, board: Board, path: Path) -> None:
    """What is stored lies in flash, what runs in flash where it is stored, or in RAM that allows it."""
    if load.file_bytes:
        stored = _memory(load.lma, load.file_bytes, board, path, "is loaded")
        if stored.kind != "flash":
            _refuse(f"loads {load.file_bytes} bytes at {load.lma:#010x}, which is {stored.name}, not flash", path)
    home = _memory(load.vma, load.memory_bytes, board, path, "runs")
    if home.kind == "flash":
        if (load.vma, load.memory_bytes) != (load.lma, load.file_bytes) or load.flags & PF_W:
            _refuse(f"a segment in flash at {load.vma:#010x} that is not stored there, or writable", path)
    elif load.flags & PF_X and "execute" not in home.can:
        _refuse(f"code at {load.vma:#010x} in {home.name}, which cannot execute", path)


def _memory(address: int, count: int, board: Board, path: Path, verb: str) -> Memory:
    """The one memory of the board that holds a range. Raises ClaimError."""
    for memory in board.memories:
        if memory.origin <= address and address + count <= memory.end:
            return memory
    what = f"a segment {verb} at {address:#010x} to {address + count:#010x}, outside the flash and RAM of {board.name}"
    inside = [name for low, high, name in FORBIDDEN if address < high and address + count > low]
    _refuse(what + (f": {inside[0]}" if inside else ""), path)


def _check_overlaps(loads: list[Load], path: Path) -> None:
    stored = [(load.lma, load.lma + load.file_bytes) for load in loads if load.file_bytes]
    running = [(load.vma, load.vma + load.memory_bytes) for load in loads]
    # what is copied to RAM is stored in flash, where nothing else may run
    running += [(load.lma, load.lma + load.file_bytes) for load in loads if load.file_bytes and load.lma != load.vma]
    for ranges in (stored, running):
        for low, high in itertools.pairwise(sorted(ranges)):
            if low[1] > high[0]:
                _refuse(f"segments overlap at {high[0]:#010x}", path)


def _check_capacity(loads: list[Load], board: Board, path: Path) -> None:
    """Together no more than the board has; holds when nothing overlaps, and is cheap to say once more."""
    flash = sum(load.file_bytes for load in loads)
    ram = sum(load.memory_bytes for load in loads if load.vma != load.lma or not load.file_bytes)
    for kind, used in (("flash", flash), ("ram", ram)):
        capacity = sum(memory.bytes for memory in board.memories if memory.kind == kind)
        if not 0 <= used <= capacity:
            _refuse(f"{used} bytes of {kind}, {board.name} has {capacity}", path)
    if not flash:
        _refuse("nothing in it is loaded", path)


def _check_start(data: bytes, entry: int, loads: list[Load], board: Board, path: Path) -> None:
    """The core starts by the vector table at the image's address: a stack in RAM, and Thumb code of the image."""
    try:
        start = layout_of(board).image_address
    except ParamsError as error:
        raise ClaimError(f"the base's board cannot be used: {error.what}", where=board.name) from error
    table = next((load for load in loads if load.lma <= start and start + 8 <= load.lma + load.file_bytes), None)
    first = min(load.lma for load in loads if load.file_bytes)
    if table is None or table.lma != start or first < start:
        _refuse(
            f"no vector table at {start:#010x}, where {board.name} starts (the image begins at {first:#010x})", path
        )
    stack, reset = struct.unpack_from("<II", data, table.offset)
    if stack % 8 or not any(m.kind == "ram" and m.origin < stack <= m.end for m in board.memories):
        _refuse(f"the first stack pointer is {stack:#010x}: not a multiple of 8 in RAM", path)
    for what, address in (("reset vector", reset), ("entry point", entry)):
        code = [load for load in loads if load.flags & PF_X and load.lma == load.vma]
        if not address & 1:
            _refuse(f"the {what} {address:#010x} has no Thumb bit", path)
        if not any(load.lma <= address - 1 < load.lma + load.file_bytes for load in code):
            _refuse(f"the {what} {address:#010x} is outside the code in flash", path)


def _check_slot(path: Path) -> None:
    """The header's slot holds the hash of the image, as the device will compute it."""
    try:
        hashes = image_hashes(path)
    except ArtifactError as error:
        raise ClaimError(error.what[:300], where=path.name) from error
    if hashes.image != hashes.slot:
        _refuse("its bytes do not match the hash in its header", path)


def _refuse(what: str, path: Path) -> NoReturn:
    raise ClaimError(what, where=path.name, hint="build it with `hilgate build <cell>`")
