"""Budgets in params.yaml: what is read, what is refused, what a change of them asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hilgate.errors import ParamsError
from hilgate.gate.policy import USUAL_WORSE_FAIL, Budget, allowance, read_policy, requests_between
from hilgate.gate.spread import Spread
from hilgate.params import load_params, parse_params

TEXT = """
cells:
  toy_a: {{ task: toy, board: board_a }}
gate:
  toy_a:
    accuracy: {{ min: 0.9, worse_fail: 0.01 }}
    flash_bytes: {entry}
"""


def policy(entry="{ max: 100, worse_warn: 1%, worse_fail: 2% }", text=TEXT):
    return read_policy(parse_params(text.format(entry=entry), Path("params.yaml")), "main")


def test_limits_are_read():
    budgets = policy().budgets["toy_a"]
    assert budgets["flash_bytes"] == Budget(max=100.0, worse_warn="1%", worse_fail="2%")
    assert budgets["accuracy"].limit == 0.9


def test_the_projects_own_params_have_a_full_policy(root):
    own = read_policy(load_params(root), "here")
    for cell in own.cells:
        assert set(own.budgets[cell]) == {"accuracy", "flash_bytes", "ram_bytes", "latency_us"}
        assert all(
            budget.skip or (budget.limit is not None and budget.worse_fail) for budget in own.budgets[cell].values()
        )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{ maximum: 100 }", "gate.toy_a.flash_bytes: unknown key `maximum`"),
        ("{ max: .nan }", "gate.toy_a.flash_bytes.max: nan is no number"),
        ("{ max: .inf }", "inf is no number"),
        ("{ max: 1.0e+308 }", "1e\\+308 is no limit"),
        ("{ max: -1 }", "-1 is no limit"),
        ("{ max: 5% }", "must be float or null, not '5%'"),
        ("{ worse_fail: many }", "'many' is no limit"),
        ("{ max: yes }", "must be float or null, not 'yes'"),
        ("{ max: true }", "must be float or null, not True"),
        ("{ worse_fail: -1 }", "-1.0 is no limit"),
        ("{ worse_fail: -1% }", "'-1%' is no limit"),
        ("{ worse_fail: 1e9% }", "is no limit"),
        ("{ min: 100 }", "`min` does not belong here"),
        ("{ worse_warn: 3%, worse_fail: 2% }", "worse_warn is beyond worse_fail"),
        ("7", "must be a mapping"),
        ("{ skip: because, max: 1 }", "`skip` takes a reason of at most 200 letters and no limit"),
        ('{ skip: " " }', "`skip` takes a reason of at most 200 letters and no limit"),
    ],
)
def test_a_limit_that_makes_no_sense_is_an_error_with_its_place(entry, message):
    with pytest.raises(ParamsError, match=message):
        policy(entry)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gate: { toy_b: {} }", "budgets for a cell that `cells` does not have"),
        ("cells: { a: { task: t, board: b } }\ngate: { a: { speed: { max: 1 } } }", "unknown metric `speed`"),
        ("cells: { a: { task: t, board: b } }\ngate: { a: 7 }", "must be a mapping of metrics"),
        ("cells: { ../../etc: { task: t, board: b } }", "is no cell name"),
        ("cells: { a/b: { task: t, board: b } }", "is no cell name"),
        ("cells: { '': { task: t, board: b } }", "is no cell name"),
    ],
)
def test_a_policy_that_makes_no_sense_is_an_error(text, message):
    with pytest.raises(ParamsError, match=message):
        read_policy(parse_params(text, Path("params.yaml")), "main")


def test_allowances():
    assert allowance("2%", 50.0) == 1.0
    assert allowance(3.0, 50.0) == 3.0
    assert allowance(None, 50.0) is None


@pytest.mark.parametrize(
    ("entry", "effect"),
    [
        ("{ max: 101, worse_warn: 1%, worse_fail: 2% }", "loosens"),
        ("{ max: 99, worse_warn: 1%, worse_fail: 2% }", "tightens"),
        ("{ worse_warn: 1%, worse_fail: 2% }", "loosens"),
        ("{ max: 100, worse_warn: 1%, worse_fail: 3% }", "loosens"),
        ("{ max: 100, worse_warn: 1%, worse_fail: 1.5% }", "tightens"),
        ("{ max: 100, worse_warn: 1%, worse_fail: 5 }", "changes"),
    ],
)
def test_a_changed_budget_is_a_request_with_its_effect(entry, effect):
    assert [request.effect for request in requests_between(policy(), policy(entry))] == [effect]


def test_a_lower_minimum_loosens():
    new = policy(text=TEXT.replace("min: 0.9", "min: 0.8"))
    assert [(r.what, r.effect) for r in requests_between(policy(), new)] == [("accuracy.min", "loosens")]


def test_a_cell_on_another_board_is_a_request():
    new = policy(text=TEXT.replace("board_a", "board_b"))
    assert [(r.kind, r.base, r.head) for r in requests_between(policy(), new)] == [
        ("cell", "toy on board_a", "toy on board_b")
    ]


def test_no_change_is_no_request():
    assert requests_between(policy(), policy()) == ()


@pytest.mark.parametrize("entry", ["{ max: 100 }", "{ max: 100, worse_warn: 1% }"])
def test_the_allowed_change_has_a_documented_default(root, entry):
    assert policy(entry).budgets["toy_a"]["flash_bytes"].worse_fail == USUAL_WORSE_FAIL["flash_bytes"]
    page = (root / "docs/gate.md").read_text("utf-8")
    for metric, share in USUAL_WORSE_FAIL.items():
        assert f"| `{metric}` | `{share}` |" in page


def test_a_skipped_metric_gets_no_default():
    assert policy("{ skip: because }").budgets["toy_a"]["flash_bytes"] == Budget(skip="because")


def test_a_default_that_is_written_out_asks_for_nothing():
    assert requests_between(policy("{ max: 100 }"), policy("{ max: 100, worse_fail: 2% }")) == ()


def test_a_changed_calibration_is_a_request():
    old = Spread("bench", "board_a", 64, 0.001, 0.002, 0.0, "2026-01-02")
    new = replace(old, upper=0.001, made="2026-02-03")
    asked = requests_between(replace(policy(), spreads={"bench": old}), replace(policy(), spreads={"bench": new}))
    assert [(one.kind, one.what, one.base, one.head) for one in asked] == [
        ("bench", "calibration of bench", "0.2 % (64 loads, 2026-01-02)", "0.1 % (64 loads, 2026-02-03)")
    ]
