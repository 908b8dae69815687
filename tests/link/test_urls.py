"""One session over any URL of pyserial, one session a port whatever it is called, and URLs that are none."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from serial import rfc2217
from serial.tools import list_ports

from hilgate.errors import GarbageError, LinkError, PortBusyError, PortMissingError, UsageError
from hilgate.link.connect import connect
from hilgate.link.contact import Options
from hilgate.link.session import Session
from hilgate.link.timing import Timing
from hilgate.link.transports import foreign_schemes, open_port, schemes

PATIENT = Options(timing=Timing(answer_s=20.0, open_s=60.0))  # however busy this computer is


@pytest.fixture
def pty_board(host_firmware: Path) -> Iterator[str]:
    """The firmware of this computer on a pseudo-terminal that it opens itself; gives the name of the port."""
    with subprocess.Popen([str(host_firmware), "--pty"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as board:
        assert board.stdout
        yield board.stdout.readline().decode().split()[-1]
        board.kill()


def whole_session(session: Session) -> None:
    x = bytes(i % 251 for i in range(session.identity.input_bytes))
    assert session.run_vector(x).output == session.infer().output
    assert len(session.profile()) == session.identity.layers
    assert session.echo(bytes(range(256))) == bytes(range(256))


def test_pyserial_brings_what_we_think_it_does() -> None:
    assert {"alt", "hwgrep", "loop", "rfc2217", "spy"} <= set(foreign_schemes())
    assert not set(foreign_schemes()) & set(schemes())


@pytest.mark.parametrize("form", ["{}", "spy://{}?file=/dev/null", "alt://{}?class=VTIMESerial"])
def test_a_device_by_its_name_and_by_urls(pty_board: str, form: str) -> None:
    with connect(form.format(pty_board), options=PATIENT) as session:
        whole_session(session)
        for other in ("{}", "spy://{}", "alt://{}"):  # two sessions on one port, however it is called
            with pytest.raises(PortBusyError, match="another program has this port open"):
                open_port(other.format(pty_board))
        assert session.echo(b"still mine") == b"still mine"


def test_a_device_by_what_is_known_of_its_hardware(pty_board: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attached = [(pty_board, "STM32 STLink", "USB VID:PID=0483:374B SER=0669FF")]
    monkeypatch.setattr(list_ports, "grep", lambda pattern: [port for port in attached if pattern in port[2]])
    with connect("hwgrep://0669FF", options=PATIENT) as session:
        whole_session(session)
    with pytest.raises(PortMissingError, match="no attached port matches"):
        open_port("hwgrep://0669EE")


class Rfc2217Server(threading.Thread):
    """pyserial's own server side of RFC 2217 in front of a port, for one client."""

    def __init__(self, port: str) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = open_port(port)
        self.port.timeout, self.ended = 0.01, threading.Event()
        self.url = f"rfc2217://127.0.0.1:{self.listener.getsockname()[1]}"

    def write(self, data: bytes) -> None:
        self.client.sendall(data)

    def run(self) -> None:
        self.client, _ = self.listener.accept()
        manager = rfc2217.PortManager(self.port, self)
        reader = threading.Thread(target=self.read_port, args=(manager,), daemon=True)
        reader.start()
        with suppress(ConnectionError):
            while data := self.client.recv(4096):
                self.port.write(b"".join(manager.filter(data)))
        self.ended.set()
        reader.join()
        for end in (self.client, self.listener, self.port):
            end.close()

    def read_port(self, manager: rfc2217.PortManager) -> None:
        with suppress(ConnectionError):
            while not self.ended.is_set():
                if data := self.port.read(self.port.in_waiting or 1):
                    self.write(b"".join(manager.escape(data)))


@pytest.mark.filterwarnings("ignore:.*setDaemon.*:DeprecationWarning", "ignore:.*setName.*:DeprecationWarning")
def test_a_session_over_rfc2217(url: str) -> None:
    """A serial port of another computer; such a port has no write time-out, and refuses changes while one is set."""
    server = Rfc2217Server(url)
    server.start()
    with connect(server.url, options=PATIENT) as session:
        whole_session(session)
        session.set_baud(460800)
        assert session.echo(b"at whatever rate") == b"at whatever rate"
    server.join()


