"""The session against the firmware's own code: commands, baud rates, versions, crashes."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hilgate.errors import DeviceError, GarbageError, StaleImageError
from hilgate.link import protocol
from hilgate.link.campaign import QUICK
from hilgate.link.contact import Options
from hilgate.link.exchange import Exchange
from hilgate.link.faults import CrashError
from hilgate.link.lossy import LossyPort
from hilgate.link.protocol import FIRST_BAUD, FaultKind, ResetCause
from hilgate.link.session import Session
from hilgate.link.transports import open_port

WEIGHTS = (3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3)  # tests/link/model/model.c


def reference(x: bytes) -> list[bytes]:
    """The output of each layer of tests/link/model, said again in another language."""
    scaled = bytes((value * (WEIGHTS[i % 16] | 1) + i) % 256 for i, value in enumerate(x))
    summed = bytes(value % 256 for value in itertools.accumulate(scaled))
    return [scaled, summed, summed[::-1][:2300]]


@pytest.fixture
def session(sanitized_firmware: Path) -> Iterator[Session]:
    url = f"host://?program={sanitized_firmware}"
    with Session(open_port(url), url, Options(timing=QUICK)) as made:
        yield made


def test_outputs_and_layers_are_those_of_the_model(session: Session) -> None:
    size = session.identity.input_bytes
    for x in (bytes(size), bytes(i % 251 for i in range(size)), b"\0\xff" * (size // 2)):
        layers = reference(x)
        assert session.run_vector(x).output == layers[-1]
        assert [row.crc32 for row in session.profile()] == [zlib.crc32(layer) for layer in layers]
        assert session.infer().output == layers[-1]  # the input stays


def test_an_output_longer_than_a_frame_comes_whole_even_when_the_board_resets_in_between(session: Session) -> None:
    assert session.identity.output_bytes > 2 * protocol.BODY_BYTES
    x = bytes(i % 241 for i in range(session.identity.input_bytes))
    ask, seen = session.contact.exchange.request, []

    def resets_once(op: protocol.Op, body: bytes = b"", **more: float) -> bytes:
        seen.append(op)
        if seen == [protocol.Op.INFER, protocol.Op.OUTPUT]:  # load goes by `stream`
            ask(protocol.Op.RESET, b"\0")
        return ask(op, body, **more)

    session.contact.exchange.request = resets_once  # type: ignore[method-assign]
    assert session.run_vector(x).output == reference(x)[-1]
    assert seen.count(protocol.Op.INFER) == 2


def test_many_runs_take_several_commands(session: Session) -> None:
    session.set_input(bytes(session.identity.input_bytes))
    sent = session.counters.sent
    cycles = session.bench(1, 2 * protocol.BENCH_RUNS + 5)
    assert len(cycles) == 2 * protocol.BENCH_RUNS + 5
    assert session.counters.sent - sent == 3 + 3  # three chunks of input, three commands


def test_an_input_of_another_size_is_refused_before_it_is_sent(session: Session) -> None:
    sent = session.counters.sent
    with pytest.raises(DeviceError, match=r"takes 2500 bytes, not 2501"):
        session.set_input(bytes(2501))
    with pytest.raises(DeviceError, match="no input is set"):
        session.infer()
    assert session.counters.sent == sent


def test_echo_up_to_the_limit(session: Session) -> None:
    for size in (0, 1, 253, 254, 255, protocol.BODY_BYTES - 1):
        assert session.echo(bytes(size)) == bytes(size)


def test_baud_goes_up_and_comes_back(session: Session) -> None:
    """A computer too busy to confirm the rate within half a second has the board fall back; then it is asked again."""
    for _ in range(20):
        if session.set_baud(921600) and session.identity.baud == 921600:
            break
    assert (session.wire.baud, session.identity.baud) == (921600, 921600)
    session.close()
    assert session.wire.port.baudrate == FIRST_BAUD


class DeafAt(LossyPort):
    """Carries nothing at one baud rate, as a cable or a clock that is not up to it."""

    def write(self, data: bytes) -> int:
        return len(data) if self.port.baudrate == 921600 else super().write(data)


def test_a_baud_rate_that_does_not_work_is_left_by_both_ends(sanitized_firmware: Path) -> None:
    url = f"host://?program={sanitized_firmware}"
    with Session(DeafAt(open_port(url)), url, Options(timing=QUICK)) as session:
        assert session.set_baud(921600) is False
        assert session.wire.baud == session.identity.baud == FIRST_BAUD
        assert session.echo(b"abc") == b"abc"
        assert session.set_baud(460800) is True


def test_a_session_finds_a_board_that_was_left_at_another_rate(sanitized_firmware: Path) -> None:
    """The host ended in mid-session. At the wrong rate the wire carries only rubbish."""
    url = f"host://?program={sanitized_firmware}"
    port = DeafAt(open_port(url))
    port.port.baudrate = 921600  # nothing gets through at this one, so that the first rate is tried next
    with Session(port, url, Options(timing=QUICK, rates=(FIRST_BAUD, 921600))) as session:
        assert session.wire.baud == FIRST_BAUD


def test_a_reset_starts_afresh(session: Session) -> None:
    session.set_baud(921600)
    session.reset()
    assert session.wire.baud == session.identity.baud == FIRST_BAUD
    assert session.identity.reset_cause in set(ResetCause)
    x = bytes(session.identity.input_bytes)
    assert session.run_vector(x).output == reference(x)[-1]


def test_a_crash_is_told_with_its_registers_and_the_board_answers(session: Session) -> None:
    with pytest.raises(CrashError, match="the firmware crashed: ") as caught:
        session.reset(kind=1)
    assert caught.value.record.kind != FaultKind.NONE
    assert session.identity.fault_pending == 1
    assert session.fault() == caught.value.record
    assert session.fault() == protocol.FaultRecord(*[0] * 16)
    assert session.echo(b"abc") == b"abc"


def test_a_crash_whose_event_was_lost_is_told_all_the_same(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event may arrive while the host flushes; the board's record does not go away by that."""
    monkeypatch.setattr(Exchange, "_crashed", lambda self, event: None)
    for _ in range(2):  # the second crash is told too, once the record of the first was taken
        with pytest.raises(CrashError, match="the firmware crashed: ") as caught:
            session.reset(kind=1)
        assert caught.value.record.kind != FaultKind.NONE
        assert session.fault() == caught.value.record
        assert session.fault() == protocol.FaultRecord(*[0] * 16)
    session.reset()
    assert session.echo(b"abc") == b"abc"


