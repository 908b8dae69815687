"""A claim from a stranger as plain files: what may be in it, how large it may be, and nothing else.

Names come from a short list, so nothing has to be cleaned. Bytes are counted while they are inflated: what the headers
of a zip say about sizes is part of the claim.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hilgate.errors import ClaimError

MIB = 1024 * 1024
LARGEST_ARCHIVE_BYTES = 256 * MIB
LARGEST_DIRECTORY_BYTES = MIB  # of a zip: about 10,000 entries
MOST_FILES = 2 + 5 * 200
LARGEST_TOTAL_BYTES = 512 * MIB
LARGEST_RATIO = 100  # inflated to stored; firmware and JSON reach 20
FREE_BYTES = 8 * MIB  # what may be inflated whatever the ratio
CHUNK_BYTES = 64 * 1024
CELL = r"[A-Za-z0-9_][A-Za-z0-9_.]{0,99}"
ALLOWED = (  # pattern of a name, most bytes
    (re.compile(r"claim\.json"), 4 * MIB),
    (re.compile(r"params\.yaml"), MIB),
    (re.compile(rf"cells/{CELL}/firmware\.elf"), 32 * MIB),
    (re.compile(rf"cells/{CELL}/(model|sizes|measurement)\.json"), 4 * MIB),
    (re.compile(rf"cells/{CELL}/samples\.json"), 32 * MIB),
)
FOLDER = re.compile(rf"cells/({CELL}/)?")  # some zip programs list folders too
END_OF_DIRECTORY = struct.Struct("<4s4H2LH")  # PKWARE APPNOTE 4.3.16
ZIP64_LOCATOR_BYTES = 20


@dataclass(frozen=True)
class Entry:
    """A file of the claim: its name, and the most bytes that one of this name may have."""

    name: str
    most_bytes: int


def unpack(source: Path, out: Path) -> list[str]:
    """Copy the claim in a zip or folder to the new folder `out`; gives the names.

    Raises ClaimError; `out` may then hold a part.
    """
    if out.exists() and any(out.iterdir()):
        raise ClaimError("the folder is not empty", where=str(out), hint="give a new one")
    out.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() or not source.exists():
        raise ClaimError("there is no such claim", where=str(source), hint="make one with `hilgate ci pack`")
    try:
        return _copy_folder(source, out) if source.is_dir() else _copy_archive(source, out)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ClaimError(f"a damaged archive: {str(error)[:200]}", where=source.name) from error
    except (OSError, struct.error, ValueError, OverflowError, LookupError, TypeError, AttributeError) as error:
        # zipfile was not written for files that somebody damages with care
        raise ClaimError(f"cannot be unpacked: {str(error)[:200]}", where=source.name) from error


def entry_of(name: str, seen: set[str]) -> Entry:
    """The rule for a name. Raises ClaimError: not on the list, or there already but for upper and lower case."""
    for pattern, most_bytes in ALLOWED:
        if pattern.fullmatch(name) and ".." not in name:
            if name.lower() in seen:
                raise ClaimError("the name appears twice, if perhaps in other case", where=_shown(name))
            if len(seen) >= MOST_FILES:
                raise ClaimError(f"more than {MOST_FILES} files")
            seen.add(name.lower())
            return Entry(name, most_bytes)
    raise ClaimError("a claim has no file of this name", where=_shown(name))


def _copy_archive(source: Path, out: Path) -> list[str]:
    _check_directory(source)
    seen: set[str] = set()
    room = Room(min(LARGEST_TOTAL_BYTES, FREE_BYTES + LARGEST_RATIO * source.stat().st_size))
    with zipfile.ZipFile(source) as archive:
        members = archive.infolist()
        if len(members) > MOST_FILES:
            raise ClaimError(f"{len(members)} entries, more than {MOST_FILES} are refused", where=source.name)
        plain = [(member, _plain_name(member)) for member in members]
        entries = [(member, entry_of(name, seen)) for member, name in plain if not FOLDER.fullmatch(name)]
        for member, entry in entries:
            with archive.open(member) as content:
                _write(content, entry, out, room)
    return [entry.name for _, entry in entries]


def _check_directory(source: Path) -> None:
    """Bound what Python reads into memory: the directory at the end of the zip. Raises ClaimError."""
    size = source.stat().st_size
    if size > LARGEST_ARCHIVE_BYTES:
        raise ClaimError(f"{size} bytes, more than {LARGEST_ARCHIVE_BYTES} are refused", where=source.name)
    with source.open("rb") as file:
        file.seek(max(0, size - END_OF_DIRECTORY.size - ZIP64_LOCATOR_BYTES))
        tail = file.read()
    if len(tail) < END_OF_DIRECTORY.size or tail[-END_OF_DIRECTORY.size :][:4] != b"PK\5\6":
        raise ClaimError("not a zip file, or one with a comment", where=source.name)
    if tail[: -END_OF_DIRECTORY.size][-ZIP64_LOCATOR_BYTES:][:4] == b"PK\6\7":
        raise ClaimError("a zip64 file, which no claim needs", where=source.name)
    directory_bytes = END_OF_DIRECTORY.unpack(tail[-END_OF_DIRECTORY.size :])[5]
    if directory_bytes > LARGEST_DIRECTORY_BYTES:
        what = f"its directory has {directory_bytes} bytes, more than {LARGEST_DIRECTORY_BYTES} are refused"
        raise ClaimError(what, where=source.name)


def _plain_name(member: zipfile.ZipInfo) -> str:
    """The name of an ordinary, readable file. Raises ClaimError."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    folder = FOLDER.fullmatch(member.filename) and not member.file_size
    is_folder = member.filename.endswith("/")  # member.is_dir() fails for an empty name
    if kind not in ((0, stat.S_IFDIR) if folder else (0, stat.S_IFREG)) or (is_folder and not folder):
        raise ClaimError("not an ordinary file (a link, a folder, a device)", where=_shown(member.filename))
    if member.flag_bits & 0x2041:  # encrypted, strongly encrypted, directory masked: APPNOTE 4.4.4
        raise ClaimError("encrypted", where=_shown(member.filename))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ClaimError(f"compressed by method {member.compress_type}", where=_shown(member.filename))
    if member.orig_filename != member.filename:  # Python cut it at a NUL or turned its slashes
        raise ClaimError("a name that programs read in two ways", where=_shown(member.orig_filename))
    return member.filename


