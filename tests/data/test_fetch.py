"""A list of sources, a cache and pins: what is trusted, what is fetched again, what is refused."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from hilgate.data.fetch import cache_folder, fetch
from hilgate.errors import DataError
from hilgate.task import Source

NOBODY = Source("files", "http://127.0.0.1:9/")  # the discard port: nothing listens


def test_the_first_source_that_answers(host, content, make_task, tmp_path, capsys):
    host.files["raw.bin.gz"] = gzip.compress(content)
    folder = fetch(make_task(content, NOBODY, host.source(".gz")), tmp_path / "cache")
    assert (folder / "raw.bin").read_bytes() == content
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "raw.bin"]
    assert "127.0.0.1:9" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_of_this_computer_are_copied_and_stay(content, make_task, tmp_path, monkeypatch, suffix):
    project = tmp_path / "project"
    (project / "readings").mkdir(parents=True)
    (project / "params.yaml").touch()
    own = project / "readings" / f"raw.bin{suffix}"
    own.write_bytes(gzip.compress(content) if suffix else content)
    monkeypatch.chdir(project / "readings")
    task = make_task(content, Source("folder", "readings", suffix=suffix))
    assert (fetch(task, tmp_path / "cache") / "raw.bin").read_bytes() == content
    own.write_bytes(b"of another day")
    with pytest.raises(DataError, match=r"raw.bin"):
        fetch(task, tmp_path / "other")
    assert own.read_bytes() == b"of another day"
    own.unlink()
    with pytest.raises(DataError, match=rf"{own}: cannot be read: No such file"):
        fetch(task, tmp_path / "other")


def test_cached_files_need_no_network(host, content, make_task, tmp_path):
    host.files["raw.bin"] = content
    fetch(make_task(content, host.source()), tmp_path)
    host.asked.clear()
    assert (fetch(make_task(content, NOBODY), tmp_path) / "raw.bin").read_bytes() == content
    assert host.asked == []


def test_no_network_and_no_cache(content, make_task, tmp_path):
    with pytest.raises(DataError) as caught:
        fetch(make_task(content, NOBODY), tmp_path)
    line = str(caught.value)
    assert "raw.bin" in line and str(tmp_path) in line and "cannot connect" in line
    assert line.endswith("you may put the files there yourself)")
    assert "\n" not in line and caught.value.exit_code == 4


def test_a_wrong_hash_is_refused_and_not_cached(host, content, make_task, tmp_path):
    host.files["raw.bin"] = b"x" + content[1:]
    with pytest.raises(DataError, match=r"raw.bin: wrong SHA-256 [0-9a-f]{16}\.\.\., expected [0-9a-f]{16}"):
        fetch(make_task(content, host.source()), tmp_path)
    assert not (tmp_path / "raw.bin").exists()


def test_a_wrong_size_is_refused(host, content, make_task, tmp_path):
    host.files["raw.bin"] = content[:-1]
    with pytest.raises(DataError, match="299999 bytes instead of 300000"):
        fetch(make_task(content, host.source()), tmp_path)


def test_files_that_arrived_stay_when_a_later_one_fails(host, content, make_task, tmp_path):
    first, second = (make_task(body, host.source(), name=name) for body, name in ((content, "a"), (content[:9], "b")))
    both = replace(first, files=first.files + second.files)
    host.files["a"] = content
    with pytest.raises(DataError, match=r"no source has b, and no cache .*404"):
        fetch(both, tmp_path)
    host.files["b"] = content[:9]
    host.asked.clear()
    fetch(both, tmp_path)
    assert host.asked == [("b", None)]


def test_a_damaged_cache_is_fetched_again(host, content, make_task, tmp_path, capsys):
    host.files["raw.bin"] = content
    (tmp_path / "raw.bin").write_bytes(content[:1000])
    assert (fetch(make_task(content, host.source()), tmp_path) / "raw.bin").read_bytes() == content
    assert "fetching it again" in capsys.readouterr().err


def test_half_a_download_resumes_in_the_next_run(host, content, packed, make_task, tmp_path):
    host.files["raw.bin.gz"], host.cuts = packed, [50_000] * 3
    task = make_task(content, host.source(".gz"))
    with pytest.raises(DataError, match="150000 bytes"):
        fetch(task, tmp_path)
    assert not (tmp_path / "raw.bin").exists()
    assert (fetch(task, tmp_path) / "raw.bin").read_bytes() == content
    assert host.asked[-1] == ("raw.bin.gz", "bytes=150000-")


def test_a_part_of_another_file_does_not_stick(host, content, packed, make_task, tmp_path):
    host.files["raw.bin.gz"] = packed
    (tmp_path / "raw.bin.gz.part").write_bytes(b"something else" * 100)
    assert (fetch(make_task(content, host.source(".gz")), tmp_path) / "raw.bin").read_bytes() == content
    assert [wanted for _, wanted in host.asked] == ["bytes=1400-", None]


def test_a_gzip_bomb_is_refused(host, make_task, tmp_path):
    host.files["raw.bin.gz"] = gzip.compress(b"\0" * 3_000_000)
    with pytest.raises(DataError, match="unpacks to more than 1000 bytes"):
        fetch(make_task(b"\0" * 1000, host.source(".gz")), tmp_path)


def test_a_file_that_is_no_gzip(host, content, make_task, tmp_path):
    host.files["raw.bin.gz"] = content
    with pytest.raises(DataError, match="not a whole gzip file"):
        fetch(make_task(content, host.source(".gz")), tmp_path)


def test_an_archive_from_a_host(host, content, make_task, make_tar, tmp_path):
    host.files["set.tgz"] = make_tar({"package/data/raw.bin": content})
    source = Source("archive", host.url + "set.tgz", folder="package/data", archive_bytes=1_000_000)
    assert (fetch(make_task(content, source), tmp_path) / "raw.bin").read_bytes() == content
    assert not (tmp_path / "set.tgz").exists()


def test_a_cache_that_cannot_be_written(content, make_task, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot be written.*HILGATE_CACHE"):
        fetch(make_task(content, NOBODY), tmp_path / "file" / "cache")


def test_an_unknown_kind_of_source(content, make_task, tmp_path):
    with pytest.raises(DataError, match=r"unknown kind of source `ftp`.*files, archive, npm"):
        fetch(make_task(content, Source("ftp", "host")), tmp_path)


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("HILGATE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder("digits") == tmp_path / "xdg" / "hilgate" / "digits"
    monkeypatch.setenv("HILGATE_CACHE", str(tmp_path / "own"))
    assert cache_folder("digits") == tmp_path / "own" / "digits"


def test_a_full_cache_is_used_where_nothing_can_be_written(content, make_task, tmp_path):
    (tmp_path / "raw.bin").write_bytes(content)
    (tmp_path / ".lock").mkdir()  # no lock can be had, as on a read-only disk
    assert fetch(make_task(content, NOBODY), tmp_path) == tmp_path
    with pytest.raises(DataError, match=r"cannot be written"):
        fetch(make_task(content + b"x", NOBODY), tmp_path)


def test_a_user_without_a_home(monkeypatch):
    for name in ("HILGATE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(DataError, match=r"no place for a cache.*set HILGATE_CACHE"):
        cache_folder("digits")


def test_a_part_of_another_archive_does_not_stick(host, content, make_task, make_tar, tmp_path):
    host.files["set.tgz"] = make_tar({"data/raw.bin": content})
    (tmp_path / "set.tgz.part").write_bytes(b"something else" * 100)
    source = Source("archive", host.url + "set.tgz", folder="data", archive_bytes=1_000_000)
    assert (fetch(make_task(content, source), tmp_path) / "raw.bin").read_bytes() == content
    assert [wanted for _, wanted in host.asked] == ["bytes=1400-", None]
