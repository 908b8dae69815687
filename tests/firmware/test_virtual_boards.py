"""What every virtual board with a DMA ring and a counter must do; what only one of them has is in its own file."""

from __future__ import annotations

import hashlib

import pytest

from hilgate.errors import DeviceError
from hilgate.link.connect import connect
from hilgate.link.protocol import ClockSource, FaultKind, ResetCause
from hilgate.virtual.registers import load_family

pytestmark = pytest.mark.arm
BOARDS = {  # clock in Hz, and the fewest cycles that one run of the fixture model can take
    "nucleo_f446re": (180_000_000, 100),
    "nucleo_f401re": (84_000_000, 100),
    "nucleo_l4r5zi": (120_000_000, 100),
    "stm32h747i_disco": (400_000_000, 20),
}


@pytest.fixture(params=BOARDS)
def board_name(request):
    return request.param


@pytest.fixture
def session(board_name, virtual_image):
    with connect(f"virtual://{board_name}?image={virtual_image(board_name).elf}") as opened:
        yield opened


def test_counts_and_computes(session, board_name, model):
    for seed in range(5):
        data = hashlib.sha256(bytes([seed])).digest()[:8]
        answer = session.run_vector(data)
        assert answer.output == model.run(data) and answer.cycles > BOARDS[board_name][1]
    cycles = session.bench(3, 30)
    assert len(set(cycles)) == 1, "nothing else moves while cycles are counted"
    layers = session.profile()
    assert sum(row.cycles for row in layers) < 2 * cycles[0]


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
def test_crash_and_hang_end_in_a_record(session, board_name, kind, fault, cause):
    """Wherever the record lies it survives; a supply written once (H747) is left alone by the next life."""
    with pytest.raises(DeviceError):
        session.reset(kind)
    assert session.identify().reset_cause == cause
    assert session.identify().clock_hz == BOARDS[board_name][0]
    assert session.fault().kind in (fault, FaultKind.NONE), "the session may have read it already"
    assert session.echo(b"on") == b"on"


@pytest.mark.parametrize(
    ("name", "family", "hz"), [("nucleo_f446re", "stm32f4", 16_000_000), ("stm32h747i_disco", "stm32h7", 64_000_000)]
)
def test_without_a_pll_the_reset_clock_stays(virtual_image, monkeypatch, name, family, hz):
    """Both attempts time out, and no watchdog bites. 921600 baud only where the divider comes within 2 %."""
    monkeypatch.setitem(load_family(family)["startup_us"], "pll", 10**10)
    with connect(f"virtual://{name}?image={virtual_image(name).elf}") as session:
        who = session.identity
        assert (who.clock_source, who.clock_hz, who.baud) == (ClockSource.RESET_DEFAULT, hz, 115200)
        assert who.reset_cause == ResetCause.POWER_ON
        if hz == 16_000_000:
            with pytest.raises(DeviceError, match="bad_argument"):
                session.set_baud(921600)
        else:
            assert session.set_baud(921600)
        assert session.run_vector(bytes(8)).output == bytes(4)


def test_a_plain_reset_is_a_software_reset(session):
    session.reset(0)
    assert session.identify().reset_cause == ResetCause.SOFTWARE
