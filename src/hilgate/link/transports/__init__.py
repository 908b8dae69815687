"""Ways to a board. A module `<scheme>.py` with a class `Serial`, as pyserial's URL handlers have, is one; see TEMPLATE.

A URL without `://` is a serial device such as /dev/ttyACM0 or COM3.
"""

from __future__ import annotations

import errno
import grp
import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hilgate.errors import HilgateError, LinkError, PortBusyError, PortMissingError, UsageError
from hilgate.link.protocol import FIRST_BAUD

ON_TCP = ("socket", "rfc2217")
LISTED = "`hilgate ports` lists what is attached"
BUSY = (PortBusyError, "another program has this port open", "close it, or wait until it has finished")
MISSING = (PortMissingError, "there is no such port", LISTED)
NO_PORT = (LinkError, "this is no serial port", LISTED)
REASONS: dict[int, tuple[type[LinkError], str, str]] = {
    **dict.fromkeys((errno.EAGAIN, errno.EBUSY), BUSY),
    **dict.fromkeys((errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO), MISSING),
    **dict.fromkeys((errno.ENOTTY, errno.EISDIR, errno.EINVAL), NO_PORT),
}


def open_port(url: str) -> Any:
    """An open pyserial port at FIRST_BAUD. Raises UsageError, PortMissingError, PortBusyError, LinkError."""
    import serial

    _check_form(url)
    scheme = scheme_of(url)
    if scheme in schemes():
        _make_known_to_pyserial(scheme)
    try:
        if scheme in schemes():
            return serial.serial_for_url(url, baudrate=FIRST_BAUD)
        return serial.serial_for_url(url, baudrate=FIRST_BAUD, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise _explain(url, error) from error


def schemes() -> list[str]:
    """The URL schemes that this package brings."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.ispkg)


def foreign_schemes() -> list[str]:
    """Those that pyserial brings, such as rfc2217:// and hwgrep://."""
    import serial.urlhandler

    names = (module.name.removeprefix("protocol_") for module in pkgutil.iter_modules(serial.urlhandler.__path__))
    return sorted({*names}.difference(schemes()))


def scheme_of(url: str) -> str:
    """Of virtual://board, `virtual`; of /dev/ttyACM0, nothing."""
    return url.split("://", 1)[0].lower() if "://" in url else ""


def option(url: str, name: str) -> str:
    """The value of ?name=... in a URL. Raises UsageError when it is missing."""
    values = parse_qs(urlsplit(url).query).get(name)
    if not values:
        raise UsageError(f"the option `{name}` is missing", where=url, hint=f"write {scheme_of(url)}://...?{name}=...")
    return values[0]


def _check_form(url: str) -> None:
    """Raises UsageError for what can be no port, before pyserial says it in its own words."""
    scheme, known = scheme_of(url), [*schemes(), *foreign_schemes()]
    if not url.strip():
        raise UsageError("the name of the port is empty", where="port", hint=LISTED)
    if "://" in url and scheme not in known:
        raise UsageError(
            f"no way to a board is called `{scheme}`", where=url, hint=f"known: {', '.join(known)}, or a device"
        )
    try:
        address = urlsplit(url) if scheme else None
        whole = address is None or scheme not in ON_TCP or (address.hostname and address.port is not None)
    except ValueError as error:
        raise UsageError(f"this is no URL: {error}", where=url, hint=f"write {scheme}://...") from error
    if not whole:
        raise UsageError("host or port number is missing", where=url, hint=f"write {scheme}://host:port")


def _make_known_to_pyserial(scheme: str) -> None:
    """pyserial looks for <package>.protocol_<scheme> in its list of packages."""
    import serial

    if __name__ not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.insert(0, __name__)
    sys.modules.setdefault(f"{__name__}.protocol_{scheme}", importlib.import_module(f"{__name__}.{scheme}"))


def _explain(url: str, error: Exception) -> HilgateError:
    """Which of the usual reasons it is. pyserial gives errno for devices, and only a text for sockets."""
    number, scheme = _number_of(error), scheme_of(url)
    if number in (errno.EACCES, errno.EPERM):
        return LinkError("no permission to open this port", where=url, hint=_who_may(url))
    if number in REASONS:
        kind, what, todo = REASONS[number]
        return kind(what, where=url, hint=todo)
    if scheme == "hwgrep":
        return PortMissingError("no attached port matches", where=url, hint=LISTED)
    behind = error.__context__
    if scheme in ON_TCP and isinstance(behind, OSError) and not isinstance(behind, type(error)):
        reason = behind.strerror or behind
        hint = "is the program that offers this port running, and is the number right?"
        return PortMissingError(f"nobody offers this port: {reason}", where=url, hint=hint)
    return LinkError(f"cannot be opened: {error}", where=url, hint="is it a serial port, and is its URL right?")


def _number_of(error: Exception) -> int | None:
    """The errno; of a device that is no terminal it stands in the termios.error behind pyserial's."""
    behind = getattr(error.__context__, "args", ())
    number = getattr(error, "errno", None) or (behind[0] if behind else None)
    return number if isinstance(number, int) else None


def _who_may(url: str) -> str:
    """The group that may use a device: `dialout` on Debian, `uucp` elsewhere."""
    group = "dialout"
    try:
        facts = Path(url.partition("://")[2] or url).stat()
        if facts.st_mode & 0o060 == 0o060 and facts.st_gid:
            group = grp.getgrgid(facts.st_gid).gr_name
    except (OSError, KeyError):
        pass
    return f"add yourself to the group that owns it: `sudo usermod -aG {group} $USER`, then log in again"
