"""One session, three targets: the firmware on this computer, on the virtual board and on QEMU say the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hilgate.build.build import build_image
from hilgate.catalogue import load_board
from hilgate.errors import GarbageError, SilentError
from hilgate.link.campaign import play
from hilgate.link.connect import connect
from hilgate.link.contact import VERSION, Options
from hilgate.link.faults import CrashError
from hilgate.link.frames import Frame, encode
from hilgate.link.lossy import Fault
from hilgate.link.protocol import ANSWER, FIRST_BAUD, FRAME_BYTES, Counter, FaultKind, Op, Status
from hilgate.link.session import Session
from hilgate.link.timing import Timing
from hilgate.link.transports import open_port

pytestmark = pytest.mark.arm
PATIENT = Timing(answer_s=5.0, open_s=30.0, boot_s=0.5)  # this computer may be busy


@pytest.fixture(scope="module")
def images(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The link's test model in the firmware of both boards."""
    out = tmp_path_factory.mktemp("images")
    model, firmware = root / "tests/link/model", root / "firmware"
    names = ("nucleo_f446re", "qemu_stm32f405")
    return {n: build_image(load_board(n, root), model, out / n, firmware=firmware).elf for n in names}


@pytest.fixture(scope="module")
def urls(images: dict[str, Path], root: Path) -> dict[str, str]:
    return {
        "virtual": f"virtual://nucleo_f446re?image={images['nucleo_f446re']}&root={root}",
        "qemu": f"qemu://netduinoplus2?image={images['qemu_stm32f405']}",
    }


@pytest.fixture(scope="module")
def host(host_firmware: Path) -> list:
    return play(f"host://?program={host_firmware}", timing=PATIENT).answers


def test_the_virtual_board(urls: dict[str, str], host: list) -> None:
    played = play(urls["virtual"], timing=Timing(boot_s=0.5))
    assert played.answers == host
    assert played.counters.lost == played.counters.retried == 0


@pytest.mark.qemu
def test_qemu(urls: dict[str, str], host: list) -> None:
    played = play(urls["qemu"], timing=PATIENT)
    without_bench = host[:4] + host[5:]  # QEMU has no counter
    assert played.answers == without_bench
    assert played.counters.lost == played.counters.retried == 0


@pytest.mark.parametrize(
    "fault",
    [Fault("out", "frame", "drop", 3), Fault("in", "byte", "flip", 300)],
    ids=str,
)
def test_a_fault_on_the_way_to_the_virtual_board(urls: dict[str, str], host: list, fault: Fault) -> None:
    played = play(urls["virtual"], fault, Timing(boot_s=0.5))
    assert played.answers == host
    assert played.struck == 1


@pytest.mark.parametrize("target", ["virtual", pytest.param("qemu", marks=pytest.mark.qemu)])
def test_ten_thousand_random_bytes(urls: dict[str, str], target: str) -> None:
    """A chip's receiver overruns where a computer's does not; either way the board answers afterwards."""
    with connect(urls[target], options=Options(timing=PATIENT)) as session:
        source = random.Random(11)
        for _ in range(10):
            session.wire.port.write(source.randbytes(1000))
            session.wire.pause(0.1)
        assert session.echo(b"still there") == b"still there"
        assert session.counters.refused > 0


def answers(session: Session, wire: bytes) -> list[tuple[int, Status]]:
    """What the board says to these bytes, whenever it says it: up to its answer to an identify sent behind them."""
    session.wire.port.write(wire)
    asked = session.contact.exchange._sequence  # identify begins the sequence where it is
    session.wire.send(Frame(Op.IDENTIFY, asked, VERSION))
    said: list[tuple[int, Status]] = []
    while isinstance(item := session.wire.receive(session.wire.now() + PATIENT.answer_s), Frame):
        if (item.opcode, item.sequence) == (Op.IDENTIFY | ANSWER, asked):
            return said
        said.append((item.opcode, Status(item.body[0])))
    raise AssertionError(f"{item} after {said}")


