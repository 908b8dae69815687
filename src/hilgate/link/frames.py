"""Frames on the wire: COBS(opcode, sequence, body, CRC-32) and one zero byte.

The zero byte never occurs inside a frame: a receiver that was cut off or fed noise is in step again at the next zero.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from hilgate.link.protocol import BODY_BYTES, FRAME_BYTES

HEADER = struct.Struct("<BH")
CRC = struct.Struct("<I")
END = b"\0"


@dataclass(frozen=True)
class Frame:
    """One frame: opcode 0-255, sequence 0-65535, body up to BODY_BYTES."""

    opcode: int
    sequence: int
    body: bytes = b""


@dataclass(frozen=True)
class Damaged:
    """What arrived between two zeros and is no frame. reason: `crc`, `length` or `cobs`; size: bytes on the wire."""

    reason: str
    size: int


def encode(frame: Frame) -> bytes:
    """The bytes on the wire, final zero included. Raises ValueError when the body is too long."""
    from cobs import cobs

    if len(frame.body) > BODY_BYTES:
        raise ValueError(f"a body of {len(frame.body)} bytes is longer than {BODY_BYTES}")
    plain = HEADER.pack(frame.opcode, frame.sequence) + frame.body
    return bytes(cobs.encode(plain + CRC.pack(zlib.crc32(plain)))) + END


class Decoder:
    """Takes bytes as they come and gives frames. Any bytes are survived; memory never exceeds one longest frame."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._dropped = 0  # bytes of a frame that is already too long

    def feed(self, data: bytes) -> Iterator[Frame | Damaged]:
        """The frames that `data` completes, in order; empty ones (two zeros in a row) are nothing."""
        for index, piece in enumerate(data.split(END)):
            if index:
                yield from self._end()
            room = FRAME_BYTES - len(self._pending)
            self._pending += piece[:room]
            self._dropped += max(0, len(piece) - room)

    def reset(self) -> None:
        """Forget a frame that has begun."""
        self._pending.clear()
        self._dropped = 0

    def _end(self) -> Iterator[Frame | Damaged]:
        raw, dropped = bytes(self._pending), self._dropped
        self.reset()
        if dropped:
            yield Damaged("length", len(raw) + dropped)
        elif raw:
            yield decode(raw)


def decode(raw: bytes) -> Frame | Damaged:
    """One frame without its zero byte."""
    from cobs import cobs

    try:
        plain = bytes(cobs.decode(raw))
    except cobs.DecodeError:
        return Damaged("cobs", len(raw))
    if not HEADER.size + CRC.size <= len(plain) <= HEADER.size + BODY_BYTES + CRC.size:
        return Damaged("length", len(raw))
    content, crc = plain[: -CRC.size], CRC.unpack(plain[-CRC.size :])[0]
    if zlib.crc32(content) != crc:
        return Damaged("crc", len(raw))
    opcode, sequence = HEADER.unpack_from(content)
    return Frame(opcode, sequence, content[HEADER.size :])
