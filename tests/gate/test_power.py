"""docs/statistics.md says how often each outcome comes: simulate it, with the real rules, and compare."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import numpy as np
import pytest

from hilgate.gate.paired import SIGNIFICANCE, mcnemar
from hilgate.gate.policy import Budget
from hilgate.gate.rules import Metric, _level
from hilgate.gate.verdict import Outcome

N, ROUNDS = 10_000, 20_000
BUDGET = Budget(min=0.9, worse_warn=0.001, worse_fail=0.003)
ROW = re.compile(r"^\| (\d+) % \| (0\.\d+) \| (\d+) % \| (\d+) % \| (\d+) % \| (\d+) % \|$", re.MULTILINE)


@cache
def outcome_of(base_only, head_only):
    """What rules.paired decides for these counts, without building ten thousand scores for each round."""
    drop = (base_only - head_only) / N
    outcome = _level(Metric("accuracy", "fraction", 0.98 - drop, 0.98, lower_is_better=False), BUDGET)
    if outcome is Outcome.FAIL and mcnemar(base_only, head_only) > SIGNIFICANCE:
        return Outcome.INCONCLUSIVE
    return outcome


def simulated(disagree, drop):
    generator = np.random.default_rng(3)
    shares = [(disagree + drop) / 2, (disagree - drop) / 2, 1 - disagree]
    rounds = generator.multinomial(N, shares, ROUNDS)
    return Counter(outcome_of(int(base), int(head)) for base, head, _ in rounds)


def test_the_page_has_its_table(root):
    assert len(ROW.findall((root / "docs/statistics.md").read_text("utf-8"))) == 8


def test_the_table_is_what_the_rules_do(root):
    for disagree, drop, *percents in ROW.findall((root / "docs/statistics.md").read_text("utf-8")):
        counts = simulated(int(disagree) / 100, float(drop))
        order = (Outcome.PASS, Outcome.WARN, Outcome.INCONCLUSIVE, Outcome.FAIL)
        for outcome, percent in zip(order, percents, strict=True):
            share = 100 * counts[outcome] / ROUNDS
            assert share == pytest.approx(int(percent), abs=1.2), (disagree, drop, outcome)
