"""qemu://<machine>?image=<elf>: QEMU, started for this session, its first UART on a loopback TCP port.

The machine is somebody else's model of the chip: the independent referee of firmware and virtual board. QEMU's STM32
machines have no cycle counter, so that nothing about time comes from here.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from hilgate.errors import LinkError, UsageError
from hilgate.link.sockets import ChildSerial, accept, end, mortal
from hilgate.link.transports import option
from hilgate.tools import find_tool

START_S = 20.0


class Serial(ChildSerial):
    """A QEMU machine as a port."""

    def start(self, url: str, errors: IO[bytes]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        machine, image = urlsplit(url).netloc, Path(option(url, "image"))
        if not machine.replace("-", "").isalnum():
            raise UsageError("the machine's name is missing", where=url, hint="qemu://netduinoplus2?image=firmware.elf")
        if not image.is_file():
            raise UsageError("there is no such image", where=str(image), hint="make it with `hilgate build <cell>`")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            child = subprocess.Popen(
                _command(machine, image, listener.getsockname()[1]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
            connection = accept(listener, child, START_S)
        if connection is None:
            end(child)
            errors.seek(0)
            said = errors.read(4000).decode(errors="replace").strip().splitlines()
            hint = "`qemu-system-arm -M help` lists the machines that it knows"
            raise LinkError(f"QEMU did not start: {said[0] if said else 'it said nothing'}", where=url, hint=hint)
        return connection, child


def _command(machine: str, image: Path, port: int) -> list[str]:
    """QEMU connects to us, so that no byte is lost before somebody listens and no port number is guessed."""
    console = f"socket,id=console,host=127.0.0.1,port={port},nodelay=on"
    return [
        *mortal(),
        str(find_tool("qemu-system-arm")),
        *("-M", machine, "-display", "none", "-monitor", "none"),
        *("-chardev", console, "-serial", "chardev:console"),
        *("-kernel", str(image.resolve())),
    ]