def test_a_port_that_sends_back_what_it_gets() -> None:
    with pytest.raises(GarbageError, match="does not speak hilgate's protocol"):
        connect("loop://", options=Options(timing=Timing(answer_s=0.01, open_s=0.1)))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "the name of the port is empty"),
        (" ", "the name of the port is empty"),
        ("://", "no way to a board is called ``"),
        ("nosuch://board", "no way to a board is called `nosuch`"),
        ("socket://", "host or port number is missing"),
        ("socket://127.0.0.1", "host or port number is missing"),
        ("socket://:5000", "host or port number is missing"),
        ("socket://127.0.0.1:x", "this is no URL: Port could not be cast"),
        ("socket://127.0.0.1:65536", "this is no URL: Port out of range"),
        ("rfc2217://127.0.0.1", "host or port number is missing"),
        ("virtual://[nucleo?image=x", "this is no URL: Invalid IPv6"),
        ("virtual://?image=x", "not a virtual board"),
    ],
)
def test_a_url_that_is_none(url: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_port(url)
    assert says in caught.value.what and caught.value.hint and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "kind", "says"),
    [
        ("/dev/null", LinkError, "this is no serial port"),
        ("/", LinkError, "this is no serial port"),
        ("spy:///dev/ttyACM99", PortMissingError, "there is no such port"),
        ("SOCKET://127.0.0.1:1", PortMissingError, "nobody offers this port: Connection refused"),
        ("rfc2217://127.0.0.1:1?nonsense", LinkError, "cannot be opened"),
        ("socket://name.invalid:1", PortMissingError, "nobody offers this port"),
    ],
)
def test_a_port_that_is_none(url: str, kind: type[LinkError], says: str) -> None:
    with pytest.raises(LinkError) as caught:
        open_port(url)
    assert type(caught.value) is kind
    assert says in caught.value.what and caught.value.hint and "\n" not in str(caught.value)


HOLD = """
import sys
from hilgate.link.transports import open_port
port = open_port(sys.argv[1])
print("open", flush=True)
input()
"""


@pytest.mark.parametrize("kind", ["device", "socket"])
def test_a_session_that_was_killed_leaves_no_lock(pty_board: str, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = pty_board if kind == "device" else f"socket://127.0.0.1:{server.getsockname()[1]}"
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout
            assert other.stdout.readline() == b"open\n"
            with pytest.raises(PortBusyError):
                open_port(url)
            other.send_signal(signal.SIGKILL)
        open_port(url).close()


@pytest.mark.parametrize(("mode", "hint"), [(0o660, "usermod -aG {group} $USER"), (0o600, "usermod -aG dialout $USER")])
def test_a_port_without_permission(mode: int, hint: str) -> None:
    """A user who is not in the group that owns it, in a process of its own, because root may open everything."""
    import grp

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    port, group = os.ttyname(theirs), grp.getgrnam("dialout" if os.getuid() == 0 else grp.getgrgid(os.getgid()).gr_name)
    if os.getuid() == 0:
        os.chown(port, 0, group.gr_gid)
    Path(port).chmod(mode if os.getuid() == 0 else mode & 0o070)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest may run in here
        said = "it was opened"
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            open_port(port)
        except LinkError as error:
            said = f"{type(error).__name__}|{error}"
        except BaseException as error:
            said = repr(error)
        os.write(write_end, said.encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(read_end, 4096).decode()
    for end in (ours, theirs, read_end, write_end):
        os.close(end)
    assert said.startswith(f"LinkError|{port}: no permission to open this port (add yourself to the group that owns it")
    assert hint.format(group=group.gr_name) in said


@pytest.mark.qemu
def test_qemu_ends_with_a_session_that_was_killed(tmp_path: Path) -> None:
    """Else it would go on for ever, with a core of this computer for itself."""
    image = tmp_path / "firmware.elf"
    image.write_bytes(bytes.fromhex("0010002009000000fee7"))  # stack, reset vector, and there: branch to itself
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, f"qemu://netduinoplus2?image={image}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with held:
        assert held.stdout and held.stderr
        if held.stdout.readline() != b"open\n":
            pytest.fail(held.stderr.read().decode())
        [child] = Path(f"/proc/{held.pid}/task/{held.pid}/children").read_text().split()
        assert "qemu" in Path(f"/proc/{child}/cmdline").read_text()
        held.send_signal(signal.SIGKILL)
    for _ in range(6000):  # the kernel's signal takes no time worth a name; this computer may
        if not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        threading.Event().wait(0.01)
    os.kill(int(child), signal.SIGKILL)
    pytest.fail("QEMU lives on")
