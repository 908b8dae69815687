"""A real HTTP server on loopback that can misbehave, and tasks whose files it has."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from hilgate.task import Metric, RawFile, Source, Split, Task, TrainParams


@dataclass
class Host:
    """What the server has and how it behaves.

    cuts: for each next request, after how many bytes the line breaks. holds: for each next request, after how many
    bytes it waits for `go_on` (and says so with `holding`); -1: before it answers at all. moved: name -> where it is
    now. chunked: no length is told, but the end. lies: a range is answered with the whole file. headers: added to
    each answer.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    lies: bool = False
    chunked: bool = False
    cuts: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    holding: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def source(self, suffix: str = ""):
        return Source("files", self.url, suffix=suffix)


def handler(host: Host) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        close_connection = True

        def do_GET(self):
            name, wanted = self.path[1:], self.headers.get("Range")
            host.asked.append((name, wanted))
            hold = host.holds.pop(0) if host.holds else None
            if hold == -1:
                self.hold()
            if name in host.moved:
                self.send_response(302)
                self.send_header("Location", host.url + host.moved[name])
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()
            elif name not in host.files:
                self.send_error(404)
            else:
                self.answer(host.files[name], wanted if host.ranges else None, hold)
            self.close_connection = True

        def answer(self, body, wanted, hold):
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if start >= len(body) > 0:
                self.send_error(416)
                return
            self.send_response(206 if wanted else 200)
            headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if wanted else {}
            headers["Connection"] = "close"
            if wanted and host.lies:
                headers["Content-Range"] = f"bytes 0-{len(body) - 1}/{len(body)}"
                start = 0
            headers |= {"Transfer-Encoding": "chunked"} if host.chunked else {"Content-Length": str(len(body) - start)}
            for key, value in {**headers, **host.headers}.items():
                self.send_header(key, value)
            self.end_headers()
            end = start + host.cuts.pop(0) if host.cuts else len(body)
            if hold is not None:
                self.put(body[start : start + hold])
                self.hold()
                start += hold
            self.put(body[start:end])
            if host.chunked and end >= len(body):
                self.wfile.write(b"0\r\n\r\n")

        def put(self, part):
            frame = b"%x\r\n%b\r\n" % (len(part), part) if host.chunked and part else part
            with suppress(ConnectionError):  # nobody listens any more
                self.wfile.write(frame)
                self.wfile.flush()

        def hold(self):
            host.holding.set()
            host.go_on.wait(30)

        def log_message(self, *_):
            """Silent."""

    return Handler


@pytest.fixture
def host(monkeypatch):
    """The server, serving until the test ends."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    host = Host()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(host))
    host.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield host
    host.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def content() -> bytes:
    """300,000 bytes that do not compress."""
    return np.random.default_rng(7).bytes(300_000)


@pytest.fixture
def packed(content) -> bytes:
    return gzip.compress(content, mtime=0)


@pytest.fixture
def make_task():
    """A task whose raw file `raw.bin` is the given content."""

    def make(content: bytes, *sources: Source, name: str = "raw.bin") -> Task:
        return Task(
            name="small",
            files=(RawFile(name, hashlib.sha256(content).hexdigest(), len(content)),),
            sources=sources,
            data_params=TrainParams,
            split=lambda raw, params: {"train": Split(np.zeros(1), np.zeros(1))},
            preprocess=lambda x: x,
            train_params=TrainParams,
            network=lambda params: None,
            loss=lambda outputs, targets: None,
            metric=Metric("accuracy", lambda outputs, targets: outputs),
        )

    return make


@pytest.fixture
def make_tar():
    def make(members: dict[str, bytes]) -> bytes:
        """A .tgz with a link and a device, then these plain files."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for kind, name in ((tarfile.SYMTYPE, "package/data/link"), (tarfile.CHRTYPE, "package/data/device")):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                archive.addfile(info)
            for name, body in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))
        return buffer.getvalue()

    return make
