"""Ways to a board. A module `<scheme>.py` with a class `Serial`, as pyserial's URL handlers have, is one; see TEMPLATE.

A URL without `://` is a serial device such as /dev/ttyACM0 or COM3.
"""

from __future__ import annotations

import errno
import importlib
import pkgutil
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hilgate.errors import LinkError, PortBusyError, PortMissingError, UsageError
from hilgate.link.protocol import FIRST_BAUD

FOREIGN = ("rfc2217", "loop", "spy")  # pyserial's own handlers that make sense here
SERIAL_GROUP = "add yourself to the group that owns it: `sudo usermod -aG dialout $USER`, then log in again"


def open_port(url: str) -> Any:
    """An open pyserial port at FIRST_BAUD. Raises UsageError, PortMissingError, PortBusyError, LinkError."""
    import serial

    scheme = scheme_of(url)
    if scheme in schemes():
        _make_known_to_pyserial(scheme)
    elif scheme and scheme not in FOREIGN:
        raise UsageError(
            f"no way to a board is called `{scheme}`", where=url, hint=f"known: {', '.join(schemes())}, or a device"
        )
    try:
        if scheme:
            return serial.serial_for_url(url, baudrate=FIRST_BAUD)
        return serial.serial_for_url(url, baudrate=FIRST_BAUD, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise _explain(url, error) from error


def schemes() -> list[str]:
    """The URL schemes that this package brings."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.ispkg)


def scheme_of(url: str) -> str:
    """Of virtual://board, `virtual`; of /dev/ttyACM0, nothing."""
    return url.split("://", 1)[0] if "://" in url else ""


def option(url: str, name: str) -> str:
    """The value of ?name=... in a URL. Raises UsageError when it is missing."""
    values = parse_qs(urlsplit(url).query).get(name)
    if not values:
        raise UsageError(f"the option `{name}` is missing", where=url, hint=f"write {scheme_of(url)}://...?{name}=...")
    return values[0]


def _make_known_to_pyserial(scheme: str) -> None:
    """pyserial looks for <package>.protocol_<scheme> in its list of packages."""
    import serial

    if __name__ not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.insert(0, __name__)
    sys.modules.setdefault(f"{__name__}.protocol_{scheme}", importlib.import_module(f"{__name__}.{scheme}"))


def _explain(url: str, error: Exception) -> LinkError:
    """Which of the usual reasons it is. pyserial gives errno for devices, and only a text for sockets."""
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY):
        return PortBusyError(
            "another program has this port open", where=url, hint="close it, or wait until it has finished"
        )
    if number in (errno.EACCES, errno.EPERM):
        return LinkError("no permission to open this port", where=url, hint=SERIAL_GROUP)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return PortMissingError("there is no such port", where=url, hint="`hilgate ports` lists what is attached")
    if scheme_of(url) in ("socket", "rfc2217"):
        reason = getattr(error.__context__, "strerror", None) or error
        hint = "is the program that offers this port running, and is the number right?"
        return PortMissingError(f"nobody offers this port: {reason}", where=url, hint=hint)
    return LinkError(f"cannot be opened: {error}", where=url, hint="is it a serial port?")
