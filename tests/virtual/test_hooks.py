"""The native and the Python hooks: equal where it is hardest, built when possible, and done without when not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.errors import HilgateError
from hilgate.virtual import native
from hilgate.virtual.elf import load_image
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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return native.load_library.__wrapped__


def test_the_hook_is_built_once(fresh_library, tmp_path) -> None:
    assert fresh_library() is not None
    (built,) = (tmp_path / "hilgate").iterdir()
    stamp = built.stat().st_mtime_ns
    assert fresh_library() is not None
    assert built.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("compiler", ["/nonexistent/cc", "/bin/false"])
def test_without_a_compiler_python_does_it(compiler, fresh_library, monkeypatch) -> None:
    monkeypatch.setenv("CC", compiler)
    assert fresh_library() is None
    monkeypatch.setattr(native, "load_library", fresh_library)
    assert isinstance(make_hooks(None), PythonHooks)


def test_a_damaged_cache_is_built_again(fresh_library, tmp_path) -> None:
    assert fresh_library() is not None
    (built,) = (tmp_path / "hilgate").iterdir()
    # another inode: the one that this process has mapped must keep its bytes
    built.unlink()
    built.write_bytes(b"not a library")
    script = "from hilgate.virtual.native import load_library; import sys; sys.exit(load_library() is None)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
    assert built.read_bytes()[:4] == b"\x7fELF"


def test_the_hook_is_clean_c() -> None:
    source = Path(native.__file__).with_name("hook.c")
    flags = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Werror -fsyntax-only".split()
    subprocess.run(["cc", *flags, str(source)], check=True)


@arm
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_images_are_refused_or_loaded(elf, tmp_path_factory, data) -> None:
    """Any bytes turned in the headers of an ELF give an image or one clear error."""
    raw = bytearray(elf("elves/greet.c").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.one_of(st.integers(0, 200), st.integers(max(0, len(raw) - 2000), len(raw) - 1)))
        raw[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "image.elf"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    try:
        load_image(path)
    except HilgateError as error:
        assert "\n" not in str(error)
