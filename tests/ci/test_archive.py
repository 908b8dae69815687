"""A claim's archive as hostile data: names, kinds, sizes. Each attack is refused before anything leaves the folder."""

from __future__ import annotations

import io
import json
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hilgate.ci.claims import archive
from hilgate.ci.claims.archive import unpack
from hilgate.errors import ClaimError

GOOD = {"claim.json": b"{}", "params.yaml": b"cells: {}", "cells/a_b/firmware.elf": b"\x7fELF"}


def packed(path: Path, files, **options) -> Path:
    """A zip of (name or ZipInfo, content)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in files:
                file.writestr(name, content, **options)
    return path


def refused(source: Path, out: Path, why: str) -> None:
    with pytest.raises(ClaimError, match=why) as caught:
        unpack(source, out)
    assert str(caught.value).isprintable()
    assert not list(out.parent.rglob("*escaped*")) and not [p for p in out.rglob("*") if p.is_symlink()]


def test_an_ordinary_claim_is_unpacked(tmp_path):
    source = packed(tmp_path / "c.zip", [("cells/", b""), ("cells/a_b/", b""), *GOOD.items()])
    assert sorted(unpack(source, tmp_path / "out")) == sorted(GOOD)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in GOOD} == GOOD


def test_a_zip_that_was_streamed_is_taken(tmp_path):
    """As actions/upload-artifact writes it: sizes come behind each file, and the headers before it say 0."""

    class Stream(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

        def tell(self):
            raise io.UnsupportedOperation

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in GOOD.items():
            file.writestr(name, content)
    assert stream.getvalue()[6] & 8, "the flag of a streamed entry"
    (tmp_path / "c.zip").write_bytes(stream.getvalue())
    assert sorted(unpack(tmp_path / "c.zip", tmp_path / "out")) == sorted(GOOD)


@pytest.mark.parametrize(
    "name",
    [
        "../escaped", "cells/../../escaped", "/escaped", "cells/a/../../../escaped", "C:/escaped", "cells\\a\\escaped",
        "cells/a_b/notes.txt", "claim.json/x", "cells/a_b/deep/firmware.elf", "cells/./firmware.elf", ".git/config",
        "cells/a..b/firmware.elf", "cells/-rf/firmware.elf", "cells/a b/firmware.elf", "claim.json\n", "inner.zip", "",
        "c\u202elaim.json", "cells/\u0430/firmware.elf", "CLAIM.json",
    ],
)  # fmt: skip
def test_names_outside_the_list_are_refused(tmp_path, name):
    refused(packed(tmp_path / "c.zip", [*GOOD.items(), (name or " ", b"x")]), tmp_path / "out", "name|file")
    with pytest.raises(ClaimError, match="no file of this name"):
        archive.entry_of(name, set())


def test_a_symlink_in_the_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("claim.json")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    refused(packed(tmp_path / "c.zip", [(link, "/etc/passwd")]), tmp_path / "out", "not an ordinary file")


@pytest.mark.parametrize("kind", [stat.S_IFDIR, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_no_other_kind_of_file_is_taken(tmp_path, kind):
    odd = zipfile.ZipInfo("claim.json")
    odd.create_system, odd.external_attr = 3, (kind | 0o644) << 16
    refused(packed(tmp_path / "c.zip", [(odd, "{}")]), tmp_path / "out", "not an ordinary file")


def test_the_same_name_twice_is_refused(tmp_path):
    refused(packed(tmp_path / "c.zip", [("claim.json", b"1"), ("claim.json", b"2")]), tmp_path / "out", "twice")


def test_names_that_differ_only_in_case_are_refused(tmp_path):
    files = [("cells/Ab/model.json", b"1"), ("cells/aB/model.json", b"2")]
    refused(packed(tmp_path / "c.zip", files), tmp_path / "out", "twice")


def test_an_encrypted_file_is_refused(tmp_path):
    data = bytearray(packed(tmp_path / "c.zip", [("claim.json", b"{}")]).read_bytes())
    data[6] |= 1
    data[data.rfind(b"PK\1\2") + 8] |= 1
    (tmp_path / "c.zip").write_bytes(data)
    refused(tmp_path / "c.zip", tmp_path / "out", "encrypted")


def test_other_compression_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("claim.json", "{}")
    refused(tmp_path / "c.zip", tmp_path / "out", "compressed by method 14")


def test_ten_gigabytes_of_zeros_are_refused_while_they_inflate(tmp_path):
    """The headers say that the file is empty; only what comes out counts. 10 GiB of zeros deflate to 10 MB."""
    source = tmp_path / "c.zip"
    with (
        zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open(zipfile.ZipInfo("cells/a/firmware.elf"), "w", force_zip64=False) as target,
    ):
        for _ in range(40):  # more than any file may have; the rest of the 10 GiB is claimed below
            target.write(bytes(1 << 20))
    data = bytearray(source.read_bytes())
    for at in (22, data.rfind(b"PK\1\2") + 24):  # uncompressed size, in both headers
        struct.pack_into("<I", data, at, 0xFFFF_FFF0)
    source.write_bytes(data)
    refused(source, tmp_path / "out", "more than|inflates")
    assert sum(p.stat().st_size for p in (tmp_path / "out").rglob("*") if p.is_file()) <= archive.ALLOWED[2][1]


def test_many_files_that_are_small_alone_are_refused_together(tmp_path):
    """Each is within its own limit; all together inflate to far more than they are stored as."""
    files = [(f"cells/c{index}/samples.json", bytes(4 << 20)) for index in range(6)]
    refused(packed(tmp_path / "c.zip", files), tmp_path / "out", "inflates to more")


def test_ten_thousand_files_are_refused(tmp_path):
    files = [(f"cells/c{index}/model.json", b"") for index in range(10_000)]
    refused(packed(tmp_path / "c.zip", files), tmp_path / "out", "entries|directory")


def test_a_directory_that_fills_memory_is_refused_unread(tmp_path):
    data = bytearray(packed(tmp_path / "c.zip", GOOD.items()).read_bytes())
    struct.pack_into("<I", data, len(data) - 22 + 12, 0x7FFF_FFFF)
    (tmp_path / "c.zip").write_bytes(data)
    refused(tmp_path / "c.zip", tmp_path / "out", "its directory has 2147483647 bytes")


def test_zip64_and_comments_are_refused(tmp_path):
    plain = packed(tmp_path / "c.zip", GOOD.items()).read_bytes()
    (tmp_path / "z.zip").write_bytes(plain[:-22] + b"PK\6\7" + bytes(16) + plain[-22:])
    refused(tmp_path / "z.zip", tmp_path / "one", "zip64")
    (tmp_path / "k.zip").write_bytes(plain[:-2] + b"\2\0hi")
    refused(tmp_path / "k.zip", tmp_path / "two", "comment")


def test_a_zip_in_the_zip_stays_closed(tmp_path):
    inner = packed(tmp_path / "inner.zip", [("../escaped", b"x")]).read_bytes()
    source = packed(tmp_path / "c.zip", [("cells/a/firmware.elf", inner)])
    unpack(source, tmp_path / "out")
    assert (tmp_path / "out/cells/a/firmware.elf").read_bytes() == inner


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"PK\5\6" + bytes(17), b"PK\5\6" + bytes(18)])
def test_what_is_no_zip_is_refused_or_empty(tmp_path, content):
    (tmp_path / "c.zip").write_bytes(content)
    try:
        assert unpack(tmp_path / "c.zip", tmp_path / "out") == []
    except ClaimError as error:
        assert error.exit_code == 31


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=8))
@example([(256, 0)])  # a name that begins with NUL is empty to Python
def test_a_damaged_zip_never_makes_another_error(tmp_path_factory, changes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in GOOD.items():
            file.writestr(name, content)
    data = bytearray(buffer.getvalue())
    for at, value in changes:
        data[at % len(data)] = value
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "c.zip").write_bytes(data)
    try:
        names = unpack(folder / "c.zip", folder / "out")
    except ClaimError:
        return
    assert set(names) <= {name for name in names if archive.entry_of(name, set())}


def test_a_folder_is_held_to_the_same_rules(tmp_path):
    source = tmp_path / "claim"
    (source / "cells/a").mkdir(parents=True)
    (source / "claim.json").write_text(json.dumps({}))
    (source / "cells/a/model.json").symlink_to("/etc/passwd")
    refused(source, tmp_path / "one", "a link")
    (source / "cells/a/model.json").unlink()
    (source / "cells/b").symlink_to(tmp_path)
    refused(source, tmp_path / "two", "a link")
    (source / "cells/b").unlink()
    (source / "extra").write_text("")
    refused(source, tmp_path / "three", "no file of this name")


def test_a_folder_that_holds_something_is_not_written_to(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("")
    refused(packed(tmp_path / "c.zip", GOOD.items()), tmp_path / "out", "not empty")
