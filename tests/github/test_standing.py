"""Holding a verdict back: never better than before, nothing else touched."""

from __future__ import annotations

import copy
from itertools import product

import pytest

from hilgate.ci.judging.standing import check_sense, held_back, with_hardware
from hilgate.gate.verdict import Outcome


@pytest.mark.parametrize(("name", "outcome"), list(product(("pass", "fail", "waiting"), Outcome)))
def test_it_is_as_bad_as_the_worse_of_the_two_and_makes_sense(verdicts, name, outcome):
    before = copy.deepcopy(verdicts[name])
    held = held_back(verdicts[name], outcome, "because")
    assert verdicts[name] == before
    assert Outcome(held["outcome"]).severity == max(Outcome(before["outcome"]).severity, outcome.severity)
    assert held["cells"][0]["checks"][0]["reason"] == "because"
    check_sense(held, "test")


def test_a_board_that_no_cell_has_holds_nothing(verdicts):
    held = held_back(verdicts["pass"], Outcome.FAIL, "because", board="another")
    assert held == verdicts["pass"]


@pytest.mark.parametrize("state", ["measured", "waiting", "offline", "absent", "refused"])
def test_hardware_only_ever_holds_back(verdicts, state):
    context = {"hardware": [{"board": "board_a", "state": state, "reason": ""}]}
    for verdict in verdicts.values():
        held = with_hardware(verdict, context)
        assert Outcome(held["outcome"]).severity >= Outcome(verdict["outcome"]).severity
        check_sense(held, "test")
