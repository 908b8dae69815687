"""A port that fails by count: it drops, flips, repeats or cuts exactly the bytes and frames that it is told to.

Put between a session and a port, it breaks a session at every step in turn, so that no step is tested by luck only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ACTIONS = {"byte": ("drop", "flip", "repeat"), "frame": ("drop", "repeat", "cut")}
DIRECTIONS = ("out", "in")  # from the host to the board, from the board to the host
CUT_BYTES = 4  # what is left of a frame that is cut, before its zero


@dataclass(frozen=True)
class Fault:
    """The `at`-th (from 0) byte or frame in one direction suffers `action`. every: again after so many; 0: once."""

    direction: str
    unit: str
    action: str
    at: int
    every: int = 0

    def hits(self, index: int) -> bool:
        return index == self.at or (self.every > 0 and index > self.at and (index - self.at) % self.every == 0)


def single_faults(unit: str, direction: str, count: int, step: int = 1) -> Iterator[Fault]:
    """Every fault of one unit and direction at every `step`-th place of a session that has `count` of them."""
    for at in range(0, count, step):
        for action in ACTIONS[unit]:
            yield Fault(direction, unit, action, at)


@dataclass
class Channel:
    """One direction. `byte_count` and `frame_count`: what entered; `struck`: how often the fault hit."""

    fault: Fault | None
    byte_count: int = 0
    frame_count: int = 0
    struck: int = 0
    _frame: bytearray = field(default_factory=bytearray)

    def pass_on(self, data: bytes) -> bytes:
        """What comes out at the other end."""
        return b"".join(self._byte(value) for value in data)

    def _byte(self, value: int) -> bytes:
        self._frame.append(value)
        out = bytes([value])
        if self.fault and self.fault.unit == "byte" and self.fault.hits(self.byte_count):
            self.struck += 1
            out = {"drop": b"", "flip": bytes([value ^ 1 << self.byte_count % 8]), "repeat": out * 2}[self.fault.action]
        # two zeros in a row are no frame
        if self.fault and self.fault.unit == "frame" and self.fault.hits(self.frame_count) and self._frame != b"\0":
            out = self._in_frame(self.fault.action, value)
        self.byte_count += 1
        if value == 0:
            self.frame_count += len(self._frame) > 1
            self._frame.clear()
        return out

    def _in_frame(self, action: str, value: int) -> bytes:
        """What becomes of one byte of a frame that is struck; its zero is the last."""
        self.struck += value == 0
        if action == "drop":
            return b""
        if action == "repeat":
            return bytes([value]) + bytes(self._frame) if value == 0 else bytes([value])
        return bytes([value]) if len(self._frame) <= CUT_BYTES or value == 0 else b""


class LossyPort:
    """Wraps a pyserial-like port. `gone_after`: bytes read after which the port disappears."""

    def __init__(self, port: Any, fault: Fault | None = None, gone_after: int | None = None) -> None:
        self.port, self.gone_after = port, gone_after
        self.monotonic = getattr(port, "monotonic", time.monotonic)
        self.out = Channel(fault if fault and fault.direction == "out" else None)
        self.into = Channel(fault if fault and fault.direction == "in" else None)
        self._pending = b""

    def write(self, data: bytes) -> int:
        self.port.write(self.out.pass_on(data))
        return len(data)

    def read(self, size: int = 1) -> bytes:
        if self.gone_after is not None and self.into.byte_count >= self.gone_after:
            from serial import SerialException

            raise SerialException("device disconnected")
        if len(self._pending) < size:
            self._pending += self.into.pass_on(self.port.read(size - len(self._pending)))
        data, self._pending = self._pending[:size], self._pending[size:]
        return data

    @property
    def in_waiting(self) -> int:
        return len(self._pending) + int(self.port.in_waiting)

    def reset_input_buffer(self) -> None:
        self._pending = b""
        self.port.reset_input_buffer()

    def close(self) -> None:
        self.port.close()

    timeout = property(lambda self: self.port.timeout, lambda self, value: setattr(self.port, "timeout", value))
    write_timeout = property(
        lambda self: self.port.write_timeout, lambda self, value: setattr(self.port, "write_timeout", value)
    )
    baudrate = property(lambda self: self.port.baudrate, lambda self, value: setattr(self.port, "baudrate", value))
