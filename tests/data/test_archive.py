"""Archives of every packing, damaged ones, and those that would fill the disk or the memory."""

from __future__ import annotations

import io
import tarfile

import pytest

from hilgate.data.fetch import fetch
from hilgate.errors import DataError
from hilgate.task import Source


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_archives_of_every_packing(host, content, make_task, tmp_path, mode):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        info = tarfile.TarInfo("data/raw.bin")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    source = Source("archive", host.url + "set", folder="data", archive_bytes=1_000_000)
    host.files["set"] = buffer.getvalue()
    assert (fetch(make_task(content, source), tmp_path / "a") / "raw.bin").read_bytes() == content
    for damaged in (host.files["set"][:-2000] if mode == "w:" else host.files["set"][:-30], b"BZ" + bytes(50), b""):
        host.files["set"] = damaged[: len(damaged) // 2]
        with pytest.raises(DataError, match="not a whole tar file"):
            fetch(make_task(content, source), tmp_path / "b")


def bomb(kind: str) -> bytes:
    """A small .tgz that would fill the disk or the memory: 20 MB, or 101 files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        if kind == "files":
            for number in range(101):
                archive.addfile(tarfile.TarInfo(f"data/{number}"))
        else:
            info = tarfile.TarInfo("elsewhere/large" if kind == "left out" else "data/raw.bin")
            info.size = 20_000_000
            if kind == "header":  # of a member that follows: tarfile reads it into memory
                info.type = tarfile.XHDTYPE
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["files", "one file", "left out", "header"])
def test_tar_bombs(host, make_task, tmp_path, monkeypatch, kind):
    monkeypatch.setattr("hilgate.data.archive.MOST_FILES", 100)
    host.files["set.tgz"] = bomb(kind)
    assert len(host.files["set.tgz"]) < 100_000
    source = Source("archive", host.url + "set.tgz", folder="data", archive_bytes=400_000)
    with pytest.raises(DataError, match="unpacks to more than"):
        fetch(make_task(b"x", source), tmp_path)
    assert not list(tmp_path.glob(".fetch"))
