"""docs/link.md fails here when it lies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilgate import errors
from hilgate.link import contact, protocol
from hilgate.link.timing import Timing
from hilgate.link.transports import schemes
from hilgate.run import clock


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return " ".join((root / "docs/link.md").read_text("utf-8").split())


def test_every_way_to_a_board_is_listed(text: str) -> None:
    assert set(re.findall(r"`(\w+)://", text)) == {*schemes()}


def test_the_exit_codes_are_the_real_ones(text: str) -> None:
    kinds = ("PortMissing", "PortBusy", "Silent", "Garbage", "Lost", "StaleImage", "Device", "Parity")
    words = ("missing", "busy", "silent", "protocol", "half-way", "on the board", "crashed", "differ")
    for kind, word in zip(kinds, words, strict=True):
        assert f"{word} {getattr(errors, kind + 'Error').exit_code}" in text


def test_the_numbers_are_the_real_ones(text: str) -> None:
    assert ("up to five times" in text, Timing().attempts) == (True, 5)
    assert ("three times at most" in text, contact.REPEATS) == (True, 3)
    assert (f"return to {protocol.FIRST_BAUD} by themselves after half a second" in text, protocol.BAUD_CONFIRM_MS) == (
        True,
        500,
    )
    assert (f"bench commands of 1 and of {protocol.BENCH_RUNS} runs" in text, clock.TOLERANCE) == (True, 0.05)
