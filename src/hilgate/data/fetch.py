"""A task's raw files: from the cache, else from the first of its sources that answers with the pinned bytes."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hilgate.console import say
from hilgate.data.pins import check
from hilgate.data.sources import KINDS
from hilgate.errors import DataError
from hilgate.task import RawFile, Source, Task


def cache_folder(task: str) -> Path:
    """Where raw files of a task are kept: $HILGATE_CACHE, else the user's XDG cache, shared by all projects."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    base = Path(os.environ.get("HILGATE_CACHE") or Path(home) / "hilgate")
    return base.absolute() / task


def fetch(task: Task, cache: Path) -> Path:
    """The folder with all of the task's raw files, each checked against its pin. Raises DataError."""
    if not task.files:
        return cache  # a task that generates its data
    with _exclusive(cache):
        missing = tuple(file for file in task.files if not _is_good(cache, file))
        reasons: list[str] = []
        for source in task.sources:
            if not missing:
                break
            try:
                _try(source, missing, cache)
            except DataError as error:
                reasons.append(str(error))
                say(f"{task.name}: {source.kind} source: {error}")
            missing = tuple(file for file in missing if not (cache / file.name).is_file())
        if missing:
            names = ", ".join(file.name for file in missing)
            hint = "; ".join(reasons) or "the task names no source"
            raise DataError(f"no source has {names}, and no cache", where=str(cache), hint=hint)
    return cache


def _try(source: Source, missing: tuple[RawFile, ...], cache: Path) -> None:
    """Fetch the missing files from one source; what is as pinned goes into the cache, also when others are not."""
    if source.kind not in KINDS:
        hint = f"kinds: {', '.join(KINDS)}"
        raise DataError(f"unknown kind of source `{source.kind}`", where=source.address, hint=hint)
    try:
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as scratch:
            try:
                KINDS[source.kind](source, missing, cache, Path(scratch))
                for file in missing:
                    check(Path(scratch) / file.name, file)
            finally:
                _keep_good(Path(scratch), missing, cache)
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", where=str(cache), hint="set HILGATE_CACHE") from error


def _keep_good(scratch: Path, missing: tuple[RawFile, ...], cache: Path) -> None:
    """Move what is as pinned into the cache."""
    for file in missing:
        with suppress(DataError):
            check(scratch / file.name, file)
            (scratch / file.name).replace(cache / file.name)


def _is_good(cache: Path, file: RawFile) -> bool:
    """Whether the cache has it; a damaged one is removed and counts as missing."""
    path = cache / file.name
    if not path.exists():
        return False
    try:
        check(path, file)
    except DataError as error:
        say(f"cache: {error}; fetching it again")
        path.unlink()
        return False
    return True


@contextmanager
def _exclusive(cache: Path) -> Iterator[None]:
    """One process at a time in a cache folder."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", where=str(cache), hint="set HILGATE_CACHE") from error