def version_of(monkeypatch: pytest.MonkeyPatch, host: int) -> None:
    monkeypatch.setattr(protocol, "VERSION", host)
    monkeypatch.setattr("hilgate.link.contact.VERSION", protocol.IdentifyRequest(host).encode())


@pytest.mark.parametrize("host", [protocol.VERSION - 1, protocol.VERSION + 1])
def test_one_version_apart_works(host: int, sanitized_firmware: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version_of(monkeypatch, host)
    url = f"host://?program={sanitized_firmware}"
    with Session(open_port(url), url, Options(timing=QUICK)) as session:
        assert session.echo(b"abc") == b"abc"


def test_two_versions_apart_is_refused(sanitized_firmware: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version_of(monkeypatch, protocol.VERSION + 2)
    url = f"host://?program={sanitized_firmware}"
    with pytest.raises(GarbageError, match="speaks protocol version 1, this hilgate 3"):
        Session(open_port(url), url, Options(timing=QUICK))


def test_another_image_in_mid_session_is_noticed(session: Session) -> None:
    identity = session.identity
    session.contact.identity = protocol.IdentifyAnswer(**{**vars(identity), "image_hash": bytes(32)})
    session.contact.exchange._sequence += 99
    with pytest.raises(StaleImageError, match="changed its image"):
        session.echo(b"abc")
