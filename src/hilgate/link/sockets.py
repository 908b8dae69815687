"""Ports on sockets: pyserial's, made quicker, and one whose other end is a program that this process starts."""

from __future__ import annotations

import array
import contextlib
import fcntl
import shutil
import socket
import subprocess
import tempfile
import termios
import time
from abc import ABC, abstractmethod
from typing import IO, Any

from serial import SerialException
from serial.urlhandler import protocol_socket

END_S = 3.0  # how long the program may take to end before it is killed


class SocketSerial(protocol_socket.Serial):
    """pyserial's socket port, which says how many bytes wait and not only whether any do."""

    _socket: socket.socket

    @property
    def in_waiting(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self._socket, termios.FIONREAD, count)
        return count[0]


class ChildSerial(SocketSerial, ABC):
    """A socket that leads to a child process; subclasses say how to start it."""

    _child: subprocess.Popen[bytes] | None = None
    _errors: IO[bytes] | None = None

    @abstractmethod
    def start(self, url: str, errors: IO[bytes]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        """Start the program, its stderr to `errors`; gives the connected socket. Raises HilgateError."""

    def open(self) -> None:
        self.logger = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the port
        self._socket, self._child = self.start(str(self.portstr), self._errors)
        self._socket.setblocking(False)
        self.is_open = True

    def read(self, size: int = 1) -> bytes:
        try:
            return bytes(super().read(size))
        except SerialException as error:
            raise SerialException(f"{error}{self._last_words()}") from error

    def close(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        with contextlib.suppress(OSError):
            self._socket.close()
        if self._child:
            end(self._child)
        if self._errors:
            self._errors.close()

    def _last_words(self) -> str:
        """What the program said before it ended."""
        if self._child is None or self._errors is None:
            return ""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=0.5)
        self._errors.seek(0)
        said = self._errors.read(100_000).decode(errors="replace").strip().splitlines()
        return f"; exit code {self._child.returncode}{': ' + said[-1] if said else ''}"


def mortal() -> list[str]:
    """Words before a command that make it end with this process, even when that is killed; nothing where unknown."""
    setpriv = shutil.which("setpriv")  # of util-linux
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def end(child: subprocess.Popen[Any]) -> None:
    """End a program, by force if it does not go."""
    child.terminate()
    try:
        child.wait(timeout=END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def accept(listener: socket.socket, child: subprocess.Popen[bytes], seconds: float) -> socket.socket | None:
    """The child's connection, or None when it ends or `seconds` pass first."""
    deadline = time.monotonic() + seconds
    listener.settimeout(0.05)
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    return None
