"""The image inside an ELF: its bytes, its hash, and the slot that carries the hash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import ArtifactError, BuildError
from hilgate.hashing import SLOT_BYTES, image_hashes


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


def fill_hash_slot(path: Path) -> bytes:
    """Write the image's hash into its slot. Returns the hash. Raises BuildError when there is no slot."""
    try:
        found = image_hashes(path)
    except ArtifactError as error:
        raise BuildError(error.what, where=error.where) from error
    data = bytearray(path.read_bytes())
    data[found.slot_file_offset : found.slot_file_offset + SLOT_BYTES] = found.image
    path.write_bytes(data)
    return found.image
