"""Ways to flash. A module `<name>.py` with a function `flash` as in TEMPLATE is one; board.toml's [probe] names it."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from hilgate.bench.probes import Probe
from hilgate.catalogue import Board
from hilgate.errors import ParamsError, ProbeError

TIMEOUT_S = 180.0  # 2 MB at a slow probe's 20 kB/s, erase included


@dataclass(frozen=True)
class Job:
    """One image for one board behind one probe. `image`: an ELF that `checked_image` let pass."""

    image: Path
    board: Board
    probe: Probe
    timeout_s: float = TIMEOUT_S


class Flasher(Protocol):
    """What a module of this package is: write, verify, reset. Raises ProbeError, ToolMissingError, ParamsError."""

    def flash(self, job: Job) -> None: ...


def names() -> list[str]:
    """The ways to flash that this package brings."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def probe_facts(board: Board) -> dict[str, Any]:
    """The [probe] table of board.toml. Raises ProbeError for a board that has none, such as an emulator's machine."""
    facts = board.tables.get("probe")
    if facts is None:
        hint = "a board that exists says there how to reach it (firmware/boards/TEMPLATE); an emulator has no probe"
        raise ProbeError(f"{board.title} has no [probe]", where=str(board.folder / "board.toml"), hint=hint)
    return facts


def flasher_of(board: Board) -> Flasher:
    """The module that board.toml names. Raises ProbeError, ParamsError."""
    name = probe_facts(board).get("flasher", "")
    if name not in names():
        what = f"[probe] flasher: there is no way to flash called {name!r}"
        raise ParamsError(what, where=str(board.folder / "board.toml"), hint=f"known: {', '.join(names())}")
    return cast(Flasher, importlib.import_module(f"{__name__}.{name}"))
