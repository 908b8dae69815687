"""One test per rule of the judge. Numbers are synthetic."""

from __future__ import annotations

import dataclasses

import pytest

from hilgate.gate.judge import judge
from hilgate.gate.policy import Budget
from hilgate.gate.rules import beyond
from hilgate.gate.sides import Side
from hilgate.gate.verdict import Outcome
from hilgate.params import Cell


@pytest.fixture
def run(make):
    """Judge one changed head against an unchanged base."""

    def judged(head=None, base=None, policy=None, **changed):
        base = make.measurement() if base is None else base
        head = make.measurement(**{"hashes": {**base.hashes, "image": "9" * 64}, **changed}) if head is None else head
        return judge(policy or make.policy(), make.side("main", base), make.side("this PR", head))

    return judged


def axis(verdict, metric):
    return next(axis for axis in verdict.cells[0].axes if axis.metric == metric)


def reasons(verdict):
    cell = verdict.cells[0]
    return [check.reason for check in (*cell.checks, *(c for a in cell.axes for c in a.checks))]


def flash(make, total):
    return {**make.measurement().flash, "total_bytes": total}


def latency(make, cycles):
    return dataclasses.replace(make.measurement().latency, cycles=(cycles,) * 5)


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
        (100_500, Outcome.PASS, "within the 0.5 % of worse_warn"),
        (100_501, Outcome.WARN, "beyond the 0.5 % of worse_warn"),
        (102_000, Outcome.WARN, "beyond the 0.5 % of worse_warn"),
        (102_001, Outcome.FAIL, "beyond the 2 % of worse_fail"),
    ],
)
def test_a_size_that_grew_is_judged_by_its_limits(run, make, total, outcome, word):
    verdict = run(flash=flash(make, total))
    assert axis(verdict, "flash_bytes").outcome is verdict.outcome is outcome
    assert any(word in reason for reason in reasons(verdict))


@pytest.mark.parametrize(("total", "outcome"), [(150_000, Outcome.PASS), (150_001, Outcome.FAIL)])
def test_an_absolute_budget_is_broken_beyond_it_not_at_it(run, make, total, outcome):
    same = make.measurement(flash=flash(make, total))
    verdict = run(base=same, head=same)
    assert verdict.outcome is outcome
    assert axis(verdict, "flash_bytes").headroom == 150_000 - total


def test_without_worse_warn_whatever_gets_worse_is_a_warning(run, make):
    policy = make.policy(flash_bytes=Budget(max=150_000, worse_fail="2%"))
    assert run(policy=policy, flash=flash(make, 100_001)).outcome is Outcome.WARN


def test_a_limit_in_units_is_not_a_share(run, make):
    policy = make.policy(flash_bytes=Budget(max=150_000, worse_warn=10, worse_fail=20.0))
    assert run(policy=policy, flash=flash(make, 100_020)).outcome is Outcome.WARN
    assert run(policy=policy, flash=flash(make, 100_021)).outcome is Outcome.FAIL


@pytest.mark.parametrize("budget", [Budget(max=150_000), Budget(worse_fail="2%"), None])
def test_a_budget_that_is_not_set_is_inconclusive(run, make, budget):
    verdict = run(policy=make.policy(flash_bytes=budget))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.outcome.exit_code == 11
    assert any("no" in reason and "in the policy of main; set" in reason for reason in reasons(verdict))


def test_a_metric_that_the_policy_skips_is_shown_not_judged(run, make):
    verdict = run(policy=make.policy(latency_us=Budget(skip="no cycle counter")), latency=None)
    assert verdict.outcome is Outcome.PASS
    assert "not judged by the policy of main: no cycle counter" in reasons(verdict)
    assert not axis(verdict, "latency_us").checks[0].enforced


