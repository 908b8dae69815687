"""The idx reader takes idx files and nothing else."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.data.idx import read_idx
from hilgate.errors import DataError


def idx(array: np.ndarray, magic: bytes | None = None) -> bytes:
    magic = bytes([0, 0, 8, array.ndim]) if magic is None else magic
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(idx(IMAGES))
    assert np.array_equal(read_idx(path, dimensions=3), IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx(IMAGES, magic=b"\x00\x00\x0d\x03"), "wrong magic 00000d03, expected 00000803"),
        (idx(IMAGES, magic=b"\x1f\x8b\x08\x00"), "wrong magic 1f8b0800"),
        (idx(IMAGES[0]) + b"\0" * 8, "wrong magic 00000802"),
        (idx(IMAGES)[:-1], r"its header says \(2, 3, 4\), but 23 bytes follow"),
        (idx(IMAGES) + b"\0", r"its header says \(2, 3, 4\), but 25 bytes follow"),
        (b"\0\0\x08\x03" + b"\xff" * 12, r"its header says \(4294967295, .* but 0 bytes follow"),
        (b"\0\0\x08", "3 bytes are too short"),
        (b"", "0 bytes are too short"),
    ],
)
def test_what_is_no_idx_file_is_refused(tmp_path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, dimensions=3)
    assert caught.value.where == str(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "none", dimensions=1)


@settings(deadline=None)
@given(content=st.binary(max_size=64), dimensions=st.integers(1, 3))
def test_random_bytes_are_read_whole_or_refused(tmp_path_factory, content, dimensions):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(content)
    try:
        array = read_idx(path, dimensions)
    except DataError:
        return
    assert idx(array) == content
