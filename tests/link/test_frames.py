"""The frame codec survives anything and loses nothing that is intact."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.errors import LostError
from hilgate.link.frames import Damaged, Decoder, Frame, encode
from hilgate.link.protocol import BODY_BYTES, FRAME_BYTES
from hilgate.link.wire import Wire

frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=BODY_BYTES))


@given(st.lists(frames, max_size=4), st.data())
def test_frames_survive_any_cutting(sent: list[Frame], data: st.DataObject) -> None:
    wire, decoder, got = b"".join(map(encode, sent)), Decoder(), []
    while wire:
        cut = data.draw(st.integers(1, len(wire)))
        got += decoder.feed(wire[:cut])
        wire = wire[cut:]
    assert got == sent


@pytest.mark.parametrize("fill", [b"\0", b"\1", b"\xff"])
def test_the_longest_frame_is_as_long_as_the_protocol_says(fill: bytes) -> None:
    wire = encode(Frame(0xFF, 0xFFFF, fill * BODY_BYTES))
    assert len(wire) <= FRAME_BYTES
    assert list(Decoder().feed(wire)) == [Frame(0xFF, 0xFFFF, fill * BODY_BYTES)]


def test_a_body_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than"):
        encode(Frame(1, 1, bytes(BODY_BYTES + 1)))


@pytest.mark.parametrize("position", range(20))
@pytest.mark.parametrize("bit", range(8))
def test_every_single_bit_error_is_noticed(position: int, bit: int) -> None:
    good = Frame(2, 7, b"0123456789\x00")
    wire = bytearray(encode(good))
    assert len(wire) == 20
    wire[position] ^= 1 << bit
    decoder = Decoder()
    got = [*decoder.feed(bytes(wire)), *decoder.feed(b"\0")]
    assert got
    assert good not in got
    assert all(isinstance(item, Damaged) for item in got)
    assert list(decoder.feed(encode(good))) == [good]


def test_random_bytes_cost_bounded_memory_and_the_next_frame_arrives() -> None:
    source, decoder, good = random.Random(1), Decoder(), Frame(2, 7, b"after the noise")
    for _ in range(10):
        noise = source.randbytes(10_000)
        assert all(isinstance(item, Damaged) for item in decoder.feed(noise))
        assert len(decoder._pending) <= FRAME_BYTES
    assert list(decoder.feed(b"\0" + encode(good)))[-1] == good


def test_a_frame_without_end_is_cut_and_reported_once() -> None:
    decoder = Decoder()
    for _ in range(50):
        assert list(decoder.feed(b"\x55" * 1000)) == []
    assert list(decoder.feed(b"\0")) == [Damaged("length", 50_000)]


@pytest.mark.parametrize("plain", [b"", b"\x01", b"\x01\x02\x03\x04\x05\x06"])
def test_too_short_is_a_length_error(plain: bytes) -> None:
    from cobs import cobs

    got = list(Decoder().feed(cobs.encode(plain) + b"\0"))
    assert [item.reason for item in got] == ["length"]


class Stopped:
    """A virtual board whose time does not pass."""

    timeout = write_timeout = 0.0
    baudrate = 115200

    def monotonic(self) -> float:
        return 1.0

    def read(self, size: int) -> bytes:
        return b""


def test_waiting_ends_even_when_time_stands_still() -> None:
    with pytest.raises(LostError, match="time stands still"):
        Wire(Stopped(), "virtual://board").receive(2.0)


class Coarse(Stopped):
    """A virtual board that counts whole microseconds: a shorter read takes no time."""

    now = 1.0

    def monotonic(self) -> float:
        return self.now

    def read(self, size: int) -> bytes:
        self.now += int(self.timeout * 1e6) / 1e6
        return b""


@pytest.mark.parametrize("seconds", [1e-9, 1e-7, 0.0123456789, 1.00000001])
def test_waiting_ends_whatever_is_left(seconds: float) -> None:
    assert Wire(Coarse(), "virtual://board").receive(1.0 + seconds) is None
