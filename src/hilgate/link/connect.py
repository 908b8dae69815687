"""From a URL to a session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hilgate.catalogue import Board
from hilgate.link.contact import Options
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
