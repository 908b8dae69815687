"""Is the board the one that is meant, and does it run the image under test?"""

from __future__ import annotations

from hilgate.errors import DeviceError, StaleImageError
from hilgate.link.protocol import Counter
from hilgate.link.session import Session
from hilgate.run.subject import Subject
from hilgate.virtual.peripherals.uid import NO_UID, UID_MARK


def check_identity(session: Session, subject: Subject) -> None:
    """Compare what the board says about itself with the ELF. Raises StaleImageError, DeviceError."""
    said, meant = session.identity, subject.hashes
    flash = f"flash {subject.elf.name} of cell `{subject.cell}` and run again"
    if said.image_hash != meant.image:
        raise StaleImageError(
            f"the board runs image {said.image_hash.hex()[:16]}, the one under test is {meant.image.hex()[:16]}",
            where=session.name,
            hint=flash,
        )
    if not said.image_ok:
        raise StaleImageError(
            "the image on the board is damaged: its hash does not match its header", where=session.name, hint=flash
        )
    if said.weights_hash != meant.weights or said.architecture_hash != meant.architecture:
        raise StaleImageError(
            f"the board holds weights {said.weights_hash.hex()[:16]}, under test are {meant.weights.hex()[:16]}",
            where=session.name,
            hint=flash,
        )
    if said.board_id != subject.board.board_id:
        what = f"this is board {said.board_id}, the cell is for {subject.board.name} ({subject.board.board_id})"
        raise StaleImageError(what, where=session.name, hint="take the port of the right board")
    said_sizes = (said.input_bytes, said.output_bytes, said.layers)
    model = subject.model
    sizes = (model["input"][0]["bytes"], model["output"][0]["bytes"], len(model["layers"]))
    if said_sizes != sizes:
        what = f"the board reports {said_sizes} bytes in, out and layers, model.json has {sizes}"
        raise DeviceError(
            what, where=session.name, hint="its firmware is not what its hash says: build and flash again"
        )


def check_real(session: Session) -> None:
    """What is called measured must come from silicon; the clock check follows. Raises DeviceError on an emulator."""
    said = session.identity
    if said.uid.startswith(UID_MARK):
        raise DeviceError(
            "this is a virtual board, whose numbers are predictions",
            where=session.name,
            hint="call it by its name: `--on virtual://<board>`, or no --on at all",
        )
    if said.counter == Counter.NONE or said.uid in NO_UID:
        raise DeviceError(
            "this is no chip: it has no cycle counter, or no unique id",
            where=session.name,
            hint="call an emulator by its name: virtual://<board> or qemu://<machine>",
        )
