"""Downloads over a real server that cuts, forgets ranges, lies and vanishes."""

from __future__ import annotations

import resource
import socket

import pytest

from hilgate.data.download import ATTEMPTS, Download, download
from hilgate.errors import DataError

LIMIT = 400_000


@pytest.fixture
def job(host, content, tmp_path):
    host.files["set.bin"] = content
    return Download(host.url + "set.bin", tmp_path / "set.bin", LIMIT)


def test_a_whole_file_arrives_and_progress_is_told(job, content):
    told = []
    download(job, lambda done, total: told.append((done, total)))
    assert job.path.read_bytes() == content
    assert not job.part.exists()
    assert told[-1] == (len(content), len(content))
    assert told == sorted(told)


def test_a_cut_line_is_taken_up_where_it_broke(job, host, content):
    host.cuts = [100_000]
    download(job)
    assert job.path.read_bytes() == content
    assert host.asked == [("set.bin", None), ("set.bin", "bytes=100000-")]


def test_a_line_that_keeps_breaking_leaves_a_part_and_no_file(job, host, content):
    host.cuts = [10_000] * ATTEMPTS
    with pytest.raises(DataError, match=f"{10_000 * ATTEMPTS} bytes and {ATTEMPTS} attempts.*resumes"):
        download(job)
    assert not job.path.exists()
    assert job.part.read_bytes() == content[: 10_000 * ATTEMPTS]
    download(job)
    assert job.path.read_bytes() == content
    assert host.asked[-1] == ("set.bin", f"bytes={10_000 * ATTEMPTS}-")


def test_a_server_without_ranges_sends_it_all_again(job, host, content):
    host.ranges, host.cuts = False, [100_000]
    download(job)
    assert job.path.read_bytes() == content
    assert host.asked[-1] == ("set.bin", "bytes=100000-")


def test_a_part_longer_than_the_file_is_dropped(job, content):
    job.part.write_bytes(b"x" * (len(content) + 1))
    download(job)
    assert job.path.read_bytes() == content


def test_a_file_over_its_limit_is_refused(host, content, tmp_path):
    host.files["set.bin"] = content
    job = Download(host.url + "set.bin", tmp_path / "set.bin", limit_bytes=200_000)
    with pytest.raises(DataError, match="longer than the 200000 bytes"):
        download(job)
    assert not job.path.exists()
    assert job.part.stat().st_size == 0


def test_what_the_server_does_not_have(host, tmp_path):
    with pytest.raises(DataError, match="404"):
        download(Download(host.url + "none", tmp_path / "none", LIMIT))


def test_nobody_listens(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/set.bin"
    with pytest.raises(DataError, match=r"cannot connect.*refused") as caught:
        download(Download(url, tmp_path / "set.bin", LIMIT))
    assert caught.value.where == url


def test_a_disk_that_takes_no_more(job):
    """The kernel refuses to write past RLIMIT_FSIZE, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(DataError, match=r"cannot be written.*free some space"):
            download(job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not job.path.exists()
