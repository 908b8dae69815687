"""The image inside an ELF: its bytes, its hash, and the slot that carries the hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from hilgate.build.linker import HASH_OFFSET, IMAGE_MAGIC
from hilgate.errors import BuildError

HASH_BYTES = 32


@dataclass(frozen=True)
class Segment:
    """One loadable piece. offset: in the file; load, run: addresses (LMA, VMA); file_bytes: stored; memory_bytes."""

    offset: int
    load: int
    run: int
    file_bytes: int
    memory_bytes: int
    flags: int


def segments(path: Path) -> list[Segment]:
    """The PT_LOAD program headers of an ELF."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        return [
            Segment(s["p_offset"], s["p_paddr"], s["p_vaddr"], s["p_filesz"], s["p_memsz"], s["p_flags"])
            for s in ELFFile(file).iter_segments("PT_LOAD")
        ]


def symbols(path: Path, *, weak: bool = False) -> dict[str, int]:
    """Global symbols of an ELF and their values; `weak`: those too."""
    from elftools.elf.elffile import ELFFile

    kinds = ("STB_GLOBAL", "STB_WEAK") if weak else ("STB_GLOBAL",)
    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return {s.name: s["st_value"] for s in table.iter_symbols() if s.name and s["st_info"]["bind"] in kinds}


def object_bytes(path: Path, name: str) -> int:
    """Size of one object of an ELF."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        return int(ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)[0]["st_size"])


def read_load(path: Path, start: int, end: int) -> bytes:
    """Bytes [start, end) by load address; gaps between segments read as 0xFF, as erased flash does."""
    content = bytearray(b"\xff" * (end - start))
    data = path.read_bytes()
    for segment in segments(path):
        low, high = max(start, segment.load), min(end, segment.load + segment.file_bytes)
        if low < high:
            at = segment.offset + low - segment.load
            content[low - start : high - start] = data[at : at + high - low]
    return bytes(content)


def image_hash(path: Path) -> bytes:
    """SHA-256 over the image with its hash slot zeroed: what the device computes at start-up."""
    names = symbols(path)
    start, end, header = names["image_start"], names["image_end"], names["image_header_start"]
    content = bytearray(read_load(path, start, end))
    slot = header + HASH_OFFSET - start
    content[slot : slot + HASH_BYTES] = bytes(HASH_BYTES)
    return hashlib.sha256(content).digest()


def fill_hash_slot(path: Path) -> bytes:
    """Write the image's hash into its slot. Returns the hash. Raises BuildError when there is no slot."""
    digest = image_hash(path)
    header = symbols(path)["image_header_start"]
    if read_load(path, header, header + 4) != IMAGE_MAGIC.to_bytes(4, "little"):
        raise BuildError("the image has no header", where=str(path))
    slot = header + HASH_OFFSET
    data = bytearray(path.read_bytes())
    home = next(s for s in segments(path) if s.load <= slot < s.load + s.file_bytes)
    at = home.offset + slot - home.load
    data[at : at + HASH_BYTES] = digest
    path.write_bytes(data)
    return digest
