"""A real HTTP server on loopback that can misbehave, and tasks whose files it has."""

from __future__ import annotations

import gzip
import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from hilgate.task import Metric, RawFile, Source, Split, Task, TrainParams


@dataclass
class Host:
    """What the server has and how it behaves. cuts: for each next request, after how many bytes the line breaks."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def source(self, suffix: str = ""):
        return Source("files", self.url, suffix=suffix)


def handler(host: Host) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            host.asked.append((self.path[1:], wanted))
            body = host.files.get(self.path[1:])
            if body is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and host.ranges else 0
            if start >= len(body) > 0:
                self.send_error(416)
                return
            self.send_response(206 if wanted and host.ranges else 200)
            if wanted and host.ranges:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            end = start + host.cuts.pop(0) if host.cuts else len(body)
            self.wfile.write(body[start:end])
            self.close_connection = True

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
