"""The data room: fixed splits, files that depend on nothing but the data."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from hilgate.arrays import fingerprint, read_npz, write_npz
from hilgate.artifacts import artifact, read_json
from hilgate.data.data import check_splits, execute
from hilgate.errors import ArtifactError, DataError, ParamsError
from hilgate.params import load_params
from hilgate.task import Split, load_task


def test_the_same_data_gives_the_same_bytes(trained_project, new_project):
    execute("waves", load_params(new_project), new_project)
    for name in ("data.train", "data.validation", "data.test", "data.facts"):
        assert (
            artifact(new_project, name, "waves").read_bytes() == artifact(trained_project, name, "waves").read_bytes()
        )


def test_facts_are_about_the_arrays(trained_project):
    facts = read_json(artifact(trained_project, "data.facts", "waves"), "facts")
    for name, count in (("train", 4000), ("validation", 1000), ("test", 1000)):
        arrays = read_npz(artifact(trained_project, f"data.{name}", "waves"), ("x", "y"))
        said = facts["splits"][name]
        assert said["n"] == count == len(arrays["x"]) and said["x_shape"] == [32] and said["x_type"] == "int16"
        assert said["sha256"] == fingerprint(arrays["x"], arrays["y"])


def test_npz_files_carry_no_time_and_no_order(tmp_path):
    x, y = np.arange(6, dtype=">i4").reshape(2, 3), np.ones((2, 2), order="F")
    write_npz(tmp_path / "a.npz", {"x": x, "y": y})
    write_npz(tmp_path / "b.npz", {"y": np.ones((2, 2)), "x": x.astype("<i4")})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert np.array_equal(read_npz(tmp_path / "a.npz", ("x",))["x"], x)


def test_npz_files_that_are_none(tmp_path):
    path = tmp_path / "a.npz"
    pickled = io.BytesIO()
    np.savez(pickled, x=np.array([{}], dtype=object), allow_pickle=True)
    for content in (b"", b"rubbish", pickled.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match=r"not a readable \.npz file"):
            read_npz(path, ("x",))
    write_npz(path, {"y": np.ones(1)})
    with pytest.raises(ArtifactError, match="x is not a file in the archive"):
        read_npz(path, ("x",))


@pytest.mark.parametrize("pack", [np.savez, np.savez_compressed])
def test_a_damaged_npz_file_is_read_or_refused(tmp_path, pack):
    """Every byte in turn, as 0 and as 255: zip's fields, the array's header, compressed data."""
    path, buffer = tmp_path / "a.npz", io.BytesIO()
    pack(buffer, x=np.arange(4, dtype=np.int16))
    good = buffer.getvalue()
    for place in range(len(good)):
        for value in (0, 255):
            path.write_bytes(good[:place] + bytes([value]) + good[place + 1 :])
            with suppress(ArtifactError):
                read_npz(path, ("x",))


@pytest.mark.parametrize(
    "header",
    ["((((((", "{'descr': '<i8', 'fortran_order': False, 'shape': (999999999999999,)}", "{'descr': '|O'}", "{" * 999],
)
def test_a_hostile_array_header_is_refused_in_one_line(tmp_path, header):
    text = header.encode().ljust(1014) + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(ArtifactError, match=r"not a readable \.npz file") as caught:
        read_npz(tmp_path / "a.npz", ("x",))
    assert "\n" not in str(caught.value)


def test_fingerprints_tell_values_shapes_and_types_apart():
    a = np.arange(6, dtype=np.int32)
    others = [a.reshape(2, 3), a.astype(np.uint32), a.astype(np.int64), a[::-1]]
    assert len({fingerprint(a), *(fingerprint(other) for other in others)}) == 5
    assert fingerprint(a) == fingerprint(a.astype(">i4")) == fingerprint(np.stack([a, a], axis=1)[:, 0])


ONE = Split(np.zeros((2, 3)), np.zeros(2))


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": ONE, "test": ONE}, r"returned \['test', 'train'\]"),
        (
            {"train": ONE, "validation": ONE, "test": Split(np.zeros((2, 4)), np.zeros(2))},
            "differ: train x .N, 3. float64.*; test x .N, 4. ",
        ),
        ({"train": ONE, "validation": ONE, "test": Split(np.zeros((0, 3)), np.zeros(0))}, "test has 0 samples"),
        (
            {"train": ONE, "validation": Split(ONE.x, np.zeros(3)), "test": ONE},
            "validation has 2 samples and 3 targets",
        ),
    ],
)
def test_splits_that_cannot_be(root, splits, message):
    with pytest.raises(DataError, match=message) as caught:
        check_splits(load_task("digits", root), splits)
    assert caught.value.where == "src/tasks/digits/data.py: split"


def test_digits_are_split_by_rule(root, tmp_path):
    """The last of the training images validate, the test set is left as it is."""
    digits = load_task("digits", root)
    for name, count in (("train", 10), ("t10k", 4)):
        images = np.repeat(np.arange(count, dtype=np.uint8), 28 * 28)
        head = b"\0\0\x08\x03" + b"".join(int(n).to_bytes(4, "big") for n in (count, 28, 28))
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        labels = b"\0\0\x08\x01" + count.to_bytes(4, "big") + bytes(range(count))
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(labels)
    splits = digits.split(tmp_path, digits.data_params(validation=3))
    assert {name: list(split.y) for name, split in splits.items()} == {
        "train": [0, 1, 2, 3, 4, 5, 6],
        "validation": [7, 8, 9],
        "test": [0, 1, 2, 3],
    }
    assert all((split.x[:, 0, 0] == split.y).all() for split in splits.values())
    for wrong in (0, 10, -1):
        with pytest.raises(DataError, match=f"{wrong} validation images of 10"):
            digits.split(tmp_path, digits.data_params(validation=wrong))


def test_an_unknown_key(new_project):
    params = load_params(new_project)
    params.sections["data"]["waves"]["window"] = 3
    with pytest.raises(ParamsError, match="unknown key `window`"):
        execute("waves", params, new_project)
