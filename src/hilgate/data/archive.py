"""Files out of gzip and tar, as hostile input: only plain files, only below one folder, never more than allowed."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from hilgate.errors import DataError

CHUNK_BYTES = 1 << 20


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
    """Put the plain files directly inside `folder` of a tar file into the folder `target`, at most limit_bytes in all.

    Links, devices, deeper folders and odd names are left out. Raises DataError: not a tar file, cut, too large.
    """
    done = 0
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if not member.isreg() or str(path.parent) != folder or path.name in ("", ".", ".."):
                    continue
                done += member.size
                if done > limit_bytes:
                    raise DataError(f"unpacks to more than {limit_bytes} bytes", where=str(source))
                content = archive.extractfile(member)
                if content is not None:
                    with content, (target / path.name).open("wb") as file:
                        while chunk := content.read(CHUNK_BYTES):
                            file.write(chunk)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"not a whole tar file: {error}", where=str(source)) from error
