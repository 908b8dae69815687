"""The folder that a cell is built in: one build at a time, and one clear error where it cannot be written."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hilgate.console import say
from hilgate.errors import BuildError


@contextmanager
def workplace(out: Path) -> Iterator[None]:
    """`out` for this process alone; a second build of the same cell waits for the first. Raises BuildError."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.with_name(f"{out.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"build {out.name}: waiting for another build of this cell")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        hint = "every build writes below .cache and artifacts of the project: free space there, or make them writable"
        where = error.filename or out
        raise BuildError(f"cannot be written: {error.strerror or error}", where=str(where), hint=hint) from error