def test_a_head_cannot_skip_a_metric_by_itself(make):
    one, old, new = make.measurement(), make.policy(), make.policy(flash_bytes=Budget(skip="too large"))
    large = make.measurement(flash=flash(make, 151_000))
    verdict = judge(old, make.side("main", one, policy=old), make.side("this PR", large, policy=new))
    assert verdict.outcome is Outcome.FAIL
    assert ("flash_bytes.skip", "not set", "too large", "loosens") in [
        (r.what, r.base, r.head, r.effect) for r in verdict.requests
    ]


def test_a_missing_metric_is_inconclusive(run):
    verdict = run(latency=None)
    assert axis(verdict, "latency_us").outcome is verdict.outcome is Outcome.INCONCLUSIVE
    assert "missing in the measurement of this PR" in reasons(verdict)


def test_a_metric_missing_in_base_is_inconclusive(run, make):
    verdict = run(base=make.measurement(latency=None))
    assert axis(verdict, "latency_us").outcome is Outcome.INCONCLUSIVE


def test_a_missing_cell_is_shown_and_inconclusive(make):
    base = make.measurement()
    verdict = judge(make.policy(), make.side("main", base), make.side("this PR"))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "this PR has no measurement of this cell" in verdict.cells[0].axes[0].checks[0].reason
    assert axis(verdict, "flash_bytes").base == 100_000


def test_no_base_judges_absolute_budgets_and_says_how_to_store_a_baseline(make):
    verdict = judge(make.policy(), Side("no base", "none"), make.side("this PR", make.measurement()))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("first run" in reason and "git add dvc.lock artifacts" in reason for reason in reasons(verdict))
    assert axis(verdict, "flash_bytes").checks[0].outcome is Outcome.PASS
    broken = make.measurement(flash=flash(make, 150_001))
    assert judge(make.policy(), Side("no base", "none"), make.side("this PR", broken)).outcome is Outcome.FAIL


def test_a_base_without_this_cell_is_inconclusive(make):
    verdict = judge(make.policy(), make.side("main"), make.side("this PR", make.measurement()))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("main has no measurement of this cell" in reason for reason in reasons(verdict))


def test_a_policy_without_cells_is_inconclusive(make):
    policy = dataclasses.replace(make.policy(), cells={}, budgets={})
    assert judge(policy, make.side("main"), make.side("this PR")).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("evidence", ["elsewhere", "uncalibrated"])
def test_weak_evidence_does_not_enforce_an_absolute_latency(run, make, evidence):
    same = make.measurement(evidence=evidence, latency=latency(make, 260_000))
    verdict = run(base=same, head=same)
    assert verdict.outcome is Outcome.WARN  # above the budget: said, not enforced
    within = make.measurement(evidence=evidence)
    verdict = run(base=within, head=within)
    assert verdict.outcome is Outcome.PASS
    assert f"absolute budget not enforced: predicted, evidence `{evidence}`" in reasons(verdict)


@pytest.mark.parametrize("evidence", ["elsewhere", "uncalibrated"])
def test_weak_evidence_still_enforces_regressions(run, make, evidence):
    slower = make.measurement(
        evidence=evidence, latency=latency(make, 207_000), hashes={**make.measurement().hashes, "image": "9" * 64}
    )
    assert run(base=make.measurement(evidence=evidence), head=slower).outcome is Outcome.FAIL


@pytest.mark.parametrize("evidence", ["calibrated", "validated"])
def test_good_evidence_enforces_an_absolute_latency(run, make, evidence):
    same = make.measurement(evidence=evidence, latency=latency(make, 260_000))
    assert run(base=same, head=same).outcome is Outcome.FAIL


def test_a_head_that_calls_its_evidence_weak_does_not_escape_the_budget(run, make):
    slow = latency(make, 260_000)
    verdict = run(base=make.measurement(latency=slow), head=make.measurement(latency=slow, evidence="uncalibrated"))
    assert verdict.outcome is Outcome.FAIL
    assert [(request.kind, request.base, request.head) for request in verdict.requests] == [
        ("evidence", "validated", "uncalibrated")
    ]


