"""A bench is there as long as it says so."""

from __future__ import annotations

import json

import pytest
from fake_github import Fault

from hilgate.ci.benches.heartbeat import beat, pulse
from hilgate.errors import UsageError

BOARD = "nucleo_f446re"


def put(github, text, board=BOARD):
    """As if a bench had written it, whatever it is."""
    github.world.git |= {"t" * 40: {f"heartbeat/{board}.json": text}, "e" * 40: {"tree": "t" * 40, "message": "x"}}
    github.world.refs["heads/hilgate-bench"] = "e" * 40


def document(github, ago_s=0.0, **changed):
    about = {"schema": "heartbeat", "version": 1, "board": BOARD, "at": github.world.clock.text(ago_s)}
    return json.dumps({**about, **changed})


def test_nobody_ever_set_one_up(github):
    found = pulse(github.client(), BOARD)
    assert (found.state, "no bench has ever reported" in found.reason) == ("absent", True)


@pytest.mark.parametrize(
    ("ago_s", "state"), [(0, "online"), (899, "online"), (901, "offline"), (10**7, "offline"), (-299, "online")]
)
def test_a_quarter_of_an_hour(github, ago_s, state):
    put(github, document(github, ago_s))
    assert pulse(github.client(), BOARD).state == state


def test_how_long_it_has_been_silent_is_said(github):
    put(github, document(github, 3 * 3600))
    assert "3 h ago" in pulse(github.client(), BOARD).reason


@pytest.mark.parametrize(
    "changed",
    [
        {"at": "yesterday"},
        {"at": "2026-13-41T00:00:00Z"},
        {"board": "other"},
        {"version": 2},
        {"schema": "x"},
        {"a": 1},
    ],
)
def test_what_is_no_heartbeat_is_offline(github, changed):
    put(github, document(github, **changed))
    assert pulse(github.client(), BOARD).state == "offline"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"schema": "heartbeat", "schema": "x"}', "\x00"])
def test_damaged_files_are_offline(github, text):
    put(github, text)
    assert pulse(github.client(), BOARD).state == "offline"


def test_a_clock_that_is_ahead_says_nothing(github):
    put(github, document(github, -301))
    found = pulse(github.client(), BOARD)
    assert (found.state, "ahead" in found.reason) == ("offline", True)


def test_a_bench_beats_and_is_seen_and_the_branch_stays_one_commit(github):
    client = github.client()
    beat(client, BOARD)
    beat(client, "stm32h747i_disco")
    github.world.clock.sleep(600)
    beat(client, BOARD)
    assert pulse(client, BOARD).state == "online"
    assert pulse(client, "stm32h747i_disco").state == "online"
    github.world.clock.sleep(400)
    assert [pulse(client, board).state for board in (BOARD, "stm32h747i_disco")] == ["online", "offline"]
    assert all(not call.body["parents"] for call in github.said("POST", "git/commits"))


def test_a_lost_answer_is_no_lost_beat(github):
    for path in ("git/trees", "git/commits", "git/refs"):
        github.faults.append(Fault("POST", path, 502, lost=True))
    beat(github.client(), BOARD)
    assert pulse(github.client(), BOARD).state == "online"


@pytest.mark.parametrize("board", ["../x", "a/b", "", "a b", "x" * 101, "a\n"])
def test_a_board_is_a_name_and_no_path(github, board):
    with pytest.raises(UsageError):
        pulse(github.client(), board)
    assert not github.calls
