"""What a head asks to change about its own judging, and who decides. Numbers are synthetic."""

from __future__ import annotations

import dataclasses

import pytest

from hilgate.gate.changes import changed_params
from hilgate.gate.judge import judge
from hilgate.gate.policy import Budget
from hilgate.gate.verdict import Outcome
from hilgate.params import Cell


def test_a_metric_that_the_policy_skips_is_shown_not_judged(run, make, axis, reasons):
    verdict = run(policy=make.policy(latency_us=Budget(skip="no cycle counter")), latency=None)
    assert verdict.outcome is Outcome.PASS
    assert "not judged by the policy of main: no cycle counter" in reasons(verdict)
    assert not axis(verdict, "latency_us").checks[0].enforced


def test_a_head_cannot_skip_a_metric_by_itself(make, flash):
    one, old, new = make.measurement(), make.policy(), make.policy(flash_bytes=Budget(skip="too large"))
    large = make.measurement(flash=flash(151_000))
    verdict = judge(old, make.side("main", one, policy=old), make.side("this PR", large, policy=new))
    assert verdict.outcome is Outcome.FAIL
    assert ("flash_bytes.skip", "not set", "too large", "loosens") in [
        (r.what, r.base, r.head, r.effect) for r in verdict.requests
    ]


def test_leftover_measurements_are_noted_and_ignored(make):
    stranger = dataclasses.replace(make.measurement(), cell="old_cell")
    one = make.measurement()
    verdict = judge(make.policy(), make.side("main", one), make.side("this PR", one, stranger))
    assert verdict.outcome is Outcome.PASS
    assert "`old_cell` was measured but is in no policy: ignored" in verdict.notes


def test_a_request_waits_and_an_approval_lets_the_new_policy_judge(make, flash):
    one = make.measurement(flash=flash(151_000))
    old, new = make.policy(), make.policy(flash_bytes=Budget(max=160_000, worse_warn="0.5%", worse_fail="2%"))
    base, head = make.side("main", one, policy=old), make.side("this PR", one, policy=new)
    by_old = judge(old, base, head)
    assert by_old.outcome is Outcome.FAIL
    assert [(r.what, r.base, r.head, r.effect) for r in by_old.requests] == [
        ("flash_bytes.max", "150000", "160000", "loosens")
    ]
    assert judge(new, base, head, approved_by="reviewer").outcome is Outcome.PASS


def test_other_changes_of_params_are_shown_and_judge_nothing(make):
    one = make.measurement()
    old = {"build": {"a": {"optimize": "O2"}}, "gate": {"x": 1}}
    new = {"build": {"a": {"optimize": "Os", "new": 1}}, "gate": {}}
    base, head = make.side("main", one), make.side("this PR", one)
    verdict = judge(make.policy(), dataclasses.replace(base, params=old), dataclasses.replace(head, params=new))
    assert verdict.outcome is Outcome.PASS
    assert verdict.params == (
        {"name": "build.a.new", "base": "not set", "head": "1"},
        {"name": "build.a.optimize", "base": "O2", "head": "Os"},
    )


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
    verdict = judge(old, base, head)
    assert verdict.outcome is Outcome.WAITING
    assert [(cell.cell, cell.outcome) for cell in verdict.cells[1:]] == [("toy_new", Outcome.WAITING)], "it is shown"
    approved = judge(new, base, head, approved_by="reviewer")
    assert approved.outcome is Outcome.PASS
    assert "not compared: the cell is new, and that was approved" in approved.cells[1].axes[1].checks[1].reason


@pytest.mark.parametrize("without", [None, Budget(worse_fail="3%")], ids=["no entry", "no max"])
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Budget(max=2_500, worse_fail="3%"), "≤ 2,500.0 µs"),
        (Budget(skip="no counter"), "not to judge it (`no counter`)"),
    ],
)
def test_a_budget_that_only_the_head_has_waits(make, axis, without, asked, words):
    one, old, new = make.measurement(), make.policy(latency_us=without), make.policy(latency_us=asked)
    base, head = make.side("main", one, policy=old), make.side("this PR", one, policy=new)
    found = axis(judge(old, base, head), "latency_us")
    assert found.outcome is Outcome.WAITING
    said = f"no absolute budget in the policy of main; what this PR sets, {words}, waits for an approval"
    assert found.checks[0].reason == said
    assert judge(new, base, head, approved_by="reviewer").outcome is Outcome.PASS


