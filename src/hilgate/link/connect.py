"""From a URL to a session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hilgate.catalogue import Board
from hilgate.console import say
from hilgate.link.contact import Options
from hilgate.link.exchange import RefusedError
from hilgate.link.protocol import Status
from hilgate.link.session import Session
from hilgate.link.transports import open_port


def connect(url: str, board: Board | None = None, elf: Path | None = None, options: Options | None = None) -> Session:
    """Open the port and find the board. `board` tells at which other rate it may listen; `elf` names crashed functions.

    Raises UsageError, LinkError and DeviceError.
    """
    options = options or Options()
    if board is not None:
        options = replace(options, rates=(*options.rates, int(board.tables["console"]["baud"])))
    if elf is not None:
        options = replace(options, elf=str(elf))
    name = url.partition("?")[0]  # the options are not needed to know which port it is
    return Session(open_port(url), name, options)


def connect_at_own_rate(url: str, board: Board, elf: Path, options: Options | None = None) -> Session:
    """The same, at the rate that the board's console is made for; where that does not work it stays at the first one.

    Says so then, and what the board had to tell of a crash before this session.
    """
    session = connect(url, board, elf, options)
    try:
        if session.contact.earlier_crash:
            say(f"before this session {session.contact.earlier_crash}")
        baud = int(board.tables["console"]["baud"])
        if baud != session.wire.baud and not _works(session, baud):
            say(f"{session.name}: {baud} baud does not work, staying at {session.wire.baud}")
    except BaseException:
        session.close()
        raise
    return session


def _works(session: Session, baud: int) -> bool:
    """A board that fell back to a slow oscillator refuses a rate that it cannot divide for."""
    try:
        return session.set_baud(baud)
    except RefusedError as error:
        if error.status != Status.BAD_ARGUMENT:
            raise
        return False
