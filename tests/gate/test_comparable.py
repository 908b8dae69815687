"""What may be compared with what: evidence, toolchains, cost models, test sets. Numbers are synthetic."""

from __future__ import annotations

import pytest

from hilgate.gate.judge import judge
from hilgate.gate.policy import Budget
from hilgate.gate.verdict import Outcome


@pytest.mark.parametrize("evidence", ["elsewhere", "uncalibrated"])
def test_weak_evidence_does_not_enforce_an_absolute_latency(run, make, evidence, reasons, latency):
    same = make.measurement(evidence=evidence, latency=latency(260_000))
    verdict = run(base=same, head=same)
    assert verdict.outcome is Outcome.WARN  # above the budget: said, not enforced
    within = make.measurement(evidence=evidence)
    verdict = run(base=within, head=within)
    assert verdict.outcome is Outcome.PASS
    assert f"absolute budget not enforced: predicted, evidence `{evidence}`" in reasons(verdict)


@pytest.mark.parametrize("evidence", ["elsewhere", "uncalibrated"])
def test_weak_evidence_still_enforces_regressions(run, make, evidence, latency):
    slower = make.measurement(
        evidence=evidence, latency=latency(207_000), hashes={**make.measurement().hashes, "image": "9" * 64}
    )
    assert run(base=make.measurement(evidence=evidence), head=slower).outcome is Outcome.FAIL


@pytest.mark.parametrize("evidence", ["calibrated", "validated"])
def test_good_evidence_enforces_an_absolute_latency(run, make, evidence, latency):
    same = make.measurement(evidence=evidence, latency=latency(260_000))
    assert run(base=same, head=same).outcome is Outcome.FAIL


def test_a_head_that_calls_its_evidence_weak_does_not_escape_the_budget(run, make, latency):
    slow = latency(260_000)
    verdict = run(base=make.measurement(latency=slow), head=make.measurement(latency=slow, evidence="uncalibrated"))
    assert verdict.outcome is Outcome.FAIL
    assert [(request.kind, request.base, request.head) for request in verdict.requests] == [
        ("evidence", "validated", "uncalibrated")
    ]


@pytest.mark.parametrize("key", ["compiler", "compiler_version"])
def test_another_toolchain_makes_sizes_and_cycles_inconclusive(run, make, key, reasons):
    ours = make.measurement().environment
    other = {**ours, key: "other 1.0"}
    verdict = run(environment=other)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    outcomes = {axis.metric: axis.outcome for axis in verdict.cells[0].axes}
    assert outcomes["accuracy"] is Outcome.PASS
    assert {outcomes[metric] for metric in ("flash_bytes", "ram_bytes", "latency_us")} == {Outcome.INCONCLUSIVE}
    old, new = (f"{one['compiler']} {one['compiler_version']}" for one in (ours, other))
    said = f"another compiler: `{old}` in main, `{new}` in this PR; sizes and cycles of two compilers"
    assert f"{said} are not compared" in reasons(verdict)


def test_other_flags_are_a_change_of_the_product_not_of_the_toolchain(run, make):
    verdict = run(environment={**make.measurement().environment, "flags": "-Os"})
    assert verdict.outcome is Outcome.PASS
    assert verdict.cells[0].changes["environment"] == [{"name": "flags", "base": "-O2", "head": "-Os"}]


def test_an_unnamed_toolchain_is_inconclusive(run, make, axis):
    verdict = run(environment={}, base=make.measurement(environment={}))
    assert axis(verdict, "flash_bytes").outcome is Outcome.INCONCLUSIVE


def test_another_cost_model_makes_only_cycles_inconclusive(run, make, axis):
    verdict = run(environment={**make.measurement().environment, "cost_model": "other"})
    assert axis(verdict, "flash_bytes").outcome is Outcome.PASS
    assert axis(verdict, "latency_us").outcome is Outcome.INCONCLUSIVE


def test_predicted_and_measured_are_never_compared(run, axis):
    verdict = run(source="measured", evidence="measured")
    assert axis(verdict, "latency_us").outcome is Outcome.INCONCLUSIVE
    assert axis(verdict, "latency_us").base is None
    assert axis(verdict, "latency_us").change is None


def test_one_measured_load_cannot_show_a_regression_but_keeps_its_absolute_budget(run, make, axis, latency):
    measured = {"source": "measured", "evidence": "measured"}
    base = make.measurement(**measured)
    assert axis(run(base=base, **measured), "latency_us").outcome is Outcome.INCONCLUSIVE
    assert axis(run(base=base, **measured, latency=latency(260_000)), "latency_us").outcome is Outcome.FAIL


def test_a_measurement_of_another_board_is_inconclusive(run):
    verdict = run(board="board_b")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the measurement is of `toy on board_b`, the cell is `toy on board_a`" in verdict.cells[0].checks[1].reason


def test_the_same_image_with_other_cycles_is_the_measurings_fault(run, make, reasons, latency):
    verdict = run(head=make.measurement(latency=latency(199_999)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("the very image of main, yet other numbers" in reason for reason in reasons(verdict))


def test_a_drop_beyond_the_limit_that_may_be_chance_is_inconclusive(make, reasons):
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


def test_another_test_set_is_inconclusive_and_a_request(run, make, axis):
    base = make.measurement()
    verdict = run(hashes={**base.hashes, "dataset": "8" * 64})
    assert axis(verdict, "accuracy").outcome is Outcome.INCONCLUSIVE
    assert [request.kind for request in verdict.requests] == ["test set"]


def test_missing_samples_are_inconclusive(run, axis, reasons):
    verdict = run(samples=None)
    assert axis(verdict, "accuracy").outcome is Outcome.INCONCLUSIVE
    assert any("this PR has no samples.json" in reason for reason in reasons(verdict))
