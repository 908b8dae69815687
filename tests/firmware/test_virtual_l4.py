"""The L4R5's own paths: PLL on HSI16 with boost, VDDIO2, LPUART, DMA through the DMAMUX, unique id, watchdog."""

from __future__ import annotations

import pytest

from hilgate.errors import DeviceError
from hilgate.link.connect import connect
from hilgate.link.protocol import ClockSource, Counter, ResetCause
from hilgate.virtual.board import VirtualBoard
from hilgate.virtual.machine import Options

pytestmark = pytest.mark.arm


@pytest.fixture(scope="module")
def image(virtual_image):
    return virtual_image("nucleo_l4r5zi")


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


def test_a_line_full_of_rubbish_is_no_hang(image, root):
    """Two bytes are answered by an error event of 16: the loop that reads them runs longer than the watchdog waits.

    At the reset clock of 4 MHz, where five seconds cost the least.
    """
    powered = VirtualBoard("nucleo_l4r5zi", image.elf, Options(hsi=False), root=root)
    powered.run_us(1_500_000)
    powered.write(b"x\0" * 20_000)
    powered.run_us(3_200_000)
    assert powered.machine.resets == ["power_on"]
    assert len(powered.wire.to_host) > 30_000, "it went on answering"
