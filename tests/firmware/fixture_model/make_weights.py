"""Writes weights.bin and weights.c of the fixture model: w[k] = (37 k mod 61) - 30, sections 16-byte aligned."""

import struct
import zlib
from pathlib import Path

HERE = Path(__file__).parent


def section(start: int, count: int) -> bytes:
    values = bytes(((37 * k) % 61 - 30) & 0xFF for k in range(start, start + count))
    return values + bytes(-len(values) % 16)


def blob() -> bytes:
    payload = section(0, 48) + section(48, 24) + bytes(32)
    header = (
        b"HGW1"
        + struct.pack("<HH", 1, 64)
        + b"fixture model 01"
        + struct.pack("<II", len(payload), zlib.crc32(payload))
    )
    return header + bytes(32) + payload


def main() -> None:
    data = blob()
    (HERE / "weights.bin").write_bytes(data)
    rows = [", ".join(f"{byte:3d}" for byte in data[at : at + 16]) for at in range(0, len(data), 16)]
    text = '#include "model.h"\n\n__attribute__((section(".weights"), aligned(16))) const uint8_t model_weights[] = {\n'
    (HERE / "weights.c").write_text(text + "".join(f"    {row},\n" for row in rows) + "};\n")


if __name__ == "__main__":
    main()
