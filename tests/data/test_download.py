"""Downloads over a real server that cuts, forgets ranges, lies and vanishes."""

from __future__ import annotations

import resource
import socket

import pytest
import requests

from hilgate.data.download import ATTEMPTS, CHUNK_BYTES, Download, download
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


def test_a_server_that_sends_another_range_than_was_asked_for(job, host, content):
    host.lies, host.cuts = True, [100_000]
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
    assert not job.part.exists()


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


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_line_cut_after_any_number_of_bytes(host, tmp_path, monkeypatch, ranges, chunked):
    """Each cut by count: before the first byte, inside and between the written pieces, before the last byte."""
    monkeypatch.setattr("hilgate.data.download.CHUNK_BYTES", 8)
    body = bytes(range(33))
    host.files["set.bin"], host.ranges, host.chunked = body, ranges, chunked
    for first in range(len(body)):
        host.asked.clear()
        host.cuts = [first]
        job = Download(host.url + "set.bin", tmp_path / f"{first}.bin", LIMIT)
        download(job)
        assert job.path.read_bytes() == body
        assert not job.part.exists()
        assert host.asked == [("set.bin", None), ("set.bin", f"bytes={first}-" if first else None)]


def test_a_line_that_stalls_is_given_up_and_taken_up_again(job, host, content, monkeypatch):
    get, patience_s = requests.get, iter([0.5])  # short for the first request only: a busy machine may be slow
    monkeypatch.setattr(requests, "get", lambda *a, **k: get(*a, **{**k, "timeout": next(patience_s, k["timeout"])}))
    host.holds = [100_000]
    try:
        download(job)
    except DataError:  # on a machine so busy that not even the first bytes came in time
        download(job)
    assert job.path.read_bytes() == content
    assert len(host.asked) == 2
    assert host.asked[1] in {("set.bin", None), ("set.bin", f"bytes={CHUNK_BYTES}-")}  # whole pieces are kept


def test_a_server_that_does_not_answer(job, host, monkeypatch):
    monkeypatch.setattr("hilgate.data.download.TIMEOUT_S", (5, 0.1))
    host.holds = [-1]
    with pytest.raises(DataError, match=r"the download failed: .*timed out"):
        download(job)


def test_a_file_that_has_moved(job, host, content):
    host.moved = {"set.bin": "new/set.bin"}
    host.files["new/set.bin"] = host.files.pop("set.bin")
    download(job)
    assert job.path.read_bytes() == content
    host.moved = {"set.bin": "set.bin"}
    with pytest.raises(DataError, match="the download failed: Exceeded 30 redirects"):
        download(job)


def test_a_server_that_calls_gz_files_an_encoding(job, host, packed):
    """As Apache does with `AddEncoding x-gzip .gz`: the file itself is wanted, and may be taken up where it broke."""
    host.headers, host.cuts = {"Content-Encoding": "gzip"}, [50_000]
    host.files["set.bin"] = packed
    download(job)
    assert job.path.read_bytes() == packed
    assert host.asked[-1] == ("set.bin", "bytes=50000-")


def test_a_length_over_the_limit_costs_no_disk_and_keeps_the_part(job, host):
    job.part.write_bytes(b"x" * 10)
    host.files["set.bin"] = bytes(LIMIT + 1)
    with pytest.raises(DataError, match=f"longer than the {LIMIT} bytes"):
        download(job)
    assert job.part.read_bytes() == b"x" * 10
    host.chunked = True  # without a length it is found out on the way
    with pytest.raises(DataError, match=f"longer than the {LIMIT} bytes"):
        download(job)
    assert job.part.stat().st_size == 0 and not job.path.exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://{at}/set.bin", r"cannot connect: .*SSL"),  # it speaks no TLS
        ("ftp://{at}/set.bin", "the download failed: No connection adapters"),
        ("http://", "the download failed: Invalid URL"),
        (f"http://{'a' * 70}.example/", "the download failed: .*label"),
        ("http://nobody.invalid/", "cannot connect: .*nobody.invalid"),
    ],
)
def test_addresses_that_lead_nowhere(host, tmp_path, monkeypatch, url, message):
    monkeypatch.setenv("NO_PROXY", "*")
    url = url.format(at=host.url.split("/")[2])
    with pytest.raises(DataError, match=message) as caught:
        download(Download(url, tmp_path / "set.bin", LIMIT))
    assert caught.value.where == url and "\n" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_named_as_the_reason(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DataError, match=r"cannot reach it through the proxy: .*refused"):
        download(Download("http://example.invalid/set.bin", tmp_path / "set.bin", LIMIT))
