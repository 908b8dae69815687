"""Outputs of the board against the reference, to the bit; and where they part, in which layer first."""

from __future__ import annotations

import hashlib
from typing import NoReturn

from hilgate.console import progress
from hilgate.errors import ParityError
from hilgate.link.protocol import ProfileRow
from hilgate.link.session import Session
from hilgate.run.accuracy import preview
from hilgate.run.hostmodel import HostModel
from hilgate.run.subject import Subject


def choose(n: int, wanted: int, seed: str) -> list[int]:
    """`wanted` of n indices, ascending: those whose SHA-256 of `seed:index` is smallest. The same on every computer."""

    def rank(index: int) -> bytes:
        return hashlib.sha256(f"{seed}:{index}".encode()).digest()

    return sorted(sorted(range(n), key=rank)[:wanted])


def stream(session: Session, subject: Subject, host: HostModel, wanted: int) -> int:
    """Send test vectors and compare every output; gives how many. Raises ParityError at the first that differs."""
    chosen = choose(len(subject.x), wanted, subject.dataset_hash)
    with progress() as bar:
        for index in bar.track(chosen, description=f"vectors on {subject.board.name}"):
            got = session.run_vector(subject.x[index].tobytes()).output
            if got != subject.expected[index].tobytes():
                _differs(session, subject, host, index, got)
    return len(chosen)


def profile(session: Session, subject: Subject, host: HostModel) -> list[ProfileRow]:
    """Cycles of each layer on the first chosen vector; every layer's output is compared. Raises ParityError."""
    index = choose(len(subject.x), 1, subject.dataset_hash)[0]
    session.set_input(subject.x[index].tobytes())
    rows = session.profile()
    layer = first_difference(rows, host.layer_crcs(subject.x[index]))
    if layer is not None:
        name = subject.layer_names[layer] if layer < len(subject.layer_names) else "?"
        what = f"layer {layer} ({name}) differs from the reference for test sample {index}, though the output does not"
        raise ParityError(what, where=session.name)
    return rows


def first_difference(rows: list[ProfileRow], due: list[int]) -> int | None:
    """The first layer whose CRC-32 differs; a missing or extra layer differs."""
    got = [row.crc32 for row in rows]
    for index in range(max(len(got), len(due))):
        if got[index : index + 1] != due[index : index + 1]:
            return index
    return None


def _differs(session: Session, subject: Subject, host: HostModel, index: int, got: bytes) -> NoReturn:
    due = subject.expected[index].tobytes()
    at = next(i for i in range(len(due)) if got[i] != due[i])
    layer = first_difference(session.profile(), host.layer_crcs(subject.x[index]))
    if layer is None:
        where = "no layer differs when it runs again: the board is not deterministic"
    else:
        where = f"the first layer that differs is {layer} ({subject.layer_names[layer]})"
    raise ParityError(
        f"test sample {index}: output {at} differs; {where}; got {preview(got)}, expected {preview(due)}",
        where=session.name,
        hint=f"compare the kernel of that layer on this board: artifacts/compile/{subject.task}/c",
    )
