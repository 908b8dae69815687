"""A device that lies, babbles or never ends: each costs bounded time and memory, and ends in one clear line."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from hilgate.errors import DeviceError, GarbageError, LostError, SilentError
from hilgate.link import protocol
from hilgate.link.contact import MOST_TENSOR_BYTES, Options, quote
from hilgate.link.exchange import OutOfStepError
from hilgate.link.frames import Damaged, Decoder, Frame, encode
from hilgate.link.protocol import ANSWER, FIRST_BAUD, Op, Status
from hilgate.link.session import Session

HONEST = protocol.IdentifyAnswer(
    version=1, board_id=1, state=0, clock_source=1, reset_cause=1, counter=1, clock_hz=180_000_000, baud=115200,
    input_bytes=8, output_bytes=4, layers=2, image_ok=1, fault_pending=0, uid=bytes(range(12)), image_hash=bytes(32),
    architecture_hash=bytes(16), weights_hash=bytes(32),
)  # fmt: skip
OK = bytes([Status.OK])
Reply = bytes | Iterable[Frame | bytes] | None


class Liar:
    """A port with a device behind it whose answers are given by opcode: a body, whole frames or bytes, or silence.

    Its time is that of the line, so that nothing here depends on how busy this computer is.
    """

    def __init__(self, lies: dict[int, Callable[[Frame], Reply]] | None = None, noise: bytes = b"") -> None:
        self.lies = {Op.IDENTIFY: lambda _: OK + HONEST.encode(), Op.LOAD: self._load, Op.INFER: lambda _: ok(4)}
        self.lies |= lies or {}
        self.noise, self.sent, self.loaded, self.closed = noise, bytearray(), 0, False
        self.timeout, self.write_timeout, self.baudrate = 0.05, None, FIRST_BAUD
        self._decoder, self._now = Decoder(), 0.0

    def _load(self, frame: Frame) -> bytes:
        request = protocol.LoadRequest.decode(frame.body)
        self.loaded = request.offset + len(request.data)
        return OK + protocol.LoadAnswer(self.loaded).encode()

    def monotonic(self) -> float:
        return self._now

    def write(self, data: bytes) -> int:
        for frame in self._decoder.feed(data):
            assert not isinstance(frame, Damaged)
            reply = self.lies.get(frame.opcode, lambda _: None)(frame)
            if isinstance(reply, bytes):
                reply = [Frame(frame.opcode | ANSWER, frame.sequence, reply)]
            for item in reply or ():
                self.sent += encode(item) if isinstance(item, Frame) else item
        return len(data)

    def read(self, size: int = 1) -> bytes:
        data = bytes(self.sent[:size]) or self.noise[:size]
        del self.sent[:size]
        self._now += len(data) * 10 / FIRST_BAUD if data else self.timeout
        return data

    @property
    def in_waiting(self) -> int:
        return len(self.sent)

    def reset_input_buffer(self) -> None:
        self.sent.clear()

    def close(self) -> None:
        self.closed = True


def ok(size: int) -> bytes:
    """An answer to infer with so many bytes of output."""
    return OK + protocol.InferAnswer(1000, bytes(size)).encode()


def session_with(lies: dict[int, Callable[[Frame], Reply]], noise: bytes = b"") -> Session:
    return Session(Liar(lies, noise), "/dev/ttyACM0", Options(first_sequence=0))


def says(error: Exception) -> str:
    text = str(error)
    assert text.isprintable() and len(text) < 400 and text.startswith("/dev/ttyACM0: ")
    return text


def identity(**lie: object) -> dict[int, Callable[[Frame], Reply]]:
    return {Op.IDENTIFY: lambda _: OK + replace(HONEST, **lie).encode()}


def test_the_honest_one_is_believed() -> None:
    with session_with({}) as session:
        assert session.run_vector(bytes(8)).output == bytes(4)


@pytest.mark.parametrize("size", [0, 1, 119, 121, 1023])
def test_an_identity_of_another_length(size: int) -> None:
    with pytest.raises(DeviceError, match=f"a wrong answer to `identify`: {size} bytes where 120 are due") as caught:
        session_with({Op.IDENTIFY: lambda _: OK + bytes(size)})
    assert "flash" in says(caught.value)


def test_an_identity_of_all_ones_is_told_in_numbers() -> None:
    """No enum, count or hash of it is known; its tensors are more than any chip addresses."""
    with pytest.raises(GarbageError, match="speaks protocol version 65535"):
        session_with({Op.IDENTIFY: lambda _: OK + b"\xff" * 120})
    said = b"\1\0" + b"\xff" * 118
    with pytest.raises(DeviceError, match="claims tensors of 4294967295 and 4294967295 bytes") as caught:
        session_with({Op.IDENTIFY: lambda _: OK + said})
    assert says(caught.value)


@pytest.mark.parametrize("field", ["input_bytes", "output_bytes"])
def test_tensors_that_no_chip_holds(field: str) -> None:
    """An answer of four gigabytes would be asked for piece by piece, for hours."""
    assert session_with(identity(**{field: MOST_TENSOR_BYTES})).identity
    with pytest.raises(DeviceError, match="claims tensors of"):
        session_with(identity(**{field: MOST_TENSOR_BYTES + 1}))


@pytest.mark.parametrize("size", [0, 3, 5, 1000])
def test_an_output_too_short_or_too_long(size: int) -> None:
    session = session_with({Op.INFER: lambda _: ok(size), Op.OUTPUT: lambda _: OK})
    with pytest.raises(DeviceError, match="output bytes") as caught:
        session.run_vector(bytes(8))
    assert says(caught.value)


def test_an_output_that_comes_in_pieces_too_long() -> None:
    session = session_with(
        identity(output_bytes=2000) | {Op.INFER: lambda _: ok(1000), Op.OUTPUT: lambda _: OK + bytes(1023)}
    )
    with pytest.raises(DeviceError, match="sent 2023 output bytes where 2000 are due"):
        session.run_vector(bytes(8))


@pytest.mark.parametrize(
    ("op", "body", "act"),
    [
        (Op.INFER, b"\1", "run_vector"),
        (Op.BENCH, b"", "bench"),
        (Op.BENCH, bytes(4), "bench"),
        (Op.BENCH, bytes(5), "bench"),
        (Op.BENCH, bytes(16), "bench"),
        (Op.PROFILE, b"", "profile"),
        (Op.PROFILE, bytes(8), "profile"),
        (Op.PROFILE, bytes(15), "profile"),
        (Op.PROFILE, bytes(960), "profile"),
        (Op.MEMORY, bytes(19), "memory"),
        (Op.MEMORY, bytes(21), "memory"),
        (Op.FAULT, bytes(63), "fault"),
        (Op.LOAD, bytes(3), "run_vector"),
        (Op.BAUD, bytes(7), "set_baud"),
        (Op.BAUD, protocol.BaudAnswer(0, 0).encode(), "set_baud"),
        (Op.BAUD, protocol.BaudAnswer(2**32 - 1, 0).encode(), "set_baud"),
    ],
)
def test_an_answer_of_another_shape_or_count(op: Op, body: bytes, act: str) -> None:
    session = session_with({op: lambda _: OK + body})
    session.set_input(bytes(8))
    arguments = {"run_vector": (bytes(8),), "bench": (0, 3), "set_baud": (921600,)}.get(act, ())
    with pytest.raises(DeviceError) as caught:
        getattr(session, act)(*arguments)
    assert says(caught.value)


def test_layers_without_end() -> None:
    """65,535 layers are asked for in frames of 120, and end."""
    asked: list[int] = []

    def rows(frame: Frame) -> bytes:
        asked.append(protocol.ProfileRequest.decode(frame.body).first_layer)
        return OK + bytes(8 * min(120, 65535 - asked[-1]))

    session = session_with(identity(layers=65535) | {Op.PROFILE: rows})
    session.set_input(bytes(8))
    assert len(session.profile()) == 65535
    assert len(asked) == -(-65535 // 120)


@pytest.mark.parametrize("body", [b"", b"\x63", b"\x63\0\0\0\0\0", b"\x63\0\0\0\0"])
def test_a_status_that_nobody_knows(body: bytes) -> None:
    session = session_with({Op.ECHO: lambda _: body})
    with pytest.raises(DeviceError, match=r"refused `echo`: 0x63|an answer that the protocol does not know") as caught:
        session.echo(b"x")
    assert says(caught.value)


@pytest.mark.parametrize(
    "strange",
    [
        lambda frame: [Frame(frame.opcode | ANSWER, frame.sequence ^ 1, OK)],
        lambda frame: [Frame(Op.MEMORY | ANSWER, frame.sequence, OK)],
        lambda frame: [Frame(frame.opcode, frame.sequence, frame.body)],  # an echo on the line
        lambda frame: [Frame(0xFF, 0xFFFF, bytes(1024))] * 50,
        lambda frame: [Frame(Op.ERROR_EVENT, 0xFFFF, bytes(5))] * 50,
        lambda frame: [b"\x05\0"] * 500,
        lambda frame: None,
    ],
)
def test_answers_that_are_none(strange: Callable[[Frame], Reply]) -> None:
    session = session_with({Op.ECHO: strange})
    with pytest.raises(OutOfStepError, match="no answer to `echo`") as caught:
        session.echo(b"x")
    assert says(caught.value)
    assert session.wire.now() < 100
    assert session.run_vector(bytes(8)).output == bytes(4)  # and the session goes on


@pytest.mark.parametrize("noise", [b"\xaa", b"\0\1\1\0", bytes(range(256))])
@pytest.mark.parametrize("silent", [True, False])
def test_a_stream_without_end(noise: bytes, silent: bool) -> None:
    """Whether or not anybody asks, bytes keep coming."""
    lies = {Op.IDENTIFY: lambda _: None} if silent else {Op.IDENTIFY: lambda _: [source.randbytes(50)]}
    source = random.Random(1)
    liar = Liar(lies, noise)
    with pytest.raises(GarbageError):
        Session(liar, "/dev/ttyACM0", Options(first_sequence=0))
    assert liar.closed
    assert liar.monotonic() < 20


def test_a_board_that_resets_at_every_command() -> None:
    """It loses count, is found, loses count again: three times, then it is an error."""
    lost = protocol.ErrorBody(Status.BAD_SEQUENCE, 0x10000).encode()
    session = session_with({Op.ECHO: lambda _: lost})
    with pytest.raises(LostError, match="the board lost count at `echo`"):
        session.echo(b"x")
    assert session.counters.resyncs == 2


def test_a_board_that_never_takes_the_whole_input() -> None:
    session = session_with({Op.LOAD: lambda _: OK + protocol.LoadAnswer(7).encode()})
    with pytest.raises(LostError, match="the board has 7 of 8 input bytes"):
        session.run_vector(bytes(8))


@pytest.mark.parametrize(
    ("heard", "quoted"),
    [
        (b"STM32 demo\r\nHello World\r\n", "STM32 demo Hello World"),
        (b"hilgate: busy: this virtual board already has a client\r\n", "hilgate: busy: this virtual board already"),
        (b"\x1b[2Jlogin: user name please, and so on: ", "[2Jlogin: user name"),
        (bytes(range(256)), ""),
        (b"\xff\xfe\xfd", ""),
    ],
)
def test_a_stranger_is_quoted_when_it_speaks_in_words(heard: bytes, quoted: str) -> None:
    """Another firmware, a login prompt, a board that somebody else has: the user sees at once what it is."""
    liar = Liar({Op.IDENTIFY: lambda _: [heard]})
    with pytest.raises(GarbageError) as caught:
        Session(liar, "/dev/ttyACM0", Options(first_sequence=0))
    assert (f"; it says '{quoted}" in caught.value.what) if quoted else ("it says" not in caught.value.what)
    assert "hilgate flash" in says(caught.value)


@pytest.mark.parametrize(
    ("heard", "quoted"), [(b"", ""), (b"ok", ""), (b"a 'b'\t c", "\"a 'b' c\""), (b"\xff" * 8 + b"abcd", "")]
)
def test_a_quotation(heard: bytes, quoted: str) -> None:
    assert quote(heard) == quoted


def test_silence_is_not_garbage() -> None:
    with pytest.raises(SilentError, match="nothing answers") as caught:
        session_with({Op.IDENTIFY: lambda _: None})
    assert "reset button" in says(caught.value)
