"""`hilgate run --on`: ports that fail, and what must not be taken for a board, each in one clear line."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from hilgate.artifacts import artifact, read_json
from hilgate.errors import DeviceError, LostError
from hilgate.link import connect as connect_module
from hilgate.link.connect import connect
from hilgate.link.contact import Options
from hilgate.link.frames import Frame, encode
from hilgate.link.lossy import LossyPort
from hilgate.link.protocol import Op
from hilgate.link.session import Session
from hilgate.link.timing import TIMING, Timing
from hilgate.link.transports import open_port
from hilgate.params import Params
from hilgate.run import clock
from hilgate.run import run as run_module
from hilgate.run.clock import check_clock
from hilgate.run.identity import check_real
from hilgate.run.run import execute
from hilgate.run.subject import load_subject

pytestmark = pytest.mark.arm
NUCLEO, QEMU = "blobs_nucleo_f446re", "blobs_qemu_stm32f405"


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_port_that_does_not_exist(hilgate) -> None:
    code, line = hilgate("run", NUCLEO, "--on", "/dev/ttyACM99")
    assert code == 21
    assert line == "hilgate: /dev/ttyACM99: there is no such port (`hilgate ports` lists what is attached)"


def test_a_busy_port(hilgate, terminal: tuple[int, str]) -> None:
    import serial

    with serial.Serial(terminal[1], exclusive=True):
        code, line = hilgate("run", NUCLEO, "--on", terminal[1])
    assert code == 22
    assert "another program has this port open" in line


def test_a_silent_port(hilgate, terminal: tuple[int, str]) -> None:
    code, line = hilgate("run", NUCLEO, "--on", terminal[1])
    assert code == 23
    assert "nothing answers" in line


@pytest.fixture
def stranger() -> Iterator[Callable[[bytes], str]]:
    """A server that says something to whoever comes, or hangs up at once; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def talk(words: bytes) -> None:
            with suppress(OSError):  # the listener is closed at the end of the test
                while True:
                    with suppress(ConnectionError), server.accept()[0] as connection:
                        while words:
                            connection.sendall(words)
                            if not connection.recv(1000):
                                break

        def start(words: bytes) -> str:
            pool.submit(talk, words)
            return f"socket://127.0.0.1:{server.getsockname()[1]}"

        yield start
        server.shutdown(socket.SHUT_RDWR)


def test_a_port_that_talks_something_else(hilgate, stranger: Callable[[bytes], str]) -> None:
    address, code = stranger(b"220 smtp ready\r\n"), 23
    while code == 23:  # on a busy computer the stranger may not come to speak in time
        code, line = hilgate("run", NUCLEO, "--on", address)
    assert code == 24
    assert "does not speak hilgate's protocol; it says '220 smtp ready" in line


def test_a_board_that_goes_away(hilgate, stranger: Callable[[bytes], str]) -> None:
    address, code = stranger(b""), 23
    while code == 23:
        code, line = hilgate("run", NUCLEO, "--on", address)
    assert code == 25
    assert "the port disappeared" in line


