"""The wire between host and board: when each byte is on it, and what a receiver makes of it at another rate."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hilgate.virtual.clock import PS_PER_S

if TYPE_CHECKING:
    from hilgate.virtual.clock import Clock
    from hilgate.virtual.peripherals.serial import Serial

FRAME_BITS = 10  # 8N1: start, eight data bits, stop
TOLERANCE = 0.03  # how far two rates may differ: the last of 9.5 bits must be sampled inside its bit, with margin


def resample(byte: int, sent_ps: int, sampled_ps: int) -> list[tuple[int, bool]]:
    """What a receiver with bits of `sampled_ps` reads of a frame sent with bits of `sent_ps`: (byte, framing error)."""
    if abs(sent_ps - sampled_ps) <= TOLERANCE * sent_ps:
        return [(byte, False)]
    line = [0, *(byte >> bit & 1 for bit in range(8)), 1]

    def level(ps: int) -> int:
        at = ps // sent_ps
        return line[at] if at < FRAME_BITS else 1

    received, now, end = [], 0, FRAME_BITS * sent_ps
    while now < end:
        if level(now):
            now += sampled_ps // 16  # receivers look for an edge sixteen times a bit
            continue
        bits = [level(now + (2 * bit + 1) * sampled_ps // 2) for bit in range(FRAME_BITS)]
        if bits[0] == 0:
            received.append((sum(value << bit for bit, value in enumerate(bits[1:9])), bits[9] == 0))
        now += FRAME_BITS * sampled_ps - sampled_ps // 2
    return received


class Wire:
    """Both directions. The host's rate may change at any time, as a pyserial port's does."""

    def __init__(self, clock: Clock, usart: Serial, baud: int) -> None:
        self._clock, self._usart = clock, usart
        self.baud = baud
        self.to_host: deque[int] = deque()
        self._to_board: deque[tuple[int, int]] = deque()
        self.drop = self.flip = 0  # fault injection: of the bytes sent, every Nth; 0: none
        self._sent = 0
        usart.listener = self._from_board

    def host_bit_ps(self) -> int:
        return PS_PER_S // self.baud

    def send(self, data: bytes) -> None:
        """Bytes of the host follow each other without gaps, at the rate that is set now."""
        bit = self.host_bit_ps()
        idle = not self._to_board
        self._to_board.extend((byte, bit) for byte in self._damage(data))
        if idle and self._to_board:
            self._next()

    def _damage(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            self._sent += 1
            if self.drop and self._sent % self.drop == 0:
                continue
            turned = self.flip and self._sent % self.flip == 0
            out.append(byte ^ (1 << self._sent % 8) if turned else byte)
        return bytes(out)

    def forget(self) -> None:
        """Drop what the host has written and the board has not received; a byte that is on the wire still arrives."""
        while len(self._to_board) > 1:
            self._to_board.pop()

    def waiting(self) -> int:
        """Bytes of the host that have not arrived yet."""
        return len(self._to_board)

    def _next(self) -> None:
        bit = self._to_board[0][1]
        self._clock.at("WIRE", self._clock.now_ps() + FRAME_BITS * bit, self._arrived)

    def _arrived(self) -> None:
        byte, bit = self._to_board.popleft()
        if self._to_board:
            self._next()
        self._usart.receive(byte, bit)

    def _from_board(self, byte: int, bit: int) -> None:
        self.to_host.extend(value for value, _ in resample(byte, bit, self.host_bit_ps()))
