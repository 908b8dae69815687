"""One test per rule of the judge. Numbers are synthetic."""

from __future__ import annotations

import dataclasses

import pytest

from hilgate.gate.judge import judge
from hilgate.gate.policy import Budget
from hilgate.gate.rules import beyond
from hilgate.gate.sides import Side
from hilgate.gate.verdict import Outcome


def test_self_comparison_is_all_zeros_and_passes(run, make):
    verdict = run(head=make.measurement())
    assert verdict.outcome is Outcome.PASS
    assert verdict.outcome.exit_code == 0
    assert [axis.change for axis in verdict.cells[0].axes] == [0, 0, 0, 0]
    assert all(row["base"] == row["head"] for kind in ("layers", "sizes") for row in verdict.cells[0].changes[kind])
    assert verdict.cells[0].changes["hashes"] == []
    assert verdict.cells[0].changes["environment"] == []


@pytest.mark.parametrize(
    ("total", "outcome", "word"),
    [
        (99_000, Outcome.PASS, "better"),
        (100_500, Outcome.PASS, "within the 0.5 % that `worse_warn` allows"),
        (100_501, Outcome.WARN, "beyond the 0.5 % that `worse_warn` allows"),
        (102_000, Outcome.WARN, "beyond the 0.5 % that `worse_warn` allows"),
        (102_001, Outcome.FAIL, "beyond the 2 % that `worse_fail` allows"),
    ],
)
def test_a_size_that_grew_is_judged_by_its_limits(*, run, total, outcome, word, axis, reasons, flash):
    verdict = run(flash=flash(total))
    assert axis(verdict, "flash_bytes").outcome is verdict.outcome is outcome
    assert any(word in reason for reason in reasons(verdict))


@pytest.mark.parametrize(("total", "outcome"), [(150_000, Outcome.PASS), (150_001, Outcome.FAIL)])
def test_an_absolute_budget_is_broken_beyond_it_not_at_it(*, run, make, total, outcome, axis, flash):
    same = make.measurement(flash=flash(total))
    verdict = run(base=same, head=same)
    assert verdict.outcome is outcome
    assert axis(verdict, "flash_bytes").headroom == 150_000 - total


def test_without_worse_warn_whatever_gets_worse_is_a_warning(run, make, flash):
    policy = make.policy(flash_bytes=Budget(max=150_000, worse_fail="2%"))
    assert run(policy=policy, flash=flash(100_001)).outcome is Outcome.WARN


def test_a_limit_in_units_is_not_a_share(run, make, flash):
    policy = make.policy(flash_bytes=Budget(max=150_000, worse_warn=10, worse_fail=20.0))
    assert run(policy=policy, flash=flash(100_020)).outcome is Outcome.WARN
    assert run(policy=policy, flash=flash(100_021)).outcome is Outcome.FAIL


@pytest.mark.parametrize("budget", [Budget(max=150_000), Budget(worse_fail="2%"), None])
def test_a_budget_that_is_not_set_is_inconclusive(run, make, budget, reasons):
    verdict = run(policy=make.policy(flash_bytes=budget))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.outcome.exit_code == 11
    assert any("no" in reason and "in the policy of main; set" in reason for reason in reasons(verdict))


def test_a_missing_metric_is_inconclusive(run, axis, reasons):
    verdict = run(latency=None)
    assert axis(verdict, "latency_us").outcome is verdict.outcome is Outcome.INCONCLUSIVE
    assert "missing in the measurement of this PR" in reasons(verdict)


def test_a_metric_missing_in_base_is_inconclusive(run, make, axis):
    verdict = run(base=make.measurement(latency=None))
    assert axis(verdict, "latency_us").outcome is Outcome.INCONCLUSIVE


def test_a_missing_cell_is_shown_and_inconclusive(make, axis):
    base = make.measurement()
    verdict = judge(make.policy(), make.side("main", base), make.side("this PR"))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "this PR has no measurement of this cell" in verdict.cells[0].axes[0].checks[0].reason
    assert axis(verdict, "flash_bytes").base == 100_000


def test_no_base_judges_absolute_budgets_and_says_how_to_store_a_baseline(make, axis, reasons, flash):
    verdict = judge(make.policy(), Side("no base", "none"), make.side("this PR", make.measurement()))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("first run" in reason and "git add dvc.lock artifacts" in reason for reason in reasons(verdict))
    assert axis(verdict, "flash_bytes").checks[0].outcome is Outcome.PASS
    broken = make.measurement(flash=flash(150_001))
    assert judge(make.policy(), Side("no base", "none"), make.side("this PR", broken)).outcome is Outcome.FAIL


def test_a_base_without_this_cell_is_inconclusive(make, reasons):
    verdict = judge(make.policy(), make.side("main"), make.side("this PR", make.measurement()))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("main has no measurement of this cell" in reason for reason in reasons(verdict))


def test_a_policy_without_cells_is_inconclusive(make):
    policy = dataclasses.replace(make.policy(), cells={}, budgets={})
    assert judge(policy, make.side("main"), make.side("this PR")).outcome is Outcome.INCONCLUSIVE


def test_outputs_that_differ_from_the_reference_fail(run):
    verdict = run(mismatches=3, first_layer="fc2")
    assert verdict.outcome is Outcome.FAIL
    assert "3 of 50 outputs differ from the reference, first in layer `fc2`" in verdict.cells[0].checks[0].reason


def test_no_compared_outputs_are_inconclusive(run):
    assert run(vectors=0).outcome is Outcome.INCONCLUSIVE


def test_a_deeper_stack_than_computed_is_a_warning(run, make):
    assert run(ram={**make.measurement().ram, "stack_seen_bytes": 4_001}).outcome is Outcome.WARN


def test_a_drop_beyond_the_limit_and_significant_fails(run, reasons):
    verdict = run(wrong=35)  # 1.5 points, the limit is 1
    assert verdict.outcome is Outcome.FAIL
    assert any("McNemar, exact: p = 3.1e-05, level 0.01" in reason for reason in reasons(verdict))


def test_a_small_drop_is_a_warning(run):
    assert run(wrong=22).outcome is Outcome.WARN


def test_a_budget_on_the_wrong_side_is_inconclusive(run, make, axis):
    verdict = run(policy=make.policy(accuracy=Budget(max=0.99, worse_fail=0.01)))
    assert axis(verdict, "accuracy").outcome is Outcome.INCONCLUSIVE


def test_a_metric_where_lower_is_better(make):
    def errors(value, letter):
        one = make.measurement()
        samples = dataclasses.replace(one.samples, binary=False, higher_is_better=False, scores=(value,) * 1000)
        return dataclasses.replace(one, accuracy=value, samples=samples, hashes={**one.hashes, "image": letter * 64})

    policy = make.policy(accuracy=Budget(max=0.5, worse_warn=0.01, worse_fail=0.05))
    judged = [
        judge(policy, make.side("main", errors(0.3, "1")), make.side("this PR", errors(value, "2"))).outcome
        for value in (0.2, 0.32, 0.4, 0.6)
    ]
    assert judged == [Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.FAIL]


def test_rounding_is_not_a_regression():
    assert not beyond(0.98 - 0.977, 0.003)
    assert beyond(0.003001, 0.003)
    assert beyond(100_001.0, 100_000.0)
