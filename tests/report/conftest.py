"""Verdicts to render: the situations of the golden reports. Every number is synthetic, from tests/gate/conftest.py."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hilgate.artifacts import parse_json
from hilgate.gate.judge import judge
from hilgate.gate.measured import Build
from hilgate.gate.policy import Budget, Policy
from hilgate.gate.sides import Side
from hilgate.gate.verdict import Verdict
from hilgate.params import Cell

_spec = importlib.util.spec_from_file_location("gate_fixtures", Path(__file__).parents[1] / "gate" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
gate = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = gate
_spec.loader.exec_module(gate)

HOSTILE = "@everyone `|<img src=x onerror=alert(1)>| [x](http://evil.example) #1 \u202etxt\u202c\x07\x1b[31m\u200b$(id)"


def document(verdict: Verdict) -> dict[str, Any]:
    """As report reads it: through JSON and its schema."""
    return parse_json(json.dumps({"schema": "verdict", "version": 1, **verdict.document()}), "verdict", where="test")


def situations() -> dict[str, dict[str, Any]]:
    return {name: document(make()) for name, make in SITUATIONS.items()}


def changed(base: Any, **fields: Any) -> Any:
    """A head that is another image than its base."""
    return dataclasses.replace(base, **{"hashes": {**base.hashes, "image": "9" * 64, "weights": "8" * 64}, **fields})


def slower(base: Any, cycles: int) -> Any:
    """A head whose first layer takes the extra cycles."""
    extra = cycles - base.latency.cycles[0]
    layers = tuple((name, count + (extra if name == "fc1" else 0)) for name, count in base.latency.layers)
    return changed(base, latency=dataclasses.replace(base.latency, cycles=(cycles,) * 5, layers=layers))


def judged(base: Any, head: Any, **policies: Policy) -> Verdict:
    old, new = policies.get("old", gate.make_policy()), policies.get("new")
    base_side = Side("main", "git", "main (0123456789)", "0123456789abcdef" * 2 + "01234567", {base.cell: base}, old)
    return judge(old, base_side, gate.make_side("this PR", head, policy=new or old))


def all_pass() -> Verdict:
    one = gate.make_measurement()
    return judged(one, one)


def one_regress() -> Verdict:
    base = gate.make_measurement()
    head = slower(base, 214_200)
    flash = {**base.flash, "total_bytes": 101_204, "weights_bytes": 81_204}
    symbols = {("model_weights", "flash"): 80_000, ("fc_s8", "flash"): 700, ("model_run", "flash"): 300}
    path = ("reset_handler (8)", "main (16)", "model_run (120)", "fc_s8 (96)")
    old = Build(base.hashes["image"], symbols, path)
    new = Build(
        head.hashes["image"], {**symbols, ("model_weights", "flash"): 81_204, ("fc_packed_s8", "flash"): 250}, path
    )
    verdict = judged(dataclasses.replace(base, build=old), dataclasses.replace(head, flash=flash, build=new))
    return dataclasses.replace(verdict, params=({"name": "train.toy.channels", "base": "24", "head": "25"},))


def accuracy_drops() -> Verdict:
    return judged(gate.make_measurement(), changed(gate.make_measurement(wrong=60)))


def base_missing() -> Verdict:
    return judge(gate.make_policy(), Side("no base", "none"), gate.make_side("this PR", gate.make_measurement()))


def inconclusive() -> Verdict:
    return judged(gate.make_measurement(), changed(gate.make_measurement(), latency=None, samples=None))


def cell_missing() -> Verdict:
    old = gate.make_policy()
    return judge(old, gate.make_side("main", gate.make_measurement()), gate.make_side("this PR"))


def outputs_differ() -> Verdict:
    return judged(gate.make_measurement(), changed(gate.make_measurement(), mismatches=7, first_layer="fc2"))


def other_toolchain() -> Verdict:
    base = gate.make_measurement()
    environment = {**base.environment, "compiler_version": "13.3.1 20240614"}
    return judged(base, dataclasses.replace(slower(base, 195_000), environment=environment))


def predicted_only() -> Verdict:
    base = gate.make_measurement(evidence="elsewhere")
    return judged(base, slower(base, 200_400))


def measured_and_predicted() -> Verdict:
    return judged(gate.make_measurement(), changed(gate.make_measurement(), source="measured", evidence="measured"))


def budget_change_requested() -> Verdict:
    one, old = gate.make_measurement(), gate.make_policy()
    new = gate.make_policy(
        flash_bytes=Budget(max=200_000, worse_warn="0.5%", worse_fail="2%"),
        accuracy=Budget(min=0.96, worse_warn=0.001, worse_fail=0.01),
    )
    return judged(one, one, old=old, new=new)


def forty_cells() -> Verdict:
    one = gate.make_measurement()
    names = [f"toy_board_{number:02}" for number in range(40)]
    base = {name: dataclasses.replace(one, cell=name) for name in names}
    head = dict(base)
    head["toy_board_07"] = slower(base["toy_board_07"], 207_000)
    head["toy_board_23"] = slower(base["toy_board_23"], 203_000)
    del head["toy_board_31"]
    budgets = gate.make_policy().budgets[gate.CELL]
    cells = {name: Cell("toy", "board_a") for name in names}
    policy = Policy("main (0123456789)", cells, dict.fromkeys(names, budgets))
    return judge(policy, gate.make_side("main", *base.values()), gate.make_side("this PR", *head.values()))


def metric_skipped() -> Verdict:
    policy = gate.make_policy(latency_us=Budget(skip="this machine has no cycle counter"))
    one = gate.make_measurement(latency=None)
    return judged(one, one, old=policy)


def hostile_names() -> Verdict:
    base = gate.make_measurement()
    layers = ((HOSTILE, 150_000), ("| a | b |\n\n# heading", 50_000))
    environment = {**base.environment, "compiler": HOSTILE, HOSTILE[:40]: "www.evil.example @octocat"}
    head = changed(base, latency=dataclasses.replace(base.latency, layers=layers), environment=environment)
    return judged(base, dataclasses.replace(head, mismatches=1, first_layer=HOSTILE))


SITUATIONS = {
    make.__name__: make
    for make in (
        all_pass,
        one_regress,
        accuracy_drops,
        base_missing,
        inconclusive,
        cell_missing,
        outputs_differ,
        other_toolchain,
        predicted_only,
        measured_and_predicted,
        budget_change_requested,
        forty_cells,
        metric_skipped,
        hostile_names,
    )
}


@pytest.fixture(scope="session", name="gate")
def gate_fixture() -> Any:
    """The makers of synthetic measurements."""
    return gate


@pytest.fixture(scope="session")
def verdicts() -> dict[str, dict[str, Any]]:
    """Every situation's verdict.json as a document."""
    return situations()