@pytest.mark.parametrize("target", ["virtual", pytest.param("qemu", marks=pytest.mark.qemu)])
def test_each_kind_of_bad_frame(urls: dict[str, str], target: str) -> None:
    """Bad CRC, bad length, unknown opcode, sequence out of order: each gets its error, and identify its answer."""
    with connect(urls[target], options=Options(timing=PATIENT, first_sequence=300)) as session:
        following = (session.contact.exchange._sequence + 1) & 0xFFFF
        good = encode(Frame(Op.ECHO, following, b"abc"))
        for wire, due in (
            (bytes([good[0], good[1] ^ 4, *good[2:]]), (Op.ERROR_EVENT, Status.BAD_CRC)),
            (b"\1\1\1\0", (Op.ERROR_EVENT, Status.BAD_LENGTH)),
            (b"\x33" * FRAME_BYTES + b"\0", (Op.ERROR_EVENT, Status.BAD_LENGTH)),
            (encode(Frame(Op.BENCH, following, b"\1")), (Op.BENCH | ANSWER, Status.BAD_LENGTH)),
            (encode(Frame(0x13, following, b"")), (0x13 | ANSWER, Status.UNKNOWN_OPCODE)),
            (encode(Frame(Op.ECHO, following + 7, b"abc")), (Op.ECHO | ANSWER, Status.BAD_SEQUENCE)),
            (good, (Op.ECHO | ANSWER, Status.OK)),
        ):
            assert answers(session, wire) == [due]
        assert session.run_vector(bytes(session.identity.input_bytes)).output


def test_a_board_that_was_left_at_another_rate_is_found_there(urls: dict[str, str]) -> None:
    """The host was killed in mid-session. The virtual board hears rubbish at a rate that is not its own."""
    port = open_port(urls["virtual"])
    killed = Session(port, "virtual", Options(timing=Timing(boot_s=0.5)))
    assert killed.set_baud(921600) is True
    port.baudrate = FIRST_BAUD
    with Session(port, "virtual", Options(timing=Timing(), rates=(FIRST_BAUD, 460800, 921600))) as session:
        assert session.wire.baud == 921600
        assert session.run_vector(bytes(session.identity.input_bytes)).output
        assert session.counters.lost > 0


def test_a_board_at_a_rate_that_nobody_tries_does_not_answer(urls: dict[str, str]) -> None:
    """Nor does it lose its wits: at the right rate it answers afterwards."""
    port = open_port(urls["virtual"])
    killed = Session(port, "virtual", Options(timing=Timing(boot_s=0.5)))
    assert killed.set_baud(921600) is True
    port.baudrate = FIRST_BAUD
    close, port.close = port.close, lambda: None  # it stays powered
    with pytest.raises((SilentError, GarbageError)):
        Session(port, "virtual", Options(timing=Timing(open_s=2.0)))
    port.baudrate = 921600
    session = Session(port, "virtual", Options(timing=Timing()))
    assert session.echo(b"still there") == b"still there"
    close()


def test_equal_sessions_with_the_virtual_board_take_equal_time(urls: dict[str, str]) -> None:
    def end() -> tuple[float, list[int]]:
        with connect(urls["virtual"], options=Options(first_sequence=0)) as session:
            session.set_input(bytes(session.identity.input_bytes))
            return session.wire.now(), session.bench(0, 2)

    assert end() == end()


def test_a_crash_on_the_virtual_board_names_the_function(urls: dict[str, str], images: dict[str, Path]) -> None:
    with connect(urls["virtual"], elf=images["nucleo_f446re"]) as session:
        with pytest.raises(CrashError, match=r"usage_fault \[UNDEFINSTR\]; pc 0x080\w+ \(port_crash\+0x") as caught:
            session.reset(kind=1)
        assert caught.value.record.kind == FaultKind.USAGE_FAULT
        assert session.echo(b"still there") == b"still there"


def test_a_hang_on_the_virtual_board_ends_by_the_watchdog(urls: dict[str, str]) -> None:
    with connect(urls["virtual"]) as session:
        with pytest.raises(CrashError, match="the firmware crashed: watchdog"):
            session.reset(kind=2)
        assert session.echo(b"still there") == b"still there"


def test_a_virtual_board_without_its_crystal_says_so(urls: dict[str, str]) -> None:
    with connect(f"{urls['virtual']}&hse=0") as session:
        assert session.identity.clock_source == 2  # the PLL on the internal oscillator
        assert session.set_baud(8 * FIRST_BAUD) is True
        assert session.identity.counter == Counter.DWT


@pytest.mark.qemu
def test_a_crash_on_qemu(urls: dict[str, str], images: dict[str, Path]) -> None:
    elf = images["qemu_stm32f405"]
    with connect(urls["qemu"], elf=elf, options=Options(timing=PATIENT)) as session:
        with pytest.raises(CrashError, match=r"usage_fault \[UNDEFINSTR\]; pc 0x080\w+ \(port_crash\+0x"):
            session.reset(kind=1)
        assert session.echo(b"still there") == b"still there"
