"""Ports that are not there, busy, silent, noisy or gone: each one clear line and its own error."""

from __future__ import annotations

import errno
import os
import pty
import random
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import serial

from hilgate.errors import (
    GarbageError,
    HilgateError,
    LinkError,
    LostError,
    PortBusyError,
    PortMissingError,
    SilentError,
    UsageError,
)
from hilgate.link.campaign import QUICK, play
from hilgate.link.connect import connect
from hilgate.link.contact import Options
from hilgate.link.lossy import LossyPort
from hilgate.link.session import Session
from hilgate.link.timing import Timing
from hilgate.link.transports import _explain, open_port, schemes

OPTIONS = Options(timing=QUICK)
PATIENT = Options(timing=Timing(answer_s=20.0, open_s=60.0))  # however busy this computer is


def one_clear_line(error: HilgateError, where: str) -> bool:
    """What, where and what to do, on one line."""
    return bool(error.what) and where in error.where and bool(error.hint) and "\n" not in str(error)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: our end, and the name of the port at the other."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(theirs)
    try:
        os.close(ours)
    except OSError as error:
        assert error.errno == errno.EBADF  # the test has unplugged it


class Cable(threading.Thread):
    """Carries bytes between a pseudo-terminal and the firmware, until it is cut or the board has sent `cut_after`."""

    def __init__(self, terminal: int, program: Path, cut_after: int | None = None) -> None:
        super().__init__(daemon=True)
        self.terminal, self.cut_after, self.cut = terminal, cut_after, threading.Event()
        self.port = open_port(f"host://?program={program}")
        self.port.timeout = 0.01
        os.set_blocking(terminal, False)

    def run(self) -> None:
        carried = 0
        while not self.cut.is_set() and (self.cut_after is None or carried < self.cut_after):
            try:
                self.port.write(os.read(self.terminal, 4096))
            except BlockingIOError:
                pass
            except OSError:
                time.sleep(0.01)  # EIO while nobody has the other end open
            data = self.port.read(1)
            data += self.port.read(self.port.in_waiting) if data else b""
            carried += len(data)
            os.write(self.terminal, data)
        self.port.close()
        if self.cut_after is not None:
            os.close(self.terminal)


def test_a_port_that_does_not_exist() -> None:
    with pytest.raises(PortMissingError) as caught:
        open_port("/dev/ttyACM99")
    assert one_clear_line(caught.value, "/dev/ttyACM99")
    assert "hilgate ports" in caught.value.hint


def test_a_port_that_is_busy(terminal: tuple[int, str]) -> None:
    code = "import sys, serial; p = serial.Serial(sys.argv[1], exclusive=True); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, terminal[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout and other.stdin
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(PortBusyError) as caught:
            open_port(terminal[1])
        assert one_clear_line(caught.value, terminal[1])
        other.stdin.close()
    open_port(terminal[1]).close()


def test_a_port_without_permission() -> None:
    error = _explain("/dev/ttyACM0", serial.SerialException(errno.EACCES, "could not open port"))
    assert type(error) is LinkError
    assert "dialout" in error.hint


def test_a_file_that_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a port")
    with pytest.raises(LinkError, match="this is no serial port"):
        open_port(str(tmp_path / "file"))


def test_a_silent_port(terminal: tuple[int, str]) -> None:
    with pytest.raises(SilentError) as caught:
        connect(terminal[1], options=OPTIONS)
    assert one_clear_line(caught.value, terminal[1])
    open_port(terminal[1]).close()  # it was closed, and is free


@pytest.mark.parametrize("rubbish", ["echo", "random", "text"])
def test_a_port_that_answers_rubbish(terminal: tuple[int, str], rubbish: str) -> None:
    stop, source = threading.Event(), random.Random(3)

    def babble() -> None:
        os.set_blocking(terminal[0], False)
        while not stop.wait(0.005):
            try:
                heard = os.read(terminal[0], 4096)
                data = {"echo": heard, "random": source.randbytes(200), "text": b"BusyBox v1.36 login:\r\n"}[rubbish]
                os.write(terminal[0], data)
            except OSError:
                continue  # nothing to read, or nobody reads

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        error: Exception = SilentError("")
        while isinstance(error, SilentError):  # on a busy computer nobody may come to speak in time
            with pytest.raises((GarbageError, SilentError)) as caught:
                connect(terminal[1], options=OPTIONS)
            error = caught.value
    finally:
        stop.set()
        thread.join()
    assert isinstance(error, GarbageError)
    assert one_clear_line(error, terminal[1])


