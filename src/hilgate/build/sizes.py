"""sizes.json: where the bytes of an image go, from its program headers, sections and symbols."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hilgate.build.image import segments
from hilgate.build.stack import Chain
from hilgate.catalogue import Board

SHF_ALLOC = 0x2  # ELF gABI, section flags: takes memory when the program runs
UNLOADED = (
    ".noinit",
    ".hot_weights",
)  # RAM in no segment; .stack is counted as stack_worst_bytes, not as what is reserved


def flash_sizes(elf: Path, board: Board) -> dict[str, int]:
    """Bytes stored in flash, by load address (LMA): .data's initial values count here."""
    flashes = [m for m in board.memories if m.kind == "flash"]
    total = sum(s.file_bytes for s in segments(elf) if any(m.origin <= s.load < m.end for m in flashes))
    sections = section_sizes(elf)
    weights, kernels = sections[".weights"], sections[".kernels"]
    return {
        "total_bytes": total,
        "weights_bytes": weights,
        "kernels_bytes": kernels,
        "runtime_bytes": total - weights - kernels,
        "capacity_bytes": sum(m.bytes for m in flashes),
    }


def ram_sizes(elf: Path, board: Board, stack: Chain) -> dict[str, int]:
    """Bytes used in RAM, by run address (VMA): .data and hot code count here too. static: without the arena."""
    rams = [m for m in board.memories if m.kind == "ram"]
    sections = section_sizes(elf)
    used = sum(s.memory_bytes for s in segments(elf) if any(m.origin <= s.run < m.end for m in rams))
    used += sum(sections.get(name, 0) for name in UNLOADED)
    arena = sections[".arena"]
    return {
        "static_bytes": used - arena,
        "arena_bytes": arena,
        "stack_worst_bytes": stack.bytes,
        "total_bytes": used + stack.bytes,
        "capacity_bytes": sum(m.bytes for m in rams),
    }


def section_sizes(elf: Path) -> dict[str, int]:
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as file:
        return {s.name: s["sh_size"] for s in ELFFile(file).iter_sections()}


def section_rows(elf: Path, board: Board) -> list[dict[str, Any]]:
    """Every section that takes memory: name, memory (flash or ram), bytes, in the ELF's order.

    A section that is copied to RAM at start-up has a row in each. .stack is what is reserved, so it has none.
    """
    from elftools.elf.elffile import ELFFile

    rams = [m for m in board.memories if m.kind == "ram"]
    rows = []
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            size = section["sh_size"]
            if not section["sh_flags"] & SHF_ALLOC or not size or section.name == ".stack":
                continue
            in_ram = any(m.origin <= section["sh_addr"] < m.end for m in rams)
            stored = section["sh_type"] != "SHT_NOBITS"
            kinds = [kind for kind, there in (("flash", stored), ("ram", in_ram)) if there]
            rows += [{"name": section.name, "memory": kind, "bytes": size} for kind in kinds]
    return rows


def symbol_rows(elf: Path, board: Board) -> list[dict[str, Any]]:
    """Every function and object with a size: name, section, memory and bytes; largest first."""
    from elftools.elf.elffile import ELFFile

    rows = []
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        for symbol in parsed.get_section_by_name(".symtab").iter_symbols():
            index = symbol["st_shndx"]
            if (
                symbol["st_info"]["type"] not in ("STT_FUNC", "STT_OBJECT")
                or not symbol["st_size"]
                or isinstance(index, str)
            ):
                continue
            memory = next((m.name for m in board.memories if m.origin <= symbol["st_value"] < m.end), "")
            rows.append(
                {
                    "name": symbol.name,
                    "section": parsed.get_section(index).name,
                    "memory": memory,
                    "bytes": symbol["st_size"],
                }
            )
    return sorted(rows, key=lambda row: (-row["bytes"], row["name"]))


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
