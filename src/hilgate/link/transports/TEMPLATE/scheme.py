"""scheme://...: say here what this way to a board is, and what it needs.

Copy this file to ../<scheme>.py and rename nothing but what the docstring says: `hilgate run CELL --on <scheme>://...`
then finds it. A port has pyserial's interface (read, write, in_waiting, timeout, write_timeout, baudrate,
reset_input_buffer, close); deriving from serial.SerialBase, or from a class of ../../sockets.py, gives most of it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hilgate.errors import PortMissingError
from hilgate.link.sockets import SocketSerial


class Serial(SocketSerial):
    """One port. `self.portstr` is the whole URL."""

    def open(self) -> None:
        """Raises PortMissingError, PortBusyError or another LinkError, each with a hint what to do."""
        if not urlsplit(str(self.portstr)).netloc:
            raise PortMissingError("no address", where=str(self.portstr), hint="scheme://host:port")
        super().open()
