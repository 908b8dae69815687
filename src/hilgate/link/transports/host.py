"""host://?program=<path>: the firmware built for this computer (firmware/port/host), on its stdin and stdout."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import IO

from hilgate.errors import UsageError
from hilgate.link.sockets import ChildSerial
from hilgate.link.transports import option


class Serial(ChildSerial):
    """A program that talks the link protocol on stdin and stdout, as a port."""

    def start(self, url: str, errors: IO[bytes]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        program = Path(option(url, "program"))
        if not program.is_file():
            raise UsageError("there is no such program", where=str(program), hint="build it first")
        ours, theirs = socket.socketpair()
        with theirs:
            end = theirs.fileno()
            child = subprocess.Popen([str(program.resolve())], stdin=end, stdout=end, stderr=errors)
        return ours, child
