"""The weights blob: a 64-byte header, then every layer's sections, each 16-byte aligned. docs/architecture.md fixes
it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from hilgate.compile.graph import Site

MAGIC = b"HGW1"
FORMAT_VERSION = 1
HEADER_BYTES = 64
SECTION_ALIGNMENT = 16


@dataclass
class Blob:
    """payload: the sections; offset: of (layer, section name), from the blob's first byte; layer_bytes: by layer."""

    payload: bytes = b""
    offset: dict[tuple[int, str], int] = field(default_factory=dict)
    layer_bytes: dict[int, int] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        return HEADER_BYTES + len(self.payload)

    def with_header(self, architecture_hash: bytes) -> bytes:
        """The whole blob: magic, version, header bytes, architecture hash, payload bytes, CRC-32, 32 zero bytes,
        payload.
        """
        header = struct.pack("<4sHH16s", MAGIC, FORMAT_VERSION, HEADER_BYTES, architecture_hash)
        header += struct.pack("<II", len(self.payload), zlib.crc32(self.payload))
        return header.ljust(HEADER_BYTES, b"\0") + self.payload


def pack(layers: list[Site]) -> Blob:
    """Every layer's sections in order. Strips of one layer (Node.origin) share those that are equal."""
    blob, parts, position = Blob(), [], HEADER_BYTES
    shared: dict[tuple[str, str, bytes], int] = {}
    for index, site in enumerate(layers):
        start = position
        for section in site.node.op.sections(site):
            key = site.node.origin, section.name, section.content
            if site.node.origin and key in shared:
                blob.offset[index, section.name] = shared[key]
                continue
            shared[key] = position
            padded = section.content.ljust(-(-len(section.content) // SECTION_ALIGNMENT) * SECTION_ALIGNMENT, b"\0")
            blob.offset[index, section.name] = position
            parts.append(padded)
            position += len(padded)
        blob.layer_bytes[index] = position - start
    blob.payload = b"".join(parts)
    return blob
