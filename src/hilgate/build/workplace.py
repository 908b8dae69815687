"""The folder that a cell is built in: one build at a time, and one clear error where it cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hilgate.errors import BuildError
from hilgate.locks import locked


@contextmanager
def workplace(out: Path) -> Iterator[None]:
    """`out` for this process alone; a second build of the same cell waits for the first. Raises BuildError."""
    try:
        with locked(out.with_name(f"{out.name}.lock"), f"build {out.name}: waiting for another build of this cell"):
            yield
    except OSError as error:
        hint = "every build writes below .cache and artifacts of the project: free space there, or make them writable"
        where = error.filename or out
        raise BuildError(f"cannot be written: {error.strerror or error}", where=str(where), hint=hint) from error
