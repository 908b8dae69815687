"""What to do in a session with a board on a bench: the same checks as `hilgate run`, raw facts as the result."""

from __future__ import annotations

from hilgate.bench.seam import Reading, Request
from hilgate.catalogue import Board
from hilgate.errors import DeviceError, StaleImageError
from hilgate.hashing import image_hashes
from hilgate.link.exchange import name_of
from hilgate.link.protocol import ClockSource, Counter
from hilgate.link.session import Session
from hilgate.run.clock import check_clock
from hilgate.run.identity import check_real


def read(session: Session, request: Request, board: Board, probe: str) -> Reading:
    """Measure what is flashed. Raises StaleImageError, DeviceError, LinkError."""
    check_image(session, request, board)
    check_real(session)
    outputs = tuple(session.run_vector(data).output for data in request.inputs)
    session.set_input(request.inputs[0])
    rows = session.profile()
    cycles = session.bench(request.warmup, request.runs)
    if not session.identity.clock_hz or 0 in cycles:
        what = f"clock {session.identity.clock_hz} Hz, least cycles {min(cycles)}"
        raise DeviceError(what, where=session.name, hint="is the counter on?")
    ratio = check_clock(session, cycles[0])
    marks, said = session.memory(), session.identity
    return Reading(
        image=said.image_hash.hex(),
        uid=said.uid.hex(),
        probe=probe,
        clock_hz=said.clock_hz,
        clock_source=name_of(ClockSource, said.clock_source),
        counter=name_of(Counter, said.counter),
        outputs=outputs,
        cycles=tuple(cycles),
        layers=tuple((row.cycles, row.crc32) for row in rows),
        arena_bytes=marks.arena_bytes,
        stack_seen_bytes=marks.stack_seen_bytes,
        clock_ratio=ratio,
    )


def check_image(session: Session, request: Request, board: Board) -> None:
    """The board runs the image that was flashed, and is of the kind that was asked for. Raises StaleImageError."""
    said, meant = session.identity, image_hashes(request.image)
    if said.image_hash != meant.image or not said.image_ok or said.weights_hash != meant.weights:
        what = f"the board runs image {said.image_hash.hex()[:16]}, flashed was {meant.image.hex()[:16]}"
        raise StaleImageError(what, where=session.name, hint="does this port belong to the probe that flashed?")
    if said.board_id != board.board_id:
        what = f"this is board {said.board_id}, meant is {board.name} ({board.board_id})"
        raise StaleImageError(what, where=session.name, hint="does this port belong to the probe that flashed?")
