"""socket://host:port: a serial port on TCP, such as `hilgate virtual serve` or ser2net; one session at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

from hilgate.errors import LinkError, PortBusyError
from hilgate.link.sockets import SocketSerial


class Serial(SocketSerial):
    """pyserial's socket port, closed to a second session of this computer and without Nagle's delay."""

    _lock: IO[bytes] | None = None

    def open(self) -> None:
        """Raises PortBusyError when another session holds the same address."""
        lock = lock_of(str(self.portstr))
        try:
            super().open()
        except BaseException:
            lock.close()
            raise
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lock = lock

    def close(self) -> None:
        super().close()
        if self._lock:
            self._lock.close()
            self._lock = None


def lock_of(url: str) -> IO[bytes]:
    """An open, locked file that stands for the address; the operating system frees it when this process ends.

    The folder for temporary files is everybody's: nobody else may own what is locked there, and no link is followed.
    """
    folder = Path(tempfile.gettempdir()) / f"hilgate-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise LinkError("this folder belongs to somebody else", where=str(folder), hint="remove it, or set TMPDIR")
    path = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.lock"
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        hint = "wait until it has finished"
        raise PortBusyError("another session is open on this address", where=url, hint=hint) from error
    return file
