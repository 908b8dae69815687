"""Measured latency: loads in turns, the trimmed t-test, the calibrated bench; all numbers here are synthetic."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hilgate.errors import ArtifactError, UsageError
from hilgate.gate import loads
from hilgate.gate.spread import Spread, calibrate, parse_spread
from hilgate.gate.verdict import Outcome

PAIRS = loads.USUAL_PAIRS


def logs(spread: float, change: float = 0.0, sessions: int = 1, seed: int = 1, pairs: int = PAIRS) -> np.ndarray:
    """ln(head / base) of each pair of normally scattering loads, shape (sessions, pairs)."""
    generator = np.random.default_rng(seed)
    return math.log1p(change) + spread * math.sqrt(2) * generator.standard_normal((sessions, pairs))


@pytest.mark.parametrize("pairs", [9, 12, 13, 20, 40])
def test_each_pair_has_both_sides_and_its_order_is_drawn(pairs):
    drawn = set()
    for seed in range(50):
        turns = loads.interleave(pairs, random.Random(seed))
        assert all(first != second for first, second in zip(turns[::2], turns[1::2], strict=True))
        assert loads.balanced(turns[::2])
        drawn.add(turns)
    assert len(drawn) > 45
    assert loads.interleave(pairs) != loads.interleave(pairs) or loads.interleave(pairs) != loads.interleave(pairs)


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_an_order_can_be_drawn_for_few_pairs_too(pairs):
    assert len(loads.interleave(pairs)) == 2 * pairs


@pytest.mark.parametrize(("firsts", "fair"), [(5, True), (15, True), (4, False), (16, False), (0, False)])
def test_an_order_that_leans_to_one_side_is_drawn_again(firsts, fair):
    assert loads.balanced([True] * firsts + [False] * (20 - firsts)) is fair


@pytest.mark.parametrize(("pairs", "contradict"), [(12, 0), (15, 0), (16, 1), (20, 2), (32, 6)])
def test_the_sign_tests_level_is_exact(pairs, contradict):
    """Whatever the bench does, equal firmwares make each pair a fair coin: counted by hand."""
    assert loads.may_contradict(pairs) == contradict
    for slower in (pairs - contradict, pairs - contradict - 1):
        tail = sum(math.comb(pairs, count) for count in range(slower, pairs + 1)) / 2**pairs
        differences = np.array([0.01] * slower + [-0.01] * (pairs - slower))
        assert loads.p_values(differences) >= tail * (1 - 1e-12)
        assert (tail <= loads.FALSE_ALARMS) is (slower == pairs - contradict)


def test_a_disturbance_with_any_period_makes_no_more_false_alarms():
    """A fixed order could march in step with a disturbance; a drawn one cannot."""
    sessions, pairs = 20_000, loads.USUAL_PAIRS
    lots = random.Random(3)
    turns = np.array([loads.interleave(pairs, lots) for _ in range(sessions)])
    for period in (2, 3, 4, 6):
        times = 0.01 * np.sin(2 * np.pi * np.arange(2 * pairs) / period + 0.7) + np.zeros((sessions, 1))
        pairs_of = times.reshape(sessions, pairs, 2)
        signs = np.where(turns[:, ::2], 1, -1)
        alarms = int((loads.p_values(signs * (pairs_of[..., 0] - pairs_of[..., 1]), 1e-6) <= loads.FALSE_ALARMS).sum())
        assert alarms <= 20, period  # 8 are expected at the level


def test_trimmed_mean_and_error_are_those_of_the_literature():
    """Mean by scipy's trim_mean, error by the winsorised variance as Yuen gives it."""
    values = np.random.default_rng(7).standard_t(3, 16)
    change, error, freedom = loads.trimmed(values)
    winsorised = np.asarray(stats.mstats.winsorize(np.ma.array(values), limits=(2 / 16, 2 / 16)), np.float64)
    assert change == pytest.approx(stats.trim_mean(values, 2 / 16))
    assert error == pytest.approx(winsorised.std(ddof=1) / ((1 - 2 * 2 / 16) * math.sqrt(16)))
    assert freedom == 11


def test_one_session_equals_its_row_in_many():
    many = logs(0.004, sessions=5)
    p_values = loads.p_values(many)
    for row, p_value in zip(many, p_values, strict=True):
        assert loads.compare(row).p_value == pytest.approx(float(p_value), rel=1e-12)


@pytest.mark.parametrize("pairs", [12, 16, 20, 32])
def test_equal_firmwares_are_called_slower_in_4_of_10000_at_most(pairs):
    alarms = int((loads.p_values(logs(0.005, sessions=100_000, pairs=pairs)) <= loads.FALSE_ALARMS).sum())
    assert alarms <= loads.FALSE_ALARMS * 100_000


@pytest.mark.parametrize("pairs", [12, 16, 20, 32])
def test_the_visible_change_is_found_in_99_percent(pairs):
    visible = loads.visible_change(0.003, pairs)
    assert (loads.p_values(logs(0.003, visible, sessions=20_000, pairs=pairs)) <= loads.FALSE_ALARMS).mean() >= 0.99
    nearer = logs(0.003, 0.6 * visible, sessions=20_000, pairs=pairs)
    assert (loads.p_values(nearer) <= loads.FALSE_ALARMS).mean() < 0.9  # and it is no idle claim


@pytest.mark.parametrize("pairs", [12, 20])
def test_a_slow_down_of_the_limit_passes_in_1_percent_at_most(pairs):
    change, error, freedom = loads.trimmed(logs(0.004, 0.02, sessions=50_000, pairs=pairs))
    assert (np.expm1(loads.upper_bounds(change, error, freedom)) <= 0.02).mean() <= 0.01