def _copy_folder(source: Path, out: Path) -> list[str]:
    seen: set[str] = set()
    room = Room(LARGEST_TOTAL_BYTES)
    entries = [entry_of(path.relative_to(source).as_posix(), seen) for path in _files_of(source)]
    for entry in entries:
        handle = os.open(source / entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as content:
            if not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
                raise ClaimError("not an ordinary file", where=_shown(entry.name))
            _write(content, entry, out, room)
    return [entry.name for entry in entries]


def _files_of(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Every file below a folder, as deep as a claim goes. Raises ClaimError for a link."""
    for item in sorted(os.scandir(folder), key=lambda found: found.name):
        path = Path(item.path)
        if item.is_symlink():
            raise ClaimError("not an ordinary file (a link)", where=_shown(item.name))
        if item.is_dir(follow_symlinks=False) and depth < 3:
            yield from _files_of(path, depth + 1)
        else:
            yield path


@dataclass
class Room:
    """Bytes that may still be written, of all files together."""

    bytes: int


def _write(content: IO[bytes], entry: Entry, out: Path, room: Room) -> None:
    """Copy in chunks, counting what really comes. Raises ClaimError when it is too much."""
    path = out / entry.name
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("xb") as file:
        while chunk := content.read(CHUNK_BYTES):
            written += len(chunk)
            room.bytes -= len(chunk)
            if written > entry.most_bytes:
                raise ClaimError(f"more than {entry.most_bytes} bytes", where=_shown(entry.name))
            if room.bytes < 0:
                raise ClaimError("inflates to more than a claim can hold", where=_shown(entry.name))
            file.write(chunk)


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:200]
