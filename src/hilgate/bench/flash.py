"""flash: one image onto one board, through the one probe that is meant."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from hilgate.bench.flashers import TIMEOUT_S, Job, flasher_of
from hilgate.bench.image import checked_image
from hilgate.bench.probes import Probe, attached_probes, choose_probe
from hilgate.catalogue import load_board


@dataclass(frozen=True)
class Flashed:
    """What was done: verified bytes in flash, by which probe, in how many seconds."""

    board: str
    probe: Probe
    flash_bytes: int
    seconds: float


def flash_image(
    image: Path, board_name: str, root: Path, *, probe: str | None = None, timeout_s: float = TIMEOUT_S
) -> Flashed:
    """Write, verify, reset. Raises ParamsError, ArtifactError, ToolMissingError, ProbeError."""
    board = load_board(board_name, root)
    flasher = flasher_of(board)
    size = checked_image(image, board, root)
    chosen = choose_probe(probe, attached_probes())
    began = time.monotonic()
    flasher.flash(Job(image, board, chosen, timeout_s))
    return Flashed(board.name, chosen, size, time.monotonic() - began)
