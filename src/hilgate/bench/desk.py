"""A desk as a bench: a board behind a debug probe at this computer, flashed and reached by this very process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hilgate.bench.flashers import Job, flasher_of
from hilgate.bench.image import checked_image
from hilgate.bench.probes import Probe, attached_probes, choose_probe
from hilgate.bench.seam import Reading, Request
from hilgate.catalogue import Board, load_board
from hilgate.errors import ProbeError
from hilgate.link.connect import connect_at_own_rate
from hilgate.link.session import Session

Reader = Callable[[Session, Request, Board, str], Reading]


@dataclass(frozen=True)
class Desk:
    """root: the project whose boards count; read: what to do in an open session; serial: a probe's, None: the only one.

    port: of the board, where the probe has none of its own (a separate USB-to-serial cable).
    """

    root: Path
    read: Reader
    serial: str | None = None
    port: str | None = None

    def measure(self, request: Request) -> Reading:
        """Flash, open the port, read. Raises ParamsError, ArtifactError, ProbeError, LinkError, DeviceError, ..."""
        board = load_board(request.board, self.root)
        flasher = flasher_of(board)
        checked_image(request.image, board, self.root)
        probe = choose_probe(self.serial, attached_probes())
        flasher.flash(Job(request.image, board, probe))
        with self._session(board, request.image, probe) as session:
            return self.read(session, request, board, probe.serial)

    def _session(self, board: Board, image: Path, probe: Probe) -> Session:
        port = self.port or probe.port
        if not port:
            hint = "an ST-LINK/V2 has none: wire the board's console to a serial port, and name that"
            raise ProbeError("this probe has no serial port", where=str(probe), hint=hint)
        return connect_at_own_rate(port, board, image)