def test_an_emulator_is_not_taken_for_a_board(project: Path, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a TCP port nobody sees what it is: its unique id betrays the virtual board, its missing counter QEMU."""
    monkeypatch.setattr(clock, "MOST_RESTORE", 1)  # of this small network's 1,000 cycles
    subject = load_subject(NUCLEO, params, project)
    with connect(f"virtual://nucleo_f446re?image={subject.elf.relative_to(project)}", subject.board) as session:
        with pytest.raises(DeviceError, match="this is a virtual board, whose numbers are predictions") as caught:
            check_real(session)
        assert "--on virtual://" in caught.value.hint
        session.contact.identity = replace(session.identity, uid=bytes(range(12)))
        check_real(session)
        for said in ({"counter": 0}, {"uid": bytes(12)}, {"uid": b"\xff" * 12}):
            lying = SimpleNamespace(identity=replace(session.identity, **said), name="board")
            with pytest.raises(DeviceError, match="this is no chip"):
                check_real(lying)
        cycles = session.run_vector(subject.x[0].tobytes()).cycles
        assert 0.9 < check_clock(session, cycles, session.wire.now) <= 1  # by its own time; restoring takes 5 % here
        session.contact.identity = replace(session.identity, clock_hz=2 * session.identity.clock_hz)
        with pytest.raises(DeviceError, match=r"360 MHz, but its cycles are 0\.4"):
            check_clock(session, cycles, session.wire.now)


def test_a_served_virtual_board_is_refused_before_anything_is_measured(
    hilgate, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TCP port is taken for a real board, and would be called measured."""
    monkeypatch.setitem(TIMING, "board", Timing(answer_s=20.0, open_s=60.0))  # however busy this computer is
    elf = str(artifact(project, "build.elf", NUCLEO))
    command = [sys.executable, "-m", "hilgate.cli", "virtual", "serve", "nucleo_f446re", "--image", elf, "--tcp", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=project, text=True) as server:
        try:
            assert server.stdout
            address = next(word for word in server.stdout.readline().split() if word.startswith("socket://"))
            code, line = hilgate("run", NUCLEO, "--on", address.strip(";"))
        finally:
            server.terminate()
    assert code == 27
    assert "this is a virtual board" in line
    assert not (project / f"artifacts/run/{NUCLEO}/measured").exists()


def test_an_empty_port_is_not_the_virtual_board(hilgate) -> None:
    """`--on "$PORT"` without PORT."""
    assert hilgate("run", NUCLEO, "--on", "")[0] == 2


def test_a_board_that_goes_away_in_mid_session(project: Path, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unplugged at its first byte and after quarters of what it sends: one error each, and nothing lost."""
    ports: list[LossyPort] = []
    gone_after: list[int | None] = [None]

    def opened(url: str) -> LossyPort:
        ports.append(LossyPort(open_port(url), gone_after=gone_after[0]))
        return ports[-1]

    monkeypatch.setattr(connect_module, "open_port", opened)
    kept = execute(NUCLEO, params, project)
    before, total = kept.read_bytes(), ports[0].into.byte_count
    for gone_after[0] in (0, total // 4, total // 2, 3 * total // 4):
        with pytest.raises(LostError, match="the port disappeared: device disconnected") as caught:
            execute(NUCLEO, params, project)
        assert caught.value.hint and caught.value.where == "virtual://nucleo_f446re"
        assert kept.read_bytes() == before
        assert not [path.name for path in kept.parent.iterdir() if path.name.startswith(".")]


def test_ctrl_c_in_mid_session_leaves_what_was_measured_before(project: Path) -> None:
    """Exit code 130, no traceback, and neither half a file nor a lock: the next session has the port."""
    elf, kept = artifact(project, "build.elf", QEMU), artifact(project, "run.measurement", QEMU)
    kept.parent.mkdir(parents=True)
    kept.write_text("what was measured before")
    code = (
        "import signal, sys\n"
        "from hilgate.run import parity\n"
        "from hilgate.cli import main\n"
        "whole = parity.choose\n"
        "def choose(*given):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    return whole(*given)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "parity.choose = choose\n"
        "main(sys.argv[1:])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, "run", QEMU], cwd=project, capture_output=True, text=True)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert kept.read_text() == "what was measured before"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert elf.exists()


def test_what_a_board_measured_never_mixes_with_predictions(
    project: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The virtual board plays a chip behind an ST-LINK: the checks for silicon are asked, and answered for it."""
    asked: list[str] = []
    url = f"virtual://nucleo_f446re?image={artifact(project, 'build.elf', NUCLEO).relative_to(project)}"
    monkeypatch.setattr(connect_module, "open_port", lambda _: open_port(url))
    monkeypatch.setattr(run_module, "check_real", lambda session: asked.append("real"))
    monkeypatch.setattr(run_module, "check_clock", lambda session, cycles: asked.append(f"{cycles} cycles") or 1.0)
    usb = {"hwid": "USB", "vid": 0x0483, "pid": 0x374B, "serial_number": "0669FF"}
    link = SimpleNamespace(device="/dev/ttyACM0", description="", **usb)
    monkeypatch.setattr(list_ports, "comports", lambda: [link])
    path = execute(NUCLEO, params, project, on="/dev/ttyACM0")
    found = read_json(path, "measurement")
    uid = found["environment"]["uid"]
    assert path == project / f"artifacts/run/{NUCLEO}/measured/{uid}.json"
    assert sorted(one.name for one in path.parent.iterdir()) == [f"{uid}.json", f"{uid}.provenance.json"]
    assert [one.name for one in path.parent.parent.iterdir()] == ["measured"]  # neither measurement.json nor samples
    assert asked == ["real", f"{found['latency']['cycles'][0]} cycles"]
    assert (found["source"], found["evidence"]) == ("measured", "measured")
    environment = found["environment"]
    assert (environment["target"], environment["probe"], environment["clock_ratio"]) == (uid, "0669FF", 1.0)
    assert not {"cost_model", "unicorn", "fidelity_gaps"} & set(environment)
    said = read_json(path.with_name(f"{uid}.provenance.json"), "provenance")
    assert (said["target"], said["cell"]) == ("/dev/ttyACM0", NUCLEO)
    predicted = read_json(execute(NUCLEO, params, project), "measurement")
    assert predicted["source"] == "predicted" and not {"uid", "probe", "clock_ratio"} & set(predicted["environment"])
    assert {**predicted, **dict.fromkeys(("source", "evidence", "environment"))} == {
        **found,
        **dict.fromkeys(("source", "evidence", "environment")),
    }


def test_a_crash_before_the_session_is_told(
    project: Path, params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the board's last word on why it was reset, and it is said once."""
    port = open_port(f"virtual://nucleo_f446re?image={artifact(project, 'build.elf', NUCLEO).relative_to(project)}")
    before = Session(port, "board", Options(timing=Timing(boot_s=0.5), first_sequence=0))
    port.write(encode(Frame(Op.RESET, before.contact.exchange._sequence + 1, b"\1")))
    monkeypatch.setattr(connect_module, "open_port", lambda _: port)
    execute(NUCLEO, params, project, on="virtual://nucleo_f446re")
    said = " ".join(capsys.readouterr().err.split())
    assert "before this session virtual://nucleo_f446re: the firmware crashed: usage_fault [UNDEFINSTR]" in said
    assert "(port_crash+0x" in said
