"""The suggested budget: only where there is slack, never tighter than what base and head need."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.gate.policy import Budget, allowance
from hilgate.gate.ratchet import tightened
from hilgate.gate.verdict import Axis, Check, Outcome

OK = (Check("absolute", Outcome.PASS, ""), Check("relative", Outcome.PASS, ""))


def axis(value, base=None, unit="bytes", checks=OK, **limits):
    budget = dataclasses.asdict(Budget(**limits))
    change = None if base is None else value - base
    return Axis("flash_bytes", unit, value, base, change, budget, None, None, "counted", "", checks)


@pytest.mark.parametrize(
    ("value", "base", "unit", "limits", "suggested"),
    [
        (132_160, 132_160, "bytes", {"max": 180_000, "worse_fail": "2%"}, 150_000),
        (132_160, 150_000, "bytes", {"max": 180_000, "worse_fail": "2%"}, 170_000),  # merged, it becomes the base
        (132_160, 132_160, "bytes", {"max": 151_000, "worse_fail": "2%"}, None),
        (132_160, 132_160, "bytes", {"max": 132_160, "worse_fail": "2%"}, None),
        (100.0, 100.0, "us", {"max": 1000.0, "worse_fail": "50%"}, 200.0),
        (0.982, 0.982, "fraction", {"min": 0.97, "worse_fail": 0.003}, 0.976),
        (0.982, 0.980, "fraction", {"min": 0.90, "worse_fail": 0.001}, 0.978),
        (0.982, 0.982, "fraction", {"min": 0.981, "worse_fail": 0.003}, None),
        (50.0, 52.0, "score", {"min": 10.0, "worse_fail": 1.0}, 45.0),
        (0.05, 0.04, "score", {"max": 0.2, "worse_fail": 0.001}, 0.055),
        (0, 0, "bytes", {"max": 100, "worse_fail": "2%"}, None),
        (1.0, 1.0, "fraction", {"min": 0.9, "worse_fail": 0.01}, 0.98),
    ],
)
def test_known_values(value, base, unit, limits, suggested):
    assert tightened(axis(value, base, unit, **limits), True) == suggested


@pytest.mark.parametrize("outcome", [Outcome.WARN, Outcome.INCONCLUSIVE, Outcome.WAITING, Outcome.FAIL])
def test_nothing_is_suggested_beside_another_outcome(outcome):
    checks = (OK[0], Check("relative", outcome, ""))
    assert tightened(axis(10, 10, checks=checks, max=100, worse_fail="2%"), True) is None


def test_nothing_is_suggested_for_what_is_not_enforced_or_not_compared():
    checks = (Check("absolute", Outcome.PASS, "", enforced=False), OK[1])
    assert tightened(axis(10, 10, checks=checks, max=100, worse_fail="2%"), True) is None
    assert tightened(axis(10, None, max=100, worse_fail="2%"), True) is None
    assert tightened(axis(10, 10, worse_fail="2%"), True) is None


@given(st.floats(1, 1e7), st.floats(1, 1e7), st.floats(1, 1e8), st.floats(0, 30))
def test_a_suggestion_fits_both_sides_and_the_next_change(value, base, limit, percent):
    fail = f"{percent:.2f}%"
    suggested = tightened(axis(value, base, max=limit, worse_fail=fail), True)
    if suggested is not None:
        assert suggested <= 0.95 * limit * (1 + 1e-9)
        assert suggested >= max(value, base) + 2 * (allowance(fail, max(value, base)) or 0) - 1e-6 * max(value, base)


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 0.2))
def test_a_suggested_minimum_fits_both_sides(value, base, limit, fail):
    suggested = tightened(axis(value, base, "fraction", min=limit, worse_fail=fail), True)
    if suggested is not None:
        assert limit < suggested <= min(value, base) - 2 * fail + 1e-9


def test_the_verdict_carries_it(run, axis):
    verdict = run()
    assert axis(verdict, "flash_bytes").tighten == 110_000  # of 150,000, at 100,000
    assert axis(verdict, "accuracy").tighten == 0.96  # of 0.95, at 0.98: twice worse_fail of 0.01 below


def test_it_judges_nothing(run, axis):
    assert run().outcome is Outcome.PASS
