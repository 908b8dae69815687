"""host://?program=<path>: the firmware built for this computer (firmware/port/host), on its stdin and stdout.

Its time is what its bytes would take on a serial line, and the waits in which the program had nothing to do: a computer
that is busy with other things makes a session slow, and changes nothing of it.
"""

from __future__ import annotations

import array
import fcntl
import socket
import subprocess
import termios
import time
from pathlib import Path
from typing import IO

from hilgate.errors import UsageError
from hilgate.link.sockets import ChildSerial
from hilgate.link.timing import BITS_PER_BYTE
from hilgate.link.transports import option

STUCK_S = 30.0  # a program that works on for so long counts as silent


class Serial(ChildSerial):
    """A program that talks the link protocol on stdin and stdout, as a port."""

    _passed_s = 0.0

    def start(self, url: str, errors: IO[bytes]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        program = Path(option(url, "program"))
        if not program.is_file():
            raise UsageError("there is no such program", where=str(program), hint="build it first")
        ours, theirs = socket.socketpair()
        with theirs:
            end = theirs.fileno()
            child = subprocess.Popen([str(program.resolve())], stdin=end, stdout=end, stderr=errors)
        return ours, child

    def monotonic(self) -> float:
        """Seconds of the program's time since it was started."""
        return self._passed_s

    def read(self, size: int = 1) -> bytes:
        if self.timeout is None:
            return super().read(size)
        data, deadline = super().read(size), time.monotonic() + STUCK_S
        while not data and not self._is_idle() and time.monotonic() < deadline:
            data = super().read(size)
        if not data and self.in_waiting:  # it came between that read and the look at the program
            data = super().read(size)
        self._passed_s += len(data) * BITS_PER_BYTE / self.baudrate if data else self.timeout
        return data

    def _is_idle(self) -> bool:
        """Whether the program has read all that was sent and waits for more; yes where nobody can tell (no /proc)."""
        unread = array.array("i", [0])
        try:
            fcntl.ioctl(self._socket, termios.TIOCOUTQ, unread)
            state = (
                Path(f"/proc/{self._child.pid if self._child else 0}/stat").read_text().rpartition(")")[2].split()[0]
            )
        except OSError:
            return True
        return unread[0] == 0 and state not in "RD"