@pytest.mark.parametrize("key", ["compiler", "compiler_version"])
def test_another_toolchain_makes_sizes_and_cycles_inconclusive(run, make, key):
    other = {**make.measurement().environment, key: "other 1.0"}
    verdict = run(environment=other)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    outcomes = {axis.metric: axis.outcome for axis in verdict.cells[0].axes}
    assert outcomes["accuracy"] is Outcome.PASS
    assert {outcomes[metric] for metric in ("flash_bytes", "ram_bytes", "latency_us")} == {Outcome.INCONCLUSIVE}
    assert any("another toolchain" in reason and "`other 1.0` in this PR" in reason for reason in reasons(verdict))


def test_other_flags_are_a_change_of_the_product_not_of_the_toolchain(run, make):
    verdict = run(environment={**make.measurement().environment, "flags": "-Os"})
    assert verdict.outcome is Outcome.PASS
    assert verdict.cells[0].changes["environment"] == [{"name": "flags", "base": "-O2", "head": "-Os"}]


def test_an_unnamed_toolchain_is_inconclusive(run, make):
    verdict = run(environment={}, base=make.measurement(environment={}))
    assert axis(verdict, "flash_bytes").outcome is Outcome.INCONCLUSIVE


def test_another_cost_model_makes_only_cycles_inconclusive(run, make):
    verdict = run(environment={**make.measurement().environment, "cost_model": "other"})
    assert axis(verdict, "flash_bytes").outcome is Outcome.PASS
    assert axis(verdict, "latency_us").outcome is Outcome.INCONCLUSIVE


def test_predicted_and_measured_are_never_compared(run):
    verdict = run(source="measured", evidence="measured")
    assert axis(verdict, "latency_us").outcome is Outcome.INCONCLUSIVE
    assert axis(verdict, "latency_us").base is None
    assert axis(verdict, "latency_us").change is None


def test_one_measured_load_cannot_show_a_regression_but_keeps_its_absolute_budget(run, make):
    measured = {"source": "measured", "evidence": "measured"}
    base = make.measurement(**measured)
    assert axis(run(base=base, **measured), "latency_us").outcome is Outcome.INCONCLUSIVE
    assert axis(run(base=base, **measured, latency=latency(make, 260_000)), "latency_us").outcome is Outcome.FAIL


def test_outputs_that_differ_from_the_reference_fail(run):
    verdict = run(mismatches=3, first_layer="fc2")
    assert verdict.outcome is Outcome.FAIL
    assert "3 of 50 outputs differ from the reference, first in layer `fc2`" in verdict.cells[0].checks[0].reason


def test_no_compared_outputs_are_inconclusive(run):
    assert run(vectors=0).outcome is Outcome.INCONCLUSIVE


def test_a_measurement_of_another_board_is_inconclusive(run):
    verdict = run(board="board_b")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the measurement is of `toy on board_b`, the cell is `toy on board_a`" in verdict.cells[0].checks[1].reason


def test_a_deeper_stack_than_computed_is_a_warning(run, make):
    assert run(ram={**make.measurement().ram, "stack_seen_bytes": 4_001}).outcome is Outcome.WARN


