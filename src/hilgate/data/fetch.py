"""A task's raw files: from the cache, else from the first of its sources that answers with the pinned bytes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hilgate.console import say
from hilgate.data.pins import check
from hilgate.data.sources import KINDS
from hilgate.errors import DataError
from hilgate.locks import locked
from hilgate.task import RawFile, Source, Task

SCRATCH = ".fetch"  # folder in the cache where files are unpacked and checked; whoever has the lock has it


def cache_folder(task: str) -> Path:
    """Where raw files of a task are kept: $HILGATE_CACHE, else the user's XDG cache, shared by all projects."""
    own, shared = os.environ.get("HILGATE_CACHE"), Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if own:
            return Path(own).expanduser().absolute() / task
        return (shared if shared.is_absolute() else Path.home() / ".cache") / "hilgate" / task
    except RuntimeError as error:  # a user without a home, as in some containers
        raise DataError(f"there is no place for a cache: {error}", where=task, hint="set HILGATE_CACHE") from error


def fetch(task: Task, cache: Path) -> Path:
    """The folder with all of the task's raw files, each checked against its pin. Raises DataError."""
    if not task.files:
        return cache  # a task that generates its data
    if all(_problem(cache, file) == "" for file in task.files):
        _clear(cache)
        return cache  # also when it cannot be written, or somebody fetches
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
            hint = "; ".join(reasons or ["the task names no source"]) + "; you may put the files there yourself"
            raise DataError(f"no source has {names}, and no cache", where=str(cache), hint=hint)
    return cache


def _try(source: Source, missing: tuple[RawFile, ...], cache: Path) -> None:
    """Fetch the missing files from one source; what is as pinned goes into the cache, also when others are not."""
    if source.kind not in KINDS:
        hint = f"kinds: {', '.join(KINDS)}"
        raise DataError(f"unknown kind of source `{source.kind}`", where=source.address, hint=hint)
    scratch = cache / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed process left
    try:
        scratch.mkdir()
        KINDS[source.kind](source, missing, cache, scratch)
        for file in missing:
            check(scratch / file.name, file)
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", where=str(cache), hint="set HILGATE_CACHE") from error
    finally:
        _keep_good(scratch, missing, cache)
        shutil.rmtree(scratch, ignore_errors=True)


def _keep_good(scratch: Path, missing: tuple[RawFile, ...], cache: Path) -> None:
    """Move what is as pinned into the cache."""
    for file in missing:
        with suppress(DataError):
            check(scratch / file.name, file)
            (scratch / file.name).replace(cache / file.name)


def _is_good(cache: Path, file: RawFile) -> bool:
    """Whether the cache has it; a damaged one is removed and counts as missing."""
    problem = _problem(cache, file)
    if problem and (cache / file.name).exists():
        say(f"cache: {problem}; fetching it again")
        (cache / file.name).unlink()
    return not problem


def _problem(cache: Path, file: RawFile) -> str:
    """Why the cache's file is not the pinned one; "" when it is."""
    try:
        check(cache / file.name, file)
    except (DataError, OSError) as error:
        return str(error)
    return ""


def _clear(cache: Path) -> None:
    """Remove what a killed process left, unless somebody is at work there or nothing can be written."""
    if (cache / SCRATCH).exists():
        with suppress(OSError), (cache / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(cache / SCRATCH)


@contextmanager
def _exclusive(cache: Path) -> Iterator[None]:
    """One process at a time in a cache folder."""
    try:
        with locked(cache / ".lock", f"another process fetches into {cache}: waiting for it"):
            yield
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", where=str(cache), hint="set HILGATE_CACHE") from error
