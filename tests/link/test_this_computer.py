"""What is wrong on the host's own side: a rate that its port cannot do, a board that refuses it, an hour of sleep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hilgate.catalogue import load_board
from hilgate.link import connect as module
from hilgate.link.connect import connect_at_own_rate
from hilgate.link.contact import Options
from hilgate.link.exchange import Exchange, RefusedError
from hilgate.link.frames import Decoder, Frame, encode
from hilgate.link.lossy import LossyPort
from hilgate.link.protocol import ANSWER, FIRST_BAUD, Op
from hilgate.link.session import Session
from hilgate.link.timing import Timing
from hilgate.link.transports import open_port
from hilgate.link.wire import RateError, Wire


class Slow(LossyPort):
    """A port of a computer that cannot do every rate, as pyserial says it."""

    @property
    def baudrate(self) -> int:
        return int(self.port.baudrate)

    @baudrate.setter
    def baudrate(self, rate: int) -> None:
        if rate != FIRST_BAUD:
            raise ValueError(f"Failed to set custom baud rate ({rate})")


def works(session: Session) -> bool:
    x = bytes(session.identity.input_bytes)
    return session.run_vector(x).output == session.run_vector(x).output


def test_a_rate_that_this_computer_cannot_do_is_left_by_both_ends(url: str) -> None:
    with Session(Slow(open_port(url)), url, Options()) as session:
        assert session.set_baud(921600) is False
        assert session.identity.baud == FIRST_BAUD
        assert works(session)
        with pytest.raises(RateError, match="this port cannot do 921600 baud") as caught:
            session.wire.baud = 921600
        assert caught.value.hint


def test_a_rate_that_the_board_refuses_is_said_and_done_without(
    root: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An STM32F4 that fell back to its 16 MHz: the divider for 921600 baud is 2.1 % off (firmware/README.md)."""
    board = load_board("nucleo_f446re", root)
    odd = replace(board, tables={**board.tables, "console": {**board.tables["console"], "baud": 7}})
    with connect_at_own_rate(url, odd, root / "firmware.elf") as session:
        assert session.wire.baud == FIRST_BAUD
        assert works(session)
    assert "host://: 7 baud does not work, staying at 115200" in capsys.readouterr().err

    def refuse(*_: Any) -> bool:
        raise RefusedError("the board refused `baud`: bad_state, detail 0x3", 6)

    monkeypatch.setattr(module.Session, "set_baud", refuse)  # any other refusal is an error
    with pytest.raises(RefusedError, match="bad_state"):
        connect_at_own_rate(url, odd, root / "firmware.elf")


class Sleeper:
    """This computer sleeps for an hour after it has begun to wait; the echo is there when it wakes."""

    timeout, write_timeout, baudrate, time_s, looks, answer = 0.05, None, FIRST_BAUD, 0.0, 0, b""

    def monotonic(self) -> float:
        self.looks += 1
        self.time_s += 3600 if self.looks == 2 else 0  # the first look after a request sets the deadline
        return self.time_s

    def write(self, data: bytes) -> int:
        [frame] = Decoder().feed(data)
        assert isinstance(frame, Frame)
        self.looks, self.answer = 0, encode(Frame(frame.opcode | ANSWER, frame.sequence, b"\0" + frame.body))
        return len(data)

    @property
    def in_waiting(self) -> int:
        return len(self.answer)

    def read(self, size: int = 1) -> bytes:
        data, self.answer = self.answer[:size], self.answer[size:]
        self.time_s += 0 if data else self.timeout
        return data


def test_a_computer_that_slept_finds_the_answer_that_came_meanwhile() -> None:
    exchange = Exchange(Wire(Sleeper(), "/dev/ttyACM0"), Timing(), first_sequence=0)
    for size in range(0, 1000, 100):
        assert exchange.request(Op.ECHO, bytes(size)) == bytes(size)
    assert exchange.wire.counters.clean
    assert exchange.wire.now() >= 10 * 3600


class Babbler:
    """Sends frames without end."""

    timeout, write_timeout, in_waiting, time_s = 0.05, None, 0, 0.0

    def monotonic(self) -> float:
        return self.time_s

    def read(self, size: int = 1) -> bytes:
        self.time_s += 0.001
        return b"\1\1\0"


def test_looking_late_ends_when_bytes_never_do() -> None:
    wire, count = Wire(Babbler(), "/dev/ttyACM0"), 0
    while wire.receive(0.01) is not None:
        count += 1
    assert 9 <= count <= 12
    assert wire.receive(0.01) is None
