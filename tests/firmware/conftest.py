"""A raw peer that speaks the wire format by itself (package cobs, zlib), and the devices it talks to."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import struct
import subprocess
import time
import tomllib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from cobs import cobs

from hilgate.build.build import BuiltImage, build_image
from hilgate.build.host import build_host_firmware
from hilgate.catalogue import load_board

EVENT, ERROR = 0x70, 0x7F


@dataclass(frozen=True)
class Frame:
    opcode: int
    sequence: int
    body: bytes

    @property
    def status(self) -> int:
        return self.body[0]

    @property
    def detail(self) -> int:
        return int(struct.unpack("<I", self.body[1:5])[0])


def encode(opcode: int, sequence: int, body: bytes) -> bytes:
    data = struct.pack("<BH", opcode, sequence) + body
    return cobs.encode(data + struct.pack("<I", zlib.crc32(data))) + b"\0"


def decode(wire: bytes) -> Frame:
    data = cobs.decode(wire)
    assert zlib.crc32(data[:-4]) == struct.unpack("<I", data[-4:])[0], "the device sent a bad CRC"
    opcode, sequence = struct.unpack("<BH", data[:3])
    return Frame(opcode, sequence, data[3:-4])


class Peer:
    """One end of a link. `read_fd`, `write`: the other end's bytes."""

    def __init__(self, read_fd: int, write: Callable[[bytes], object]) -> None:
        self.read_fd, self.write_bytes, self.buffer, self.sequence = read_fd, write, b"", 0x20

    def receive_wire(self, timeout_s: float = 20.0) -> bytes:
        end = time.monotonic() + timeout_s
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read_fd], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the device is silent"
            got = os.read(self.read_fd, 4096)
            assert got, "the device is gone"
            self.buffer += got
        wire, self.buffer = self.buffer.split(b"\0", 1)
        return wire

    def receive(self, timeout_s: float = 20.0) -> Frame:
        return decode(self.receive_wire(timeout_s))

    def is_silent(self, seconds: float = 0.1) -> bool:
        return not self.buffer and not select.select([self.read_fd], [], [], seconds)[0]

    def send(self, opcode: int, body: bytes = b"", sequence: int | None = None) -> int:
        if sequence is None:
            sequence = self.sequence
            self.sequence = (sequence + 1) & 0xFFFF
        self.write_bytes(encode(opcode, sequence, body))
        return sequence

    def call(self, opcode: int, body: bytes = b"", sequence: int | None = None) -> Frame:
        """One command; skips error events that an earlier mess left behind."""
        sent = self.send(opcode, body, sequence)
        while True:
            answer = self.receive()
            if answer.opcode not in (EVENT, ERROR):
                assert (answer.opcode, answer.sequence) == (opcode | 0x80, sent)
                return answer

    def identify(self) -> SimpleNamespace:
        answer = self.call(0x01, b"\x01\x00")
        assert answer.status == 0
        names = (
            "version board_id state clock_source reset_cause counter clock_hz baud input_bytes output_bytes layers "
            "image_ok fault_pending uid image_hash architecture_hash weights_hash"
        )
        return SimpleNamespace(
            **dict(zip(names.split(), struct.unpack("<HHBBBBIIIIHBB12s32s16s32s", answer.body[1:]), strict=True))
        )

    def load(self, data: bytes) -> None:
        assert self.call(0x03, bytes(4) + data).status == 0

    def drain(self) -> None:
        """Throw away what the device has to say, until it is silent."""
        self.buffer = b""
        while select.select([self.read_fd], [], [], 0.2)[0]:
            os.read(self.read_fd, 65536)


class FixtureModel:
    """What tests/firmware/fixture_model computes, in Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blob = (folder / "weights.bin").read_bytes()

    def _weights(self, at: int, count: int) -> list[int]:
        return list(struct.unpack(f"{count}b", self.blob[at : at + count]))

    def layers(self, data: bytes) -> list[bytes]:
        x = list(struct.unpack("8b", data))
        hidden = self._dense(self._weights(64, 48), x, 6)
        return [struct.pack("6b", *hidden), struct.pack("4b", *self._dense(self._weights(112, 24), hidden, 4))]

    def run(self, data: bytes) -> bytes:
        return self.layers(data)[1]

    @staticmethod
    def _dense(weights: list[int], x: list[int], outputs: int) -> list[int]:
        n = len(x)
        sums = (sum(weights[o * n + i] * x[i] for i in range(n)) >> 4 for o in range(outputs))
        return [max(-128, min(127, s)) for s in sums]


@pytest.fixture(scope="session")
def model(root: Path) -> FixtureModel:
    return FixtureModel(root / "tests/firmware/fixture_model")


@pytest.fixture(scope="session")
def protocol(root: Path) -> dict:
    return tomllib.loads((root / "firmware/protocol.toml").read_text("utf-8"))


@pytest.fixture(scope="session")
def host_program(root: Path, model: FixtureModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with the fixture model for this computer, with ASan and UBSan."""
    out = tmp_path_factory.mktemp("host") / "firmware"
    return build_host_firmware(model.folder, root / "firmware", out, sanitize=True)


@pytest.fixture(scope="session")
def virtual_image(
    root: Path, model: FixtureModel, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], BuiltImage]:
    """The fixture model's image for a board by name, built once."""

    @cache
    def built(name: str) -> BuiltImage:
        return build_image(
            load_board(name, root), model.folder, tmp_path_factory.mktemp(name), firmware=root / "firmware"
        )

    return built


@pytest.fixture
def fresh(host_program: Path) -> Iterator[Peer]:
    """A device that just started and was not spoken to. It must end well: exit code 0, no sanitizer report."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        errors = subprocess.PIPE
        child = subprocess.Popen([str(host_program)], stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=errors)
        theirs.close()
        try:
            yield Peer(ours.fileno(), ours.sendall)
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            _, said = child.communicate(timeout=20)
    assert child.returncode == 0, said.decode()
    assert not said, said.decode()


@pytest.fixture
def device(fresh: Peer) -> Peer:
    """A device that is identified: its sequence runs."""
    fresh.identify()
    return fresh


@contextlib.contextmanager
def qemu(elf: Path) -> Iterator[Peer]:
    """QEMU's netduinoplus2 running an image, its first UART as a peer."""
    program = shutil.which("qemu-system-arm")
    assert program, "qemu-system-arm is not installed: apt-get install qemu-system-arm"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        console = f"socket,id=console,host=127.0.0.1,port={listener.getsockname()[1]},nodelay=on"
        command = [program, "-M", "netduinoplus2", "-display", "none", "-monitor", "none", "-chardev", console]
        child = subprocess.Popen([*command, "-serial", "chardev:console", "-kernel", str(elf)])
        try:
            connection, _ = listener.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                yield Peer(connection.fileno(), connection.sendall)
        finally:
            child.kill()
            child.wait(timeout=20)


@pytest.fixture(scope="session")
def start_qemu() -> Callable[[Path], contextlib.AbstractContextManager[Peer]]:
    return qemu


@pytest.fixture(scope="session")
def peer_type() -> type[Peer]:
    return Peer