@pytest.mark.parametrize("asked", [None, Budget(worse_fail="5%")])
def test_a_budget_that_nobody_has_is_to_be_set(make, axis, asked):
    one, old, new = make.measurement(), make.policy(latency_us=None), make.policy(latency_us=asked)
    base, head = make.side("main", one, policy=old), make.side("this PR", one, policy=new)
    found = axis(judge(old, base, head), "latency_us")
    assert found.outcome is Outcome.INCONCLUSIVE
    where = "gate.toy_board_a.latency_us of params.yaml"
    assert found.checks[0].reason == f"no absolute budget in the policy of main; set {where}"


def test_a_removed_cell_is_inconclusive_until_approved(make):
    one, old = make.measurement(), make.policy()
    new = dataclasses.replace(old, cells={}, budgets={})
    verdict = judge(old, make.side("main", one, policy=old), make.side("this PR", policy=new))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert [(request.kind, request.effect) for request in verdict.requests] == [("cell", "removes")]


def test_params_that_contain_themselves_or_explode_are_cut():
    loop: dict[str, object] = {}
    loop["again"] = loop
    bomb: list[object] = ["x"]
    for _ in range(40):
        bomb = [bomb] * 40
    changed = changed_params({"train": loop}, {"train": {"a": bomb}, "data": {str(n): n for n in range(10_000)}})
    assert len(changed) == 200
    assert all(len(row["head"]) <= 200 for row in changed)


def test_another_board_of_a_cell_is_never_compared_and_passes_once_approved(make, axis, flash):
    old = make.policy()
    new = dataclasses.replace(old, cells={"toy_board_a": Cell("toy", "board_b")})
    hashes = {**make.measurement().hashes, "image": "9" * 64}
    other = make.measurement(board="board_b", flash=flash(120_000), hashes=hashes)  # 20 % more, on another chip
    base, head = make.side("main", make.measurement(), policy=old), make.side("this PR", other, policy=new)
    assert judge(old, base, head).outcome is Outcome.INCONCLUSIVE
    unapproved = axis(judge(new, base, head), "flash_bytes")
    assert unapproved.outcome is Outcome.INCONCLUSIVE
    assert unapproved.checks[1].reason == "main has this cell on `board_a`, this PR on `board_b`"
    approved = judge(new, base, head, approved_by="reviewer")
    assert approved.outcome is Outcome.PASS
    reasons = [one.checks[1].reason for one in approved.cells[0].axes]
    assert reasons == ["as in main"] + ["not compared: the board is another one, and that was approved"] * 3


def test_another_compiler_is_asked_for_and_not_compared_once_approved(make, axis, flash):
    policy = make.policy()
    changed = {
        "environment": {**make.measurement().environment, "compiler_version": "13.3.1 20240614"},
        "hashes": {**make.measurement().hashes, "image": "9" * 64},
        "flash": flash(120_000),
    }
    base = make.side("main", make.measurement(), policy=policy)
    head = make.side("this PR", make.measurement(**changed), policy=policy)
    verdict = judge(policy, base, head)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    old, new = "arm-none-eabi-gcc 12.2.1 20221205", "arm-none-eabi-gcc 13.3.1 20240614"
    assert [(one.kind, one.base, one.head) for one in verdict.requests] == [("compiler", old, new)]
    approved = judge(policy, base, head, approved_by="reviewer")
    assert approved.outcome is Outcome.PASS
    assert axis(approved, "flash_bytes").checks[1].reason.startswith("not compared: the compiler is another one")
    large = make.side("this PR", make.measurement(**{**changed, "flash": flash(150_001)}), policy=policy)
    assert judge(policy, base, large, approved_by="reviewer").outcome is Outcome.FAIL, "its own budget holds"
    measured = make.measurement(**changed, source="measured", evidence="measured")
    board = judge(policy, base, make.side("this PR", measured, policy=policy), approved_by="reviewer")
    assert axis(board, "latency_us").outcome is Outcome.INCONCLUSIVE, "a prediction is no base of a measurement"
