"""Received bytes that were lost: the device says so, forgets the half frame, and goes on."""

from __future__ import annotations

import fcntl
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

from hilgate.hostc import WARNINGS

ECHO, MEMORY, ERROR_EVENT, OVERRUN = 2, 7, 0x7F, 9


@pytest.fixture
def losing(root, model, peer_type, tmp_path):
    """A device that loses bytes at each SIGUSR1, and the process it is."""
    firmware, here = root / "firmware", root / "tests/firmware/console"
    sources = [*sorted((firmware / "src").glob("*.c")), *(firmware / f"port/host/{n}.c" for n in ("life", "start"))]
    sources += [here / "overruns.c", model.folder / "model.c", model.folder / "weights.c"]
    includes = [f"-I{folder}" for folder in (firmware / "src", firmware / "port/host", model.folder)]
    program = tmp_path / "losing"
    subprocess.run(["gcc", *WARNINGS, "-O1", *includes, *map(str, sources), "-o", str(program)], check=True)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            child = subprocess.Popen([str(program)], stdin=theirs.fileno(), stdout=theirs.fileno())
        yield peer_type(ours.fileno(), ours.sendall), child, ours.fileno()
        child.kill()
        child.wait(timeout=20)


def wait_until_read(wire: int) -> None:
    """Until the other end has taken every byte: a loss is noticed between reads, and must come after the half frame."""
    end = time.monotonic() + 60
    while struct.unpack("i", fcntl.ioctl(wire, termios.TIOCOUTQ, bytes(4)))[0]:
        assert time.monotonic() < end, "the device reads nothing"
        time.sleep(0.001)


def test_a_loss_is_reported_and_survived(losing):
    device, child, wire = losing
    device.identify()
    for number in (1, 2):
        device.write_bytes(b"\x20half a frame")
        wait_until_read(wire)
        child.send_signal(signal.SIGUSR1)
        event = device.receive()
        assert (event.opcode, event.sequence, event.status, event.detail) == (ERROR_EVENT, 0xFFFF, OVERRUN, number)
        assert device.call(ECHO, b"whole").body == b"\0whole", "the half frame was not forgotten"
    assert struct.unpack("<5I", device.call(MEMORY).body[1:])[4] == 2
