"""The statistics against independent implementations and hand-made cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from hilgate.gate.measured import Samples
from hilgate.gate.paired import SIGNIFICANCE, compare, mcnemar


def samples(scores, binary=True, higher=True):
    return Samples("top1", higher, "d" * 64, binary, tuple(float(score) for score in scores))


@given(base_only=st.integers(0, 20_000), head_only=st.integers(0, 20_000))
@example(base_only=0, head_only=0)
@example(base_only=7, head_only=0)
def test_mcnemar_is_the_one_sided_binomial_test(base_only, head_only):
    n = base_only + head_only
    expected = stats.binomtest(base_only, n, 0.5, alternative="greater").pvalue if n else 1.0
    assert mcnemar(base_only, head_only) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_pairs_are_counted_by_sample():
    pairs = compare(samples([1, 1, 0, 0, 1]), samples([1, 0, 1, 0, 0]))
    assert (pairs.n, pairs.base_only, pairs.head_only) == (5, 2, 1)


@pytest.mark.parametrize("discordant", [0, 1, 10, 100, 999])
def test_the_smallest_visible_drop_is_the_smallest_significant_one(discordant):
    n = 10_000
    base = [1] * discordant + [1] * (n - discordant)
    even = discordant // 2
    head = [0] * even + [1] * (n - even)
    visible = round(compare(samples(base), samples(head)).visible * n)
    pairs = max(even, visible)
    worse = (pairs + visible) // 2
    assert mcnemar(worse, pairs - worse) <= SIGNIFICANCE
    smaller = visible - 1 if pairs == visible else visible - 2
    if smaller > 0:
        pairs = max(even, smaller)
        worse = (pairs + smaller) // 2
        assert mcnemar(worse, pairs - worse) > SIGNIFICANCE


def test_sign_flip_agrees_with_every_flip_enumerated():
    drops = np.array([0.3, -0.1, 0.25, 0.4, -0.05, 0.2, 0.15, 0.1])
    flips = np.array(list(itertools.product([1, -1], repeat=len(drops))))
    exact = ((flips * np.abs(drops)).sum(1) >= drops.sum() - 1e-12).mean()
    pairs = compare(samples(drops, binary=False), samples(np.zeros(8), binary=False))
    assert pairs.p_value == pytest.approx(exact, abs=0.01)


def test_sign_flip_of_right_or_wrong_scores_is_mcnemar():
    base, head = [1] * 60 + [0] * 40, [0] * 22 + [1] * 38 + [1] * 10 + [0] * 30
    exact = compare(samples(base), samples(head))
    flipped = compare(samples(base, binary=False), samples(head, binary=False))
    assert (exact.base_only, exact.head_only) == (22, 10)
    assert flipped.p_value == pytest.approx(exact.p_value, abs=0.01)
    assert flipped.method != exact.method


def test_equal_models_are_never_significant():
    for binary in (True, False):
        assert compare(samples([1, 0, 1], binary), samples([1, 0, 1], binary)).p_value == 1.0


def test_lower_is_better_turns_the_test_around():
    worse = compare(samples([0.1] * 50, False, higher=False), samples([0.2] * 50, False, higher=False))
    better = compare(samples([0.2] * 50, False, higher=False), samples([0.1] * 50, False, higher=False))
    assert worse.p_value < SIGNIFICANCE < better.p_value


def test_false_alarms_keep_the_level():
    """2,000 pairs of equally good models that disagree on 200 of 10,000 samples: at most the level is called worse."""
    generator = np.random.default_rng(1)
    alarms = sum(mcnemar(int(worse), 200 - int(worse)) <= SIGNIFICANCE for worse in generator.binomial(200, 0.5, 2000))
    assert alarms / 2000 <= SIGNIFICANCE + 3 * (SIGNIFICANCE * (1 - SIGNIFICANCE) / 2000) ** 0.5
