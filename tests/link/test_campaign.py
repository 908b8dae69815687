"""The link broken at every step by count: each single fault costs a retry and nothing else."""

from __future__ import annotations

import pytest

from hilgate.errors import GarbageError, LostError, SilentError
from hilgate.link.campaign import Played, all_faults, campaign, play
from hilgate.link.lossy import Channel, Fault
from hilgate.link.timing import Timing


@pytest.fixture(scope="module")
def clean(host_firmware) -> Played:
    return play(f"host://?program={host_firmware}", timing=Timing())  # patient: nothing is lost by haste


def test_nothing_is_lost_on_a_good_link(clean: Played) -> None:
    counters = clean.counters
    assert counters.sent == counters.received == clean.traffic["out"][1]
    assert (counters.lost, counters.retried, counters.damaged, counters.refused, counters.stray) == (0, 0, 0, 0, 0)


def test_every_lost_repeated_or_cut_frame_is_survived(url: str, clean: Played) -> None:
    faults = [fault for fault in all_faults(clean, byte_step=10**9) if fault.unit == "frame"]
    tally = campaign(url, clean, faults)
    assert len(faults) == 3 * (clean.traffic["out"][1] + clean.traffic["in"][1])
    assert tally.failed == []
    assert tally.struck == tally.sessions
    assert tally.counters.lost > 0


def test_lost_flipped_and_repeated_bytes_are_survived(url: str, clean: Played) -> None:
    tally = campaign(url, clean, (f for f in all_faults(clean, byte_step=151) if f.unit == "byte"))
    assert tally.failed == []
    assert tally.struck == tally.sessions > 100
    assert tally.counters.damaged > 0
    assert tally.counters.refused > 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault("out", "frame", "drop", at=1, every=5),
        Fault("in", "frame", "drop", at=1, every=5),
        Fault("out", "byte", "flip", at=20, every=1500),
        Fault("in", "byte", "drop", at=20, every=1700),
        Fault("in", "frame", "repeat", at=0, every=1),
        Fault("out", "frame", "repeat", at=0, every=1),
    ],
    ids=str,
)
def test_a_bad_link_is_slow_but_right(url: str, clean: Played, fault: Fault) -> None:
    played = play(url, fault)
    assert played.answers == clean.answers
    assert played.struck > 1


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        (Fault("out", "frame", "drop", at=0, every=1), SilentError),
        (Fault("in", "frame", "drop", at=0, every=1), SilentError),
        (Fault("in", "byte", "flip", at=5, every=10), GarbageError),
        (Fault("out", "frame", "drop", at=6, every=1), LostError),
        (Fault("in", "frame", "cut", at=6, every=1), LostError),
    ],
    ids=str,
)
def test_a_link_that_carries_nothing_is_an_error_of_its_kind(url: str, fault: Fault, errors: type) -> None:
    with pytest.raises(errors) as caught:
        play(url, fault)
    assert caught.value.hint


@pytest.mark.parametrize("unit", ["byte", "frame"])
def test_a_fault_strikes_once_and_where_it_is_told(unit: str) -> None:
    wire = b"\0abcdefg\0ABCDEFG\0"
    results = {
        "byte": {"drop": b"\0acdefg\0ABCDEFG\0", "flip": b"\0afcdefg\0ABCDEFG\0", "repeat": b"\0abbcdefg\0ABCDEFG\0"},
        "frame": {"drop": b"\0abcdefg\0", "repeat": wire + b"ABCDEFG\0", "cut": b"\0abcdefg\0ABCD\0"},
    }
    for action, result in results[unit].items():
        channel = Channel(Fault("out", unit, action, at=2 if unit == "byte" else 1))
        assert channel.pass_on(wire) == result
        assert (channel.struck, channel.frame_count) == (1, 2)
