"""Images of the fixture model, built once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hilgate.build.build import BuiltImage, build_image
from hilgate.build.image import segments
from hilgate.catalogue import Board, load_board


@pytest.fixture(scope="session")
def model(root: Path) -> Path:
    """The C folder of the fixture model."""
    return root / "tests/firmware/fixture_model"


@pytest.fixture(scope="session")
def board(root: Path) -> Board:
    return load_board("nucleo_f446re", root)


@pytest.fixture(scope="session")
def image(root: Path, board: Board, model: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltImage:
    return build_image(board, model, tmp_path_factory.mktemp("image"), firmware=root / "firmware")


@pytest.fixture
def board_with(root: Path, tmp_path: Path) -> Callable[..., Board]:
    """A board with pieces of its board.toml replaced, loaded from a copy that still finds the family's port."""

    def make(*replacements: tuple[str, str], name: str = "nucleo_f446re") -> Board:
        folder = tmp_path / "firmware/boards" / name
        shutil.copytree(root / "firmware/boards" / name, folder, dirs_exist_ok=True)
        (tmp_path / "firmware/port").symlink_to(root / "firmware/port")
        path = folder / "board.toml"
        text = path.read_text("utf-8")
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new, 1)
        path.write_text(text, "utf-8")
        return load_board(name, tmp_path)

    return make


@pytest.fixture
def model_with(model: Path, tmp_path: Path) -> Callable[..., Path]:
    """The fixture model with pieces of its model.c or model.h replaced."""

    def make(*replacements: tuple[str, str], file: str = "model.c") -> Path:
        folder = tmp_path / "model"
        shutil.copytree(model, folder, dirs_exist_ok=True)
        text = (folder / file).read_text("utf-8")
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new, 1)
        (folder / file).write_text(text, "utf-8")
        return folder

    return make


@pytest.fixture
def build(root: Path, board: Board, tmp_path: Path) -> Callable[..., BuiltImage]:
    """Build a C folder for nucleo_f446re, or for another board, in a fresh folder."""

    def make(folder: Path, board: Board = board) -> BuiltImage:
        return build_image(board, folder, tmp_path / "out", firmware=root / "firmware")

    return make


def _read_load(path: Path, start: int, end: int) -> bytes:
    """Bytes [start, end) by load address; gaps between segments read as 0xFF, as erased flash does."""
    content = bytearray(b"\xff" * (end - start))
    data = path.read_bytes()
    for segment in segments(path):
        low, high = max(start, segment.load), min(end, segment.load + segment.file_bytes)
        if low < high:
            at = segment.offset + low - segment.load
            content[low - start : high - start] = data[at : at + high - low]
    return bytes(content)


@pytest.fixture(scope="session")
def read_load() -> Callable[[Path, int, int], bytes]:
    return _read_load