def test_drift_and_a_disturbed_load_change_little():
    turns = np.asarray(loads.interleave(PAIRS, random.Random(1)))
    time = 1e6 * (1 + 0.03 * np.linspace(0, 1, 2 * PAIRS) ** 2) * np.where(turns, 1.02, 1.0)
    time[5] *= 1.5
    pairs = np.log(time).reshape(PAIRS, 2)
    session = loads.compare(np.where(turns[::2], pairs[:, 0] - pairs[:, 1], pairs[:, 1] - pairs[:, 0]))
    assert session.change == pytest.approx(0.02, abs=0.0005)
    assert session.p_value < loads.FALSE_ALARMS


@given(st.lists(st.floats(-0.05, 0.05), min_size=12, max_size=40), st.floats(0, 0.05))
def test_a_slower_head_is_never_less_suspicious(differences, slower):
    """Shifting every pair by the same slow-down raises change and bound, and lowers p."""
    before = loads.compare(np.array(differences), 1e-6)
    after = loads.compare(np.array(differences) + slower, 1e-6)
    assert after.change >= before.change - 1e-12
    assert after.bound >= before.bound - 1e-9
    assert after.p_value <= before.p_value + 1e-9


@given(st.lists(st.floats(-0.05, 0.05), min_size=12, max_size=40))
def test_swapping_the_sides_mirrors_the_change(differences):
    there, back = (loads.compare(sign * np.array(differences), 1e-6) for sign in (1, -1))
    assert math.log1p(there.change) == pytest.approx(-math.log1p(back.change), abs=1e-12)
    assert there.p_value + back.p_value >= 1 - 1e-9


SESSIONS = st.builds(
    loads.Comparison,
    pairs=st.just(PAIRS),
    change=st.floats(-0.1, 0.1),
    p_value=st.one_of(st.floats(0, 1), st.floats(0, 2 * loads.FALSE_ALARMS)),
    bound=st.floats(-0.1, 0.3),
    spread=st.just(0.001),
)


@given(SESSIONS, st.floats(0.0001, 0.1), st.lists(st.floats(0, 0.05), min_size=2, max_size=2).map(sorted))
def test_every_outcome_keeps_its_promise(session, visible, limits):
    warn, fail = limits
    change, p_value = session.change, session.p_value
    outcome = loads.decide(session, visible, warn, fail)
    if outcome in (Outcome.WARN, Outcome.FAIL):
        assert p_value <= loads.FALSE_ALARMS
        assert change > warn
    if outcome is Outcome.FAIL:
        assert change > fail
    if outcome is Outcome.PASS:
        assert session.bound <= fail
        assert visible <= fail


@settings(max_examples=25)
@given(st.floats(0.0003, 0.01), st.floats(0.005, 0.05))
def test_pairs_needed_are_enough(spread, limit):
    needed = loads.pairs_needed(spread, limit)
    assert needed is None or loads.visible_change(spread, needed) <= limit


def test_no_number_of_loads_helps_a_bad_bench():
    assert loads.pairs_needed(0.2, 0.001) is None


def test_a_calibration_finds_the_spread_despite_drift_and_outliers():
    generator = np.random.default_rng(11)
    found = []
    for _ in range(300):
        medians = 1e6 * np.exp(0.003 * generator.standard_normal(64) + np.linspace(0, 0.02, 64))
        medians[generator.random(64) < 0.02] *= 1.1
        found.append(calibrate(medians.tolist()))
    assert np.median([one["spread"] for one in found]) == pytest.approx(0.003, rel=0.1)
    assert np.mean([one["upper"] >= 0.003 for one in found]) >= 0.9
    assert np.median([one["drift"] for one in found]) == pytest.approx(0.02, rel=0.2)


def test_a_calibration_counts_disturbed_pairs():
    medians = [1000 + at % 3 for at in range(64)]
    medians[5] = medians[20] = medians[41] = 1500
    found = calibrate(medians)
    assert found["disturbed"] == 3 / 32
    assert Spread("x", "y", 64, 0.001, 0.002, found["disturbed"], "").visible(20) is None
    assert Spread("x", "y", 64, 0.001, 0.002, 2 / 32, "").visible(20) == loads.visible_change(0.002, 20)


def test_a_bench_that_never_scatters_still_counts_whole_cycles():
    found = calibrate([1000] * 40)
    assert 0 < found["spread"] < 0.001


@pytest.mark.parametrize(
    ("medians", "message"), [([1000] * 31, "31 loads are too few"), ([0, *[9] * 40], "without cycles")]
)
def test_what_cannot_calibrate_is_refused(medians, message):
    with pytest.raises(UsageError, match=message):
        calibrate(medians)


def spread_text(**changed) -> str:
    document = {
        "schema": "spread",
        "version": 1,
        "testbed": "0123abcd",
        "board": "board_a",
        "image": "a" * 64,
        "made": "2026-01-02",
        **calibrate([1000 + i % 3 for i in range(40)]),
    }
    return json.dumps({**document, **changed})


def test_a_calibration_file_is_read():
    spread = parse_spread(spread_text(spread=0.001, upper=0.002), "here")
    assert spread == Spread("0123abcd", "board_a", 40, 0.001, 0.002, 0.0, "2026-01-02")


@pytest.mark.parametrize(
    "changed", [{"upper": 0.0}, {"spread": 0.9, "upper": 0.1}, {"testbed": "../x"}, {"loads": 3}, {"made": "today"}]
)
def test_a_damaged_calibration_is_refused(changed):
    with pytest.raises(ArtifactError):
        parse_spread(spread_text(**changed), "here")
