"""Headroom, used shares and limits as shares of a base: arithmetic that must hold for every number. Made-up figures."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.gate.axes import judge_axes
from hilgate.gate.measured import Both
from hilgate.gate.policy import Budget, allowance
from hilgate.gate.rules import Context
from hilgate.gate.verdict import Outcome
from hilgate.units import change

CONTEXT = Context("main", "this PR", "main", "no baseline", "")
BYTES = st.integers(0, 10**7)


def flash_axis(make, head, base, budget):
    """The axis of flash for so many bytes on both sides."""
    measurement = make.measurement()
    sides = [
        dataclasses.replace(measurement, flash={**measurement.flash, "total_bytes": size}) for size in (base, head)
    ]
    axes = judge_axes({"flash_bytes": budget}, Both(*sides), CONTEXT)
    return next(axis for axis in axes if axis.metric == "flash_bytes")


@given(head=BYTES, limit=BYTES)
def test_headroom_is_the_distance_to_the_limit_and_negative_exactly_when_it_is_broken(make, head, limit):
    axis = flash_axis(make, head, head, Budget(max=limit, worse_fail="2%"))
    assert axis.headroom == limit - head
    assert (axis.checks[0].outcome is Outcome.FAIL) == (head > limit) == (axis.headroom < 0)
    assert (axis.used is None) == (limit == 0)
    if limit:
        assert (axis.used > 1) == (head > limit)


@given(size=st.integers(1, 10**7))
def test_at_the_limit_all_is_used_and_nothing_broken(make, size):
    at, over = (flash_axis(make, size + more, size, Budget(max=size, worse_fail=2)) for more in (0, 1))
    assert (at.headroom, at.used, at.outcome) == (0, 1.0, Outcome.PASS)
    assert (over.headroom, over.outcome) == (-1, Outcome.FAIL)


@given(base=BYTES, head=BYTES, percent=st.integers(0, 300))
def test_a_share_of_the_base_allows_exactly_that_share(make, base, head, percent):
    axis = flash_axis(make, head, base, Budget(max=10**8, worse_warn="0%", worse_fail=f"{percent}%"))
    expected = Outcome.PASS if head <= base else Outcome.WARN
    if 100 * (head - base) > percent * base:
        expected = Outcome.FAIL
    assert axis.checks[1].outcome is expected
    assert axis.change == head - base


@pytest.mark.parametrize("limit", ["0%", "2%", "999999%"])
def test_a_share_of_nothing_is_nothing(make, limit):
    assert allowance(limit, 0.0) == 0
    budget = Budget(max=10, worse_fail=limit)
    assert flash_axis(make, 0, 0, budget).outcome is Outcome.PASS
    assert flash_axis(make, 1, 0, budget).outcome is Outcome.FAIL
    assert change("bytes", 1, 0) == "+1 B"


@given(right=st.integers(0, 1000), limit=st.integers(0, 1000))
def test_of_a_score_the_allowed_errors_are_used_up(make, right, limit):
    measurement = make.measurement(wrong=1000 - right)
    both = Both(measurement, measurement)
    axis = judge_axes({"accuracy": Budget(min=limit / 1000, worse_fail="1%")}, both, CONTEXT)[0]
    assert axis.headroom == pytest.approx((right - limit) / 1000)
    assert (axis.outcome is Outcome.FAIL) == (right < limit)
    assert (axis.used is None) == (limit == 1000)
    if limit < 1000:
        assert axis.used == pytest.approx((1000 - right) / (1000 - limit))
