"""The L4R5's own paths: PLL on HSI16 with boost, VDDIO2, LPUART, DMA through the DMAMUX, unique id, watchdog."""

from __future__ import annotations

import hashlib

import pytest

from hilgate.build.build import build_image
from hilgate.catalogue import load_board
from hilgate.errors import DeviceError
from hilgate.link.connect import connect
from hilgate.link.protocol import ClockSource, Counter, FaultKind, ResetCause

pytestmark = pytest.mark.arm


@pytest.fixture(scope="module")
def image(root, model, tmp_path_factory):
    board = load_board("nucleo_l4r5zi", root)
    return build_image(board, model.folder, tmp_path_factory.mktemp("l4"), firmware=root / "firmware")


@pytest.fixture
def session(image):
    with connect(f"virtual://nucleo_l4r5zi?image={image.elf}") as opened:
        yield opened


def test_reaches_120_mhz_and_says_how(session, image):
    who = session.identity
    assert (who.clock_source, who.clock_hz, who.board_id) == (ClockSource.HSI_PLL, 120_000_000, 4)
    assert (who.counter, who.reset_cause, who.image_ok) == (Counter.DWT, ResetCause.POWER_ON, 1)
    assert who.uid != bytes(12) and who.image_hash.hex() == image.image_hash


def test_without_the_internal_oscillator_the_reset_clock_stays(image):
    """The LPUART divides 256 times finer than a USART: even 4 MHz make 921600 baud."""
    with connect(f"virtual://nucleo_l4r5zi?image={image.elf}&hsi=0") as session:
        who = session.identity
        assert (who.clock_source, who.clock_hz) == (ClockSource.RESET_DEFAULT, 4_000_000)
        assert session.set_baud(921600) and session.echo(b"slow") == b"slow"


def test_rates_that_the_divider_cannot_make_are_refused(session):
    for baud in (100, 20_000, 60_000_000):
        with pytest.raises(DeviceError, match="bad_argument"):
            session.set_baud(baud)
    assert session.echo(b"still here") == b"still here"


def test_counts_and_computes(session, model):
    for seed in range(5):
        data = hashlib.sha256(bytes([seed])).digest()[:8]
        answer = session.run_vector(data)
        assert answer.output == model.run(data) and answer.cycles > 100
    assert len(set(session.bench(3, 30))) == 1, "nothing else moves while cycles are counted"


def test_the_dma_ring_wraps(session):
    assert session.set_baud(921600)
    for number in range(10):
        data = bytes([number]) * 1000
        assert session.echo(data) == data
    assert session.memory().overruns == 0


@pytest.mark.parametrize(
    ("kind", "fault", "cause"),
    [(1, FaultKind.USAGE_FAULT, ResetCause.FAULT), (2, FaultKind.WATCHDOG, ResetCause.WATCHDOG)],
)
def test_crash_and_hang_end_in_a_record(session, kind, fault, cause):
    with pytest.raises(DeviceError):
        session.reset(kind)
    assert session.identify().reset_cause == cause
    assert session.fault().kind in (fault, FaultKind.NONE), "the session may have read it already"
    assert session.echo(b"on") == b"on"


def test_a_plain_reset_is_a_software_reset(session):
    session.reset(0)
    assert session.identify().reset_cause == ResetCause.SOFTWARE
