"""Raw files are pinned: what they must be, whoever sent them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hilgate.errors import DataError
from hilgate.task import RawFile


def check(path: Path, file: RawFile) -> None:
    """Raise DataError unless the file at `path` has the pinned size and SHA-256."""
    if not path.is_file():
        raise DataError("the source does not have it", where=file.name)
    size = path.stat().st_size
    if size != file.size:
        raise DataError(f"{size} bytes instead of {file.size}", where=file.name)
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != file.sha256:
        raise DataError(f"wrong SHA-256 {found[:16]}..., expected {file.sha256[:16]}...", where=file.name)
