"""SHA-256 of files, and of what an ELF puts into flash as docs/architecture.md (The image) defines it.

The build room fills the image's slot with it, the device computes both at boot, the run room compares them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.errors import ArtifactError

HEADER_SYMBOL = "image_header_start"  # in C: struct { uint32_t magic, length_bytes; uint8_t hash[32]; }
HEADER_MAGIC = b"HGI1"
SLOT_OFFSET = 8
SLOT_BYTES = 32
SECOND_CORE_SYMBOLS = ("second_core_start", "second_core_end")  # hashed after the image; equal where there is none
WEIGHTS_SYMBOL = "model_weights"
WEIGHTS_MAGIC = b"HGW1"


@dataclass(frozen=True)
class ImageHashes:
    """What an image is. image, weights: 32 bytes; slot: what the header claims; architecture: 16 bytes of the blob.

    slot_file_offset: where the slot lies in the ELF file, for the build room.
    """

    image: bytes
    slot: bytes
    weights: bytes
    architecture: bytes
    slot_file_offset: int


@dataclass(frozen=True)
class Segment:
    """Bytes that an ELF loads: at a load address, from an offset in the file."""

    address: int
    content: bytes
    file_offset: int

    @property
    def end(self) -> int:
        return self.address + len(self.content)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def image_hashes(elf: Path) -> ImageHashes:
    """Read an ELF. Raises ArtifactError when it is no firmware of hilgate."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with elf.open("rb") as file:
            parsed = ELFFile(file)
            segments = _segments(parsed)
            header, _ = _symbol(parsed, HEADER_SYMBOL)
            weights, weights_bytes = _symbol(parsed, WEIGHTS_SYMBOL)
            second, second_end = (_symbol(parsed, name)[0] for name in SECOND_CORE_SYMBOLS)
        return _hashes(segments, header, (weights, weights_bytes), (second, second_end - second))
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror}", where=str(elf)) from error
    except (ELFError, LookupError, ValueError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        # a damaged file makes elftools raise any of these
        hint = "make it with `hilgate build <cell>`"
        raise ArtifactError(f"is no firmware of hilgate: {error}", where=str(elf), hint=hint) from error


def _hashes(
    segments: list[Segment], header: int, weights: tuple[int, int], second_core: tuple[int, int]
) -> ImageHashes:
    """weights, second_core: address and bytes."""
    start = segments[0].address
    fixed = _read(segments, header, SLOT_OFFSET + SLOT_BYTES)
    if fixed[:4] != HEADER_MAGIC:
        raise ValueError("the image header has another magic")
    slot_at = header - start + SLOT_OFFSET
    image = bytearray(_read(segments, start, int.from_bytes(fixed[4:8], "little")))
    slot = bytes(image[slot_at : slot_at + SLOT_BYTES])
    image[slot_at : slot_at + SLOT_BYTES] = bytes(SLOT_BYTES)
    if second_core[1] < 0:
        raise ValueError("the second core's image ends before it begins")
    image += _read(segments, *second_core)
    blob = _read(segments, *weights)
    if blob[:4] != WEIGHTS_MAGIC:
        raise ValueError("the weights blob has another magic")
    holder = next(s for s in segments if s.address <= header < s.end)
    return ImageHashes(
        image=hashlib.sha256(image).digest(),
        slot=slot,
        weights=hashlib.sha256(blob).digest(),
        architecture=blob[8:24],
        slot_file_offset=holder.file_offset + header - holder.address + SLOT_OFFSET,
    )


def _segments(parsed: Any) -> list[Segment]:
    """What is loaded, by load address."""
    found = [
        Segment(s["p_paddr"], s.data(), s["p_offset"])
        for s in parsed.iter_segments()
        if s["p_type"] == "PT_LOAD" and s["p_filesz"]
    ]
    if not found:
        raise ValueError("nothing in it is loaded")
    return sorted(found, key=lambda s: s.address)


def _symbol(parsed: Any, name: str) -> tuple[int, int]:
    """Address and size."""
    table = parsed.get_section_by_name(".symtab")
    symbols = table.get_symbol_by_name(name) if table else None
    if not symbols:
        raise KeyError(f"it has no symbol {name}")
    return symbols[0]["st_value"], symbols[0]["st_size"]


def _read(segments: list[Segment], address: int, count: int) -> bytes:
    """`count` bytes of flash. A gap would be whatever the flash held before, so that it is an error."""
    content = bytearray()
    for segment in segments:
        at = address + len(content)
        if segment.address <= at < segment.end:
            content += segment.content[at - segment.address :][: count - len(content)]
    if len(content) != count:
        raise ValueError(f"nothing is loaded at {address + len(content):#010x}")
    return bytes(content)
