"""Columns of whole numbers give back what went in."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.history.columns import SCALES, deltas, payload, runs, steps
from hilgate.history.series import series_of


@given(st.lists(st.integers(-(10**15), 10**15)))
def test_deltas_add_up(numbers):
    assert list(accumulate(deltas(numbers))) == numbers


@given(st.sets(st.integers(0, 500)))
def test_runs_are_the_indices(indices):
    found = runs(sorted(indices))
    pairs = zip(found[::2], found[1::2], strict=True)
    assert [start + at for start, count in pairs for at in range(count)] == sorted(indices)


@given(st.lists(st.sampled_from([None, 1.0, 2.0]), min_size=1))
def test_steps_hold_until_the_next(values):
    found = steps(values, list(range(len(values))))
    table = dict(zip(found[::2], found[1::2], strict=True))
    held = list(accumulate(range(len(values)), lambda before, at: at if at in table else before))
    assert [table[at] for at in held] == values


def test_a_payload_shares_its_commits(line):
    measured = {"source": "measured", "evidence": "measured", "testbed": "0123"}
    no_latency = {"values": {"accuracy": 0.5, "flash_bytes": 1, "ram_bytes": 2}}
    found = payload(series_of([line(1), line(2, **no_latency), line(3), line(3, **measured)]))
    assert len(found["subject"]) == 3
    assert len(found["sha"]) == 36
    predicted, on_board = found["series"]
    assert predicted["metrics"]["flash_bytes"]["at"] == [0, 3]
    assert predicted["metrics"]["latency_us"]["at"] == [0, 1, 2, 1]
    assert predicted["metrics"]["latency_us"]["values"] == [2_000_500, 0]
    assert on_board["metrics"]["flash_bytes"]["at"] == [2, 1]


@pytest.mark.parametrize(("unit", "step"), [("bytes", 1), ("us", 0.001), ("fraction", 1e-6), ("score", 1e-6)])
def test_a_scale_keeps_what_is_shown(unit, step):
    assert round(step * SCALES[unit]) == 1
