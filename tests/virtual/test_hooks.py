"""The native and the Python hooks: equal where it is hardest, built when possible, and done without when not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hilgate.virtual import hooks, library
from hilgate.virtual.fallback import PythonHooks
from hilgate.virtual.hooks import make_hooks

arm = pytest.mark.arm


@arm
def test_caches_that_thrash_count_the_same(elf, board_of, until_end) -> None:
    boards = [board_of(elf("elves/thrash.c"), native=flag) for flag in (True, False)]
    texts = [until_end(board) for board in boards]
    assert texts[0] == texts[1] and "value" in texts[0]
    assert boards[0].stalls == boards[1].stalls and min(boards[0].stalls) > 5_000
    assert (boards[0].cycles, boards[0].instructions) == (boards[1].cycles, boards[1].instructions)
    assert boards[0].profile() == boards[1].profile()


@pytest.fixture
def fresh_library(monkeypatch, tmp_path):
    """load_library as a new process with its own cache would call it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return library.load_library.__wrapped__


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache/hilgate/hooks"


def in_a_new_process(*tail: str) -> subprocess.Popen[bytes]:
    """Ends with 0 when the library was loaded. A process that has mapped one keeps its bytes: damage needs another."""
    script = "from hilgate.virtual.library import load_library; import sys; sys.exit(load_library() is None)"
    return subprocess.Popen([sys.executable, "-c", script, *tail])


def test_the_hook_is_built_once(fresh_library, folder) -> None:
    assert fresh_library() is not None
    (built,) = folder.iterdir()
    stamp = built.stat().st_mtime_ns
    assert fresh_library() is not None
    assert built.stat().st_mtime_ns == stamp
    assert folder.stat().st_mode & 0o777 == 0o700 and not built.stat().st_mode & 0o022


@pytest.mark.parametrize("compiler", ["/nonexistent/cc", "/bin/false", "cc 'open"])
def test_without_a_compiler_python_does_it_and_one_line_says_so(compiler, fresh_library, monkeypatch, capsys) -> None:
    monkeypatch.setenv("CC", compiler)
    assert fresh_library() is None
    monkeypatch.setattr(library, "load_library", fresh_library)
    hooks._say_slow.cache_clear()
    for _ in range(2):
        assert isinstance(make_hooks(None), PythonHooks)
    assert capsys.readouterr().err.count("without compiled hooks") == 1
    make_hooks(None, native=False)
    assert not capsys.readouterr().err, "who asks for them knows"


def test_a_compiler_may_have_options(fresh_library, monkeypatch) -> None:
    monkeypatch.setenv("CC", "cc -g0 -DUNUSED='a b'")
    assert fresh_library() is not None


@pytest.mark.parametrize("damage", [b"not a library", b"", "cut", "bit"])
def test_a_damaged_cache_is_built_again(damage, fresh_library, folder) -> None:
    assert fresh_library() is not None
    (built,) = folder.iterdir()
    good = built.read_bytes()
    bad = {"cut": good[:-3000], "bit": good[:9000] + bytes([good[9000] ^ 1]) + good[9001:]}.get(damage, damage)
    built.unlink()
    built.write_bytes(bad)
    assert in_a_new_process().wait() == 0
    (again,) = folder.iterdir()
    assert again.read_bytes() == good


def test_two_at_once_build_one(fresh_library, folder) -> None:
    both = [in_a_new_process(), in_a_new_process()]
    assert [process.wait() for process in both] == [0, 0]
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_others_can_write_is_not_used(fresh_library, folder, tmp_path) -> None:
    """Who can put a file there runs code in this process. It is built elsewhere, and nowhere when all are open."""
    elsewhere = tmp_path / f"temporary/hilgate-hooks-{os.getuid()}"
    assert fresh_library() is not None
    (built,) = folder.iterdir()
    folder.chmod(0o777)
    assert fresh_library() is not None
    assert len(list(elsewhere.iterdir())) == 1
    elsewhere.chmod(0o770)
    assert fresh_library() is None
    for path in elsewhere.iterdir():
        path.unlink()
    elsewhere.rmdir()
    elsewhere.symlink_to(built.parent)
    folder.chmod(0o700)
    built.chmod(0o722)
    assert fresh_library() is not None and not built.stat().st_mode & 0o022, (
        "a file that others can write is built again"
    )
    shutil.rmtree(folder)
    folder.write_text("no folder")
    assert fresh_library() is None, "a link may lead anywhere"


def test_the_hook_is_clean_c() -> None:
    here = Path(library.__file__).parent
    flags = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Werror -fsyntax-only".split()
    subprocess.run(["cc", *flags, *(here / name for name in library.SOURCES if name.endswith(".c"))], check=True)
