"""Files out of gzip and tar, as hostile input: only plain files, only below one folder, never more than allowed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from hilgate.errors import DataError

CHUNK_BYTES = 1 << 20
MOST_FILES = 10_000
BLOCK_BYTES = 512  # of a tar file: each member has a header of one, and is filled up to one
PACKERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}  # by the first two bytes
BROKEN = (tarfile.TarError, lzma.LZMAError, EOFError, zlib.error, ValueError, OverflowError)  # besides OSError


def gunzip(source: Path, target: Path, limit_bytes: int) -> None:
    """Unpack source into target. Raises DataError: not gzip, cut, or longer than limit_bytes."""
    done = 0
    try:
        with gzip.open(source) as packed, target.open("wb") as file:
            while chunk := packed.read(CHUNK_BYTES):
                done += len(chunk)
                if done > limit_bytes:
                    raise DataError(f"unpacks to more than {limit_bytes} bytes", where=str(source))
                file.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"not a whole gzip file: {error}", where=str(source)) from error


def extract(source: Path, folder: str, target: Path, limit_bytes: int) -> None:
    """Put the plain files directly inside `folder` of a tar file into the folder `target`.

    Links, devices, deeper folders and odd names are left out. Raises DataError: not a tar file, cut, or in all, with
    what is left out, more than limit_bytes or MOST_FILES.
    """
    target.mkdir(parents=True, exist_ok=True)
    limit = limit_bytes + BLOCK_BYTES * (2 * MOST_FILES + 40)  # the tar file itself ends with up to 20 blocks
    try:
        with _opened(source) as content, tarfile.open(fileobj=_limited(content, limit, source), mode="r|") as archive:
            done = 0
            for count, member in enumerate(archive, 1):
                done += member.size
                if done > limit_bytes or count > MOST_FILES:
                    raise _too_much(source, limit_bytes)
                path = PurePosixPath(member.name)
                if member.isreg() and str(path.parent) == folder and path.name not in ("", ".", ".."):
                    _copy(archive, member, target / path.name)
    except (*BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk; one without a number is gzip's or bz2's
        raise DataError(f"not a whole tar file: {error}", where=str(source)) from error


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = archive.extractfile(member)
    if content is not None:
        with content, target.open("wb") as file:
            while chunk := content.read(CHUNK_BYTES):
                file.write(chunk)


def _opened(source: Path) -> IO[bytes]:
    with source.open("rb") as file:
        packer = PACKERS.get(file.read(2))
    return cast("IO[bytes]", packer(source, "rb") if packer else source.open("rb"))


def _too_much(source: Path, limit_bytes: int) -> DataError:
    return DataError(f"unpacks to more than {limit_bytes} bytes or {MOST_FILES} files", where=str(source))


def _limited(content: IO[bytes], most_bytes: int, source: Path) -> IO[bytes]:
    """All that tarfile needs of a stream, as it is typed."""
    return cast("IO[bytes]", _Limited(content, most_bytes, source))


class _Limited:
    """A stream that ends with an error: a member's header alone may claim gigabytes, which tarfile would read."""

    def __init__(self, content: IO[bytes], most_bytes: int, source: Path) -> None:
        self._content, self._most_bytes, self._left, self._source = content, most_bytes, most_bytes, source

    def read(self, size: int) -> bytes:
        chunk = self._content.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise _too_much(self._source, self._most_bytes)
        return chunk
