"""Every kind of bad frame gets its error, and the board answers afterwards. The board is the firmware's own code."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hilgate.errors import DeviceError
from hilgate.link.campaign import QUICK
from hilgate.link.contact import Options
from hilgate.link.exchange import OutOfStepError
from hilgate.link.frames import Damaged, Frame, encode
from hilgate.link.protocol import FRAME_BYTES, ErrorBody, Op, Status
from hilgate.link.session import Session
from hilgate.link.transports import open_port


@pytest.fixture
def session(sanitized_firmware: Path) -> Iterator[Session]:
    url = f"host://?program={sanitized_firmware}"
    with Session(open_port(url), url, Options(timing=QUICK, first_sequence=100)) as made:
        yield made
        assert made.echo(b"still there") == b"still there"
        x = bytes(made.identity.input_bytes)
        assert made.run_vector(x).output == made.run_vector(x).output


def send_raw(session: Session, wire: bytes) -> list[Frame | Damaged]:
    """Bytes to the board as they are; what comes back until it is quiet."""
    session.wire.port.write(wire)
    got: list[Frame | Damaged] = []
    deadline = session.wire.now() + 0.3
    while (item := session.wire.receive(deadline)) is not None:
        got.append(item)
        deadline = session.wire.now() + 0.05
    return got


def errors(items: list[Frame | Damaged]) -> list[tuple[int, Status]]:
    return [(item.opcode, Status(ErrorBody.decode(item.body).status)) for item in items]


def next_sequence(session: Session) -> int:
    return (session.contact.exchange._sequence + 1) & 0xFFFF


def test_bad_crc(session: Session) -> None:
    wire = bytearray(encode(Frame(Op.ECHO, next_sequence(session), b"abc")))
    wire[5] ^= 4
    assert errors(send_raw(session, bytes(wire))) == [(Op.ERROR_EVENT, Status.BAD_CRC)]


@pytest.mark.parametrize(
    "wire", [b"\1\1\1\0", b"\x05\x02\x01\x01\x01\0", b"\x33" * FRAME_BYTES + b"\0", b"\x20\x01\x02\0"]
)
def test_bad_length(session: Session, wire: bytes) -> None:
    assert errors(send_raw(session, wire)) == [(Op.ERROR_EVENT, Status.BAD_LENGTH)]


@pytest.mark.parametrize(("op", "body"), [(Op.BENCH, b"\1"), (Op.INFER, b"\1"), (Op.LOAD, b""), (Op.RESET, b"\0\0")])
def test_a_body_too_short_or_too_long(session: Session, op: Op, body: bytes) -> None:
    wire = encode(Frame(op, next_sequence(session), body))
    assert errors(send_raw(session, wire)) == [(op | 0x80, Status.BAD_LENGTH)]


@pytest.mark.parametrize("opcode", [0x00, 0x10, 0x13, 0x6F, 0x70, 0x7F])
def test_unknown_opcode(session: Session, opcode: int) -> None:
    got = send_raw(session, encode(Frame(opcode, next_sequence(session), b"")))
    assert errors(got) == [(opcode | 0x80, Status.UNKNOWN_OPCODE)]


@pytest.mark.parametrize("ahead", [1, 2, 1000, 0x8000, 0xFFFE])
def test_a_sequence_number_out_of_order(session: Session, ahead: int) -> None:
    expected = next_sequence(session)
    [answer] = send_raw(session, encode(Frame(Op.ECHO, (expected + ahead) & 0xFFFF, b"abc")))
    assert isinstance(answer, Frame)
    assert ErrorBody.decode(answer.body) == ErrorBody(Status.BAD_SEQUENCE, expected)


def test_a_repeated_request_gets_its_old_answer_and_runs_nothing(session: Session) -> None:
    session.run_vector(bytes(session.identity.input_bytes))
    wire = encode(Frame(Op.INFER, next_sequence(session), b""))
    first, second = send_raw(session, wire), send_raw(session, wire)
    assert first == second  # the cycles of a second inference would differ
    assert len(first) == 1


@pytest.mark.parametrize("seed", range(3))
def test_ten_thousand_random_bytes(session: Session, seed: int) -> None:
    source = random.Random(seed)
    for _ in range(10):
        send_raw(session, source.randbytes(1000))
    send_raw(session, b"\0")


def test_random_frames_with_a_good_crc(session: Session) -> None:
    source = random.Random(5)
    opcodes = [op for op in range(256) if op not in (Op.RESET, Op.BAUD)]
    for _ in range(40):
        wire = b""
        for _ in range(8):
            body = source.randbytes(source.choice([0, 1, 2, 4, 5, 30, 1020, 1024]))
            wire += encode(Frame(source.choice(opcodes), source.randrange(65536), body))
        assert all(isinstance(item, Frame) for item in send_raw(session, wire))


def test_a_wrong_argument_is_refused_by_name(session: Session) -> None:
    session.set_input(bytes(session.identity.input_bytes))
    with pytest.raises(DeviceError, match="the board refused `bench`: bad_argument"):
        session._with_input(Op.BENCH, b"\0\0\0\0", 0)
    with pytest.raises(DeviceError, match="the board refused `baud`: bad_argument"):
        session.set_baud(7)


def test_chunks_must_be_contiguous(session: Session) -> None:
    exchange = session.contact.exchange
    with pytest.raises(DeviceError, match="bad_state"):
        exchange.request(Op.LOAD, b"\x08\0\0\0abc")
    exchange.request(Op.LOAD, b"\0\0\0\0abc")
    with pytest.raises(DeviceError, match="bad_argument"):
        exchange.request(Op.LOAD, b"\x08\0\0\0abc")
    with pytest.raises(DeviceError, match="bad_argument"):
        exchange.request(Op.LOAD, b"\x03\0\0\0" + bytes(1016)) and exchange.stream(
            Op.LOAD, [(3 + 1016 * i).to_bytes(4, "little") + bytes(1016) for i in (1, 2)]
        )


def test_no_inference_without_the_whole_input(session: Session) -> None:
    exchange = session.contact.exchange
    session.identify()
    for op, body in ((Op.INFER, b""), (Op.BENCH, b"\0\0\1\0"), (Op.PROFILE, b"\0\0")):
        exchange.request(Op.LOAD, b"\0\0\0\0abc")
        with pytest.raises(DeviceError, match="no_input, detail 0x3"):
            exchange.request(op, body)


def test_a_board_that_forgot_the_sequence_is_found_again(session: Session) -> None:
    session.contact.exchange._sequence += 5000
    assert session.echo(b"abc") == b"abc"
    assert session.counters.resyncs == 1
    session.contact.exchange._sequence += 5000
    with pytest.raises(OutOfStepError, match="lost count"):
        session.contact.exchange.request(Op.ECHO, b"abc")