def test_the_same_image_with_other_cycles_is_the_measurings_fault(run, make):
    verdict = run(head=make.measurement(latency=latency(make, 199_999)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("the very image of main, yet other numbers" in reason for reason in reasons(verdict))


def test_a_drop_beyond_the_limit_and_significant_fails(run):
    verdict = run(wrong=35)  # 1.5 points, the limit is 1
    assert verdict.outcome is Outcome.FAIL
    assert any("McNemar, exact: p = 3.1e-05, level 0.01" in reason for reason in reasons(verdict))


def test_a_drop_beyond_the_limit_that_may_be_chance_is_inconclusive(make):
    policy = make.policy(accuracy=Budget(min=0.9, worse_warn=0.001, worse_fail=0.01))
    sides = [
        make.measurement(wrong=wrong, n=100, hashes={**make.measurement().hashes, "image": letter * 64})
        for wrong, letter in ((2, "1"), (5, "2"))
    ]
    verdict = judge(policy, make.side("main", sides[0]), make.side("this PR", sides[1]))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any(
        "cannot tell it from chance, the smallest drop it could call real is 7.00 points" in r for r in reasons(verdict)
    )


def test_a_small_drop_is_a_warning(run):
    assert run(wrong=22).outcome is Outcome.WARN


def test_another_test_set_is_inconclusive_and_a_request(run, make):
    base = make.measurement()
    verdict = run(hashes={**base.hashes, "dataset": "8" * 64})
    assert axis(verdict, "accuracy").outcome is Outcome.INCONCLUSIVE
    assert [request.kind for request in verdict.requests] == ["test set"]


def test_missing_samples_are_inconclusive(run):
    verdict = run(samples=None)
    assert axis(verdict, "accuracy").outcome is Outcome.INCONCLUSIVE
    assert any("this PR has no samples.json" in reason for reason in reasons(verdict))


def test_a_budget_on_the_wrong_side_is_inconclusive(run, make):
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


def test_leftover_measurements_are_noted_and_ignored(make):
    stranger = dataclasses.replace(make.measurement(), cell="old_cell")
    one = make.measurement()
    verdict = judge(make.policy(), make.side("main", one), make.side("this PR", one, stranger))
    assert verdict.outcome is Outcome.PASS
    assert "`old_cell` was measured but is in no policy: ignored" in verdict.notes


def test_a_request_waits_and_an_approval_lets_the_new_policy_judge(make):
    one = make.measurement(flash=flash(make, 151_000))
    old, new = make.policy(), make.policy(flash_bytes=Budget(max=160_000, worse_warn="0.5%", worse_fail="2%"))
    base, head = make.side("main", one, policy=old), make.side("this PR", one, policy=new)
    by_old = judge(old, base, head)
    assert by_old.outcome is Outcome.FAIL
    assert [(r.what, r.base, r.head, r.effect) for r in by_old.requests] == [
        ("flash_bytes.max", "150000", "160000", "loosens")
    ]
    assert judge(new, base, head, approved_by="reviewer").outcome is Outcome.PASS


def test_a_request_alone_is_waiting(make):
    one, old = make.measurement(), make.policy()
    new = make.policy(flash_bytes=Budget(max=140_000, worse_warn="0.5%", worse_fail="2%"))
    verdict = judge(old, make.side("main", one, policy=old), make.side("this PR", one, policy=new))
    assert verdict.outcome is Outcome.WAITING
    assert verdict.outcome.exit_code == 12
    assert verdict.requests[0].effect == "tightens"


def test_a_new_cell_waits_and_passes_once_approved(make):
    one = make.measurement()
    added = dataclasses.replace(one, cell="toy_new")
    old = make.policy()
    new = dataclasses.replace(
        old,
        cells={**old.cells, "toy_new": Cell("toy", "board_a")},
        budgets={**old.budgets, "toy_new": old.budgets["toy_board_a"]},
    )
    base, head = make.side("main", one, policy=old), make.side("this PR", one, added, policy=new)
    assert judge(old, base, head).outcome is Outcome.WAITING
    approved = judge(new, base, head, approved_by="reviewer")
    assert approved.outcome is Outcome.PASS
    assert "not compared: the cell is new, and that was approved" in approved.cells[1].axes[1].checks[1].reason


def test_a_removed_cell_is_inconclusive_until_approved(make):
    one, old = make.measurement(), make.policy()
    new = dataclasses.replace(old, cells={}, budgets={})
    verdict = judge(old, make.side("main", one, policy=old), make.side("this PR", policy=new))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert [(request.kind, request.effect) for request in verdict.requests] == [("cell", "removes")]


def test_rounding_is_not_a_regression():
    assert not beyond(0.98 - 0.977, 0.003)
    assert beyond(0.003001, 0.003)
    assert beyond(100_001.0, 100_000.0)
