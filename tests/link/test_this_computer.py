"""What is wrong on the host's own side: a rate that its port cannot do, a board that refuses it, an hour of sleep."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hilgate.catalogue import load_board
from hilgate.link import connect as module
from hilgate.link.connect import connect_at_own_rate
from hilgate.link.contact import Options
from hilgate.link.exchange import RefusedError
from hilgate.link.lossy import LossyPort
from hilgate.link.protocol import FIRST_BAUD
from hilgate.link.session import Session
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


class Sleeper(LossyPort):
    """This computer sleeps for an hour after it has begun to wait; the answer comes in the meantime."""

    asleep_s, looks = 0.0, 0

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self.awake = self.monotonic
        self.monotonic = self.look

    def look(self) -> float:
        self.looks += 1
        if self.looks == 2:  # the first look after a request sets the deadline
            self.asleep_s += 3600
            while not self.port._is_idle():  # an hour is enough for the whole answer
                time.sleep(0.001)
        return self.awake() + self.asleep_s

    def write(self, data: bytes) -> int:
        self.looks = 0
        return super().write(data)


def test_a_computer_that_slept_finds_the_answer_that_came_meanwhile(url: str) -> None:
    port = Sleeper(open_port(url))
    with Session(port, url, Options()) as session:
        assert session.echo(b"abc") == b"abc"
        assert works(session)
        assert (session.counters.lost, session.counters.retried) == (0, 0)
        assert port.asleep_s > 8 * 3600


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
