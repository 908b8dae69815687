"""Damage that knows nothing of the format."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

EXTREMES = (-(2**63), -(2**31) - 1, -(2**31), -65536, -2, -1, 0, 1, 2, 3, 7, 127, 128, 255, 256, 4096, 65535, 65536)
EXTREMES += (1 << 20, 10**9, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1)


def truncated(chance: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: chance.randrange(len(content))]


def empty(chance: random.Random, content: bytes, other: bytes) -> bytes:
    return b""


def random_bytes(chance: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: chance.choice((0, 8, 16))] + chance.randbytes(chance.randrange(1, 4096))


def flipped_bits(chance: random.Random, content: bytes, other: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def overwritten(chance: random.Random, content: bytes, other: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        data[at : at + 4] = chance.randbytes(len(data[at : at + 4]))
    return bytes(data)


def extreme_words(chance: random.Random, content: bytes, other: bytes) -> bytes:
    """Aligned 32-bit words replaced: offsets, counts and shapes of a flatbuffer."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) // 4) * 4
        data[at : at + 4] = struct.pack("<I", chance.choice(EXTREMES) & 0xFFFFFFFF)
    return bytes(data)


def cut_out(chance: random.Random, content: bytes, other: bytes) -> bytes:
    first = chance.randrange(len(content))
    return content[:first] + content[first + chance.randint(1, 64) :]


def repeated(chance: random.Random, content: bytes, other: bytes) -> bytes:
    first = chance.randrange(len(content))
    part = content[first : first + chance.randint(1, 256)]
    return content[:first] + part * chance.randint(2, 64) + content[first:]


def spliced(chance: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: chance.randrange(len(content))] + other[chance.randrange(len(other)) :]


BYTE_DAMAGE: dict[str, Callable[[random.Random, bytes, bytes], bytes]] = {
    function.__name__: function
    for function in (
        truncated,
        empty,
        random_bytes,
        flipped_bits,
        overwritten,
        extreme_words,
        cut_out,
        repeated,
        spliced,
    )
}
