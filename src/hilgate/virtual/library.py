"""The compiled half of the hooks: hook.c and aligned.c built with the host's C compiler, kept, and loaded by ctypes.

What is loaded runs inside this process, so only a file that this user alone can have written is taken, from a folder
that this user alone can write, and only when it still has the bytes that its name was made from.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path

from hilgate.virtual.layout import POINTER, SIZES, U32, U64

SOURCES = ("hook.c", "aligned.c", "hook.h")
FLAGS = ("-std=c11", "-O2", "-shared", "-fPIC")
BUILD_S = 60
DIGITS = 16  # of a SHA-256, in names
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_folders() -> tuple[Path, Path]:
    """Where the library is kept: $XDG_CACHE_HOME/hilgate/hooks (by default ~/.cache), else the temporary folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "hilgate" / "hooks", Path(tempfile.gettempdir()) / f"hilgate-hooks-{os.getuid()}"


@cache
def load_library() -> ctypes.CDLL | None:
    """The compiled hooks; None when there is no C compiler or it fails (then the Python hooks do the same, slower)."""
    if sys.platform == "win32" or os.environ.get("HILGATE_VIRTUAL_HOOKS") == "python":
        return None
    compiler = _compiler()
    if not compiler:
        return None
    sources = {name: resources.files("hilgate.virtual").joinpath(name).read_bytes() for name in SOURCES}
    identity = b"\0".join([*sources.values(), *(word.encode() for word in (*compiler, *FLAGS, os.uname().machine))])
    name = f"hooks-{hashlib.sha256(identity).hexdigest()[:DIGITS]}"
    for folder in cache_folders():
        with suppress(OSError, subprocess.SubprocessError):
            _make_private(folder)
            for path in _kept(folder, name):
                if library := _load(path):
                    return library
            if library := _load(_build(compiler, sources, folder, name)):
                return library
    return None


def _compiler() -> list[str]:
    """$CC, which may have options, or the first C compiler there is."""
    chosen = os.environ.get("CC", "").strip()
    if chosen:
        with suppress(ValueError):  # an open quote
            return shlex.split(chosen)
        return []
    found = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    return [found] if found else []


def _make_private(folder: Path) -> None:
    """Raises PermissionError when somebody else could put files there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & OTHERS_WRITE:
        raise PermissionError(f"others can write to {folder}")


def _kept(folder: Path, name: str) -> Iterator[Path]:
    """What was built earlier and is whole; a damaged file goes away."""
    for path in sorted(folder.glob(f"{name}-*.so")):
        facts = path.lstat()
        mine = stat.S_ISREG(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & OTHERS_WRITE
        if mine and path.name == _named(name, path.read_bytes()):
            yield path
        else:
            path.unlink()


def _build(compiler: list[str], sources: dict[str, bytes], folder: Path, name: str) -> Path:
    """Compile in a folder of its own and move the result into place at once: others may be building too."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for file, content in sources.items():
            (Path(scratch) / file).write_bytes(content)
        built = Path(scratch) / "hooks.so"
        command = [*compiler, *FLAGS, "-o", built.name, *(file for file in sources if file.endswith(".c"))]
        subprocess.run(command, cwd=scratch, check=True, capture_output=True, timeout=BUILD_S)
        built.chmod(0o700)
        return built.replace(folder / _named(name, built.read_bytes()))


def _named(name: str, content: bytes) -> str:
    return f"{name}-{hashlib.sha256(content).hexdigest()[:DIGITS]}.so"


def _load(path: Path) -> ctypes.CDLL | None:
    """None when it is of another kind of computer, or means other structures than layout.py."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(str(path))
        if _agrees(library):
            return library
    return None


def _agrees(library: ctypes.CDLL) -> bool:
    library.hook_sizes.restype = ctypes.c_size_t
    library.hook_sizes.argtypes = [ctypes.c_size_t]
    library.hook_unspent.restype = U64
    library.hook_unspent.argtypes = [POINTER, U32]
    return tuple(library.hook_sizes(which) for which in range(len(SIZES))) == SIZES