def test_a_whole_session_over_a_serial_device(terminal: tuple[int, str], host_firmware: Path) -> None:
    cable = Cable(terminal[0], host_firmware)
    cable.start()
    with connect(terminal[1], options=PATIENT) as session:
        x = bytes(session.identity.input_bytes)
        assert session.run_vector(x).output == session.infer().output
        with pytest.raises(PortBusyError):  # two sessions on one port
            connect(terminal[1], options=OPTIONS)
        assert session.echo(b"still mine") == b"still mine"
    cable.cut.set()
    cable.join()


@pytest.mark.parametrize("cut_after", [60, 200, 500, 900])
def test_a_board_that_is_unplugged_half_way(terminal: tuple[int, str], host_firmware: Path, cut_after: int) -> None:
    cable = Cable(terminal[0], host_firmware, cut_after)
    cable.start()
    with pytest.raises((LostError, GarbageError)) as caught, connect(terminal[1], options=PATIENT) as session:
        x = bytes(session.identity.input_bytes)
        while True:
            session.run_vector(x)
    cable.cut.set()
    cable.join()
    assert one_clear_line(caught.value, terminal[1])


def test_a_port_that_disappears_after_every_byte(url: str) -> None:
    """Unplugged after byte 0, 11, 22, ...: always LostError, never a hang, and the next session finds the board."""
    total = play(url).traffic["in"][0]
    for gone_after in range(0, total, 11):
        port = LossyPort(open_port(url), gone_after=gone_after)
        with pytest.raises(LostError) as caught, Session(port, url, OPTIONS) as session:
            session.run_vector(bytes(session.identity.input_bytes))
            session.profile()
            while True:
                session.echo(bytes(200))
        assert one_clear_line(caught.value, "host://")
    assert play(url).answers


def test_a_program_that_ends_says_why(tmp_path: Path) -> None:
    program = tmp_path / "firmware"
    program.write_text("#!/bin/sh\nsleep 0.1\necho the model does not fit >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(LostError, match="exit code 3: the model does not fit"):
        connect(f"host://?program={program}", options=PATIENT)


def listener() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)  # when a test fails before it connects
    return server


def test_a_tcp_port_where_nobody_listens() -> None:
    with listener() as server:
        address = f"socket://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(PortMissingError, match="nobody offers this port: Connection refused") as caught:
        open_port(address)
    assert one_clear_line(caught.value, address)


def test_two_sessions_on_one_tcp_port() -> None:
    with listener() as server:
        address = f"socket://127.0.0.1:{server.getsockname()[1]}"
        first = open_port(address)
        with pytest.raises(PortBusyError) as caught:
            open_port(address)
        assert one_clear_line(caught.value, address)
        first.close()
        open_port(address).close()


def test_a_lock_folder_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for temporary files is everybody's; a link laid there must not make us write elsewhere."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"hilgate-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(LinkError, match="belongs to somebody else"):
        open_port("socket://127.0.0.1:1")


def test_a_tcp_port_that_hangs_up() -> None:
    with listener() as server:
        address = f"socket://127.0.0.1:{server.getsockname()[1]}"

        def hang_up() -> None:
            with suppress(OSError):
                server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(LostError) as caught:
            connect(address, options=PATIENT)
        thread.join()
    assert one_clear_line(caught.value, address)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://board", "no way to a board is called `ftp`"),
        ("qemu://netduinoplus2", "the option `image` is missing"),
        ("qemu://netduinoplus2?image=/nowhere.elf", "no such image"),
        ("qemu://?image=/nowhere.elf", "machine's name is missing"),
        ("host://?program=/nowhere", "no such program"),
    ],
)
def test_a_url_that_says_too_little(address: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        open_port(address)
    assert one_clear_line(caught.value, "")


@pytest.mark.qemu
def test_qemu_that_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "firmware.elf").write_bytes(b"not an ELF")
    with pytest.raises(LinkError, match=r"QEMU did not start: .*unsupported machine type"):
        open_port(f"qemu://nosuchmachine?image={tmp_path / 'firmware.elf'}")


def test_every_scheme_has_its_module() -> None:
    assert {"host", "qemu", "socket", "virtual"} <= set(schemes())
