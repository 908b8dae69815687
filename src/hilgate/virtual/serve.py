"""A virtual board for other tools: its console on a TCP port or a pseudo-terminal, one client at a time.

The board runs only while a client is there, and never faster than real time, so that time-outs on both sides mean
what they say. A pty has a rate, which the client sets as on any serial port; TCP has none, so there the host's end
follows the board's.
"""

from __future__ import annotations

import os
import select
import socket
import termios
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from hilgate.errors import PortBusyError, UsageError

if TYPE_CHECKING:
    from hilgate.virtual.board import VirtualBoard

SLICE_US = 2_000
READ_BYTES = 4096
BUSY = b"hilgate: busy: this virtual board already has a client\r\n"
BAUDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name.startswith("B") and name[1:].isdigit()}


class End(Protocol):
    """Where clients come in."""

    address: str

    def wait(self) -> None:
        """Until a client is there."""

    def read(self, seconds: float) -> bytes | None:
        """What the client sent within this time; None when it has left."""

    def write(self, data: bytes) -> None:
        """To the client; what it does not take is lost, as on a serial line."""

    def baud(self, board_baud: int) -> int:
        """The rate of the host's end."""

    def close(self) -> None:
        """No more clients."""


class TcpEnd:
    """Port 0 takes a free one. Only this machine can connect."""

    def __init__(self, port: int) -> None:
        if not 0 <= port <= 65535:
            raise UsageError(f"{port} is no TCP port", where="--tcp", hint="0 to 65535; 0 takes a free one")
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind(("127.0.0.1", port))
        except OSError as error:
            self._listener.close()
            hint = "take another port, or 0 for a free one"
            raise PortBusyError(f"cannot listen: {error.strerror}", where=f"127.0.0.1:{port}", hint=hint) from error
        self._listener.listen()
        self._client: socket.socket | None = None
        self.address = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def wait(self) -> None:
        self._client, _ = self._listener.accept()
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, seconds: float) -> bytes | None:
        if self._client is None:
            return None
        ready, _, _ = select.select([self._client, self._listener], [], [], seconds)
        data = b""
        if self._client in ready:
            with suppress(OSError):
                data = self._client.recv(READ_BYTES)
            if not data:
                self._client.close()
                self._client = None
                return None  # whoever is waiting now is the next client
        if self._listener in ready:
            other, _ = self._listener.accept()
            with other, suppress(OSError):
                other.sendall(BUSY)
        return data

    def write(self, data: bytes) -> None:
        with suppress(OSError):  # it takes nothing more now, or has gone: the next read finds out
            if self._client is not None:
                self._client.send(data, socket.MSG_DONTWAIT)

    def baud(self, board_baud: int) -> int:
        return board_baud

    def close(self) -> None:
        for end in (self._client, self._listener):
            if end is not None:
                end.close()


class PtyEnd:
    """A pseudo-terminal; tools lock it as any serial port."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.address = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)

    def _hung_up(self, milliseconds: int) -> bool:
        return any(events & select.POLLHUP for _, events in self._poll.poll(milliseconds))

    def wait(self) -> None:
        while self._hung_up(0):  # the kernel has no event for a client that opens
            time.sleep(0.01)

    def read(self, seconds: float) -> bytes | None:
        if self._hung_up(round(seconds * 1000)):
            return None
        with suppress(BlockingIOError):
            return os.read(self._master, READ_BYTES)
        return b""

    def write(self, data: bytes) -> None:
        with suppress(BlockingIOError):
            os.write(self._master, data)

    def baud(self, board_baud: int) -> int:
        return BAUDS.get(termios.tcgetattr(self._master)[5]) or board_baud

    def close(self) -> None:
        os.close(self._master)


def serve(board: VirtualBoard, end: End, say: Callable[[str], None]) -> None:
    """Until Ctrl-C. `say` gets one line when it listens and one when it ends. Raises VirtualFault."""
    name = board.machine.board.name
    say(f"{name} is on {end.address}; it runs while a client is connected; Ctrl-C ends it")
    try:
        while True:
            end.wait()
            _run(board, end)
    except KeyboardInterrupt:
        say(f"{name} is off after {board.time_us / 1e6:.3f} s of its time, {board.cycles} cycles")
    finally:
        end.close()


def _run(board: VirtualBoard, end: End) -> None:
    """One client, until it leaves."""
    began = time.monotonic() - board.time_us / 1e6
    while True:
        ahead = board.time_us / 1e6 - (time.monotonic() - began)
        if ahead < -0.1:  # too slow for real time: do not hurry to catch up later
            began -= ahead
        data = end.read(max(0.0, ahead))
        if data is None:
            return
        board.baud = end.baud(board.machine.console.baud() or board.baud)
        board.write(data)
        board.run_us(SLICE_US)
        if answer := board.read(len(board.wire.to_host), 0):
            end.write(answer)
