"""The situations of the golden reports, judged by the real gate on made-up measurements of a made-up network.

Every number is synthetic (from tests/gate/conftest.py and below). Each situation is a Verdict and, of a pull request, a
context as the trusted workflow writes it.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hilgate.ci.judging.standing import with_hardware
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

Document = dict[str, Any]
HOSTILE = "@everyone `|<img src=x onerror=alert(1)>| [x](http://evil.example) #1 \u202etxt\u202c\x07\x1b[31m\u200b$(id)"
BASE_SHA, HEAD_SHA = "0123456789abcdef" * 2 + "01234567", "fedcba9876543210" * 2 + "fedcba98"
LAYERS = ("conv2d_1", "conv2d_2", "conv2d_3", "dense")
CYCLES = (60_000, 50_000, 80_000, 10_000)
PATH = ("reset_handler (8)", "main (16)", "model_run (120)", "conv2d_panel_s8 (96)")


def layer(name: str, inputs: int, outputs: int, **changed: Any) -> Document:
    facts = {"op": "conv2d", "kernel": "conv2d_panel_s8", "macs": 9 * 64 * inputs * outputs, "arena_bytes": 2000}
    shapes = {"input_shapes": [[1, 8, 8, inputs]], "output_shape": [1, 8, 8, outputs]}
    return {"name": name, **facts, **shapes, "weights_bytes": 9 * inputs * outputs + 16 * outputs, **changed}


def network(channels: int = 24, kernel: str = "conv2d_panel_s8") -> tuple[Document, ...]:
    """Three convolutions and a dense layer; channels: between the second and the third."""
    vectors = {"input_shapes": [[1, 3200]], "output_shape": [1, 10], "op": "fully_connected"}
    return (
        layer("conv2d_1", 3, 24),
        layer("conv2d_2", 24, channels),
        layer("conv2d_3", channels, 50, kernel=kernel),
        layer("dense", 3200, 10, **vectors, kernel="fully_connected_s8", macs=32_000, weights_bytes=61_736),
    )


def build(layers: tuple[Document, ...], image: str, **symbols: int) -> Build:
    blob = sum(one["weights_bytes"] for one in layers) + 64
    sizes = {
        ("model_weights", "flash"): blob,
        ("model_run", "flash"): 300,
        ("arena", "sram"): 2000,
        ("ring", "sram"): 4096,
    }
    sizes |= {(name, "flash"): size for name, size in symbols.items()}
    sections = {(".kernels", "flash"): sum(symbols.values()), (".text", "flash"): 15_000, (".weights", "flash"): blob}
    return Build(image, sizes, PATH, {**sections, (".arena", "ram"): 2000, (".bss", "ram"): 14_000}, layers)


def toy(**changed: Any) -> Any:
    """The base: a network whose layers, sections and symbols are known."""
    one = gate.make_measurement(**{key: value for key, value in changed.items() if key in ("wrong", "n")})
    latency = dataclasses.replace(one.latency, layers=tuple(zip(LAYERS, CYCLES, strict=True)))
    built = build(network(), one.hashes["image"], conv2d_panel_s8=4_000, fully_connected_s8=1_000)
    rest = {key: value for key, value in changed.items() if key not in ("wrong", "n")}
    return dataclasses.replace(one, **{"latency": latency, "build": built, **rest})


def changed(base: Any, **fields: Any) -> Any:
    """A head that is another image than its base."""
    return dataclasses.replace(base, **{"hashes": {**base.hashes, "image": "9" * 64, "weights": "8" * 64}, **fields})


def slower(base: Any, cycles: int) -> Any:
    """A head whose third convolution takes the extra cycles."""
    extra = cycles - base.latency.cycles[0]
    layers = tuple((name, count + (extra if name == "conv2d_3" else 0)) for name, count in base.latency.layers)
    return changed(base, latency=dataclasses.replace(base.latency, cycles=(cycles,) * 5, layers=layers))


def judged(base: Any, head: Any, **sides: Any) -> Verdict:
    """old, new: policies of base and head; params: of both sides; packages: of both sides."""
    old, new = sides.get("old", gate.make_policy()), sides.get("new")
    params, packages = sides.get("params", ({}, {})), sides.get("packages", ({}, {}))
    origin = Side("main", "git", "main (0123456789)", BASE_SHA, {base.cell: base}, old, params[0], packages[0])
    mine = dataclasses.replace(
        gate.make_side("this PR", head, policy=new or old), params=params[1], packages=packages[1]
    )
    return judge(old, origin, mine)


def context(**changed: Any) -> Document:
    """As `hilgate ci recompute` writes it, of a pull request in the same repository."""
    about = {"schema": "context", "version": 1, "repository": "acme/watch", "pull_request": 7, "head_sha": HEAD_SHA}
    base = {"base_ref": "main", "base_sha": BASE_SHA, "run_url": "https://github.com/acme/watch/actions/runs/1"}
    who = {"author": "octocat", "fork": False, "event": "pull_request"}
    around = {"missing": [], "hardware": [], "approval": {"state": "none", "by": "", "sha": ""}}
    return {**about, **base, **who, **around, **changed}


def all_pass() -> Verdict:
    """Something moved, nothing beyond its limit."""
    return judged(toy(), slower(toy(), 199_000))


def only_docs_changed() -> Verdict:
    return judged(toy(), toy())


def one_regress() -> Verdict:
    base = toy()
    head = slower(base, 214_200)
    now = build(
        network(25, "conv2d_columns_s8"),
        "9" * 64,
        conv2d_panel_s8=4_000,
        conv2d_columns_s8=250,
        fully_connected_s8=1_000,
    )
    flash = {**base.flash, "total_bytes": 100_932, "weights_bytes": 80_682, "kernels_bytes": 5_250}
    hashes = {**head.hashes, "architecture": "7" * 32, "model": "6" * 64}
    head = dataclasses.replace(head, flash=flash, build=now, hashes=hashes)
    params = {"train": {"toy": {"channels": 24, "epochs": 5}}}, {"train": {"toy": {"channels": 25, "epochs": 5}}}
    return judged(base, head, params=params, packages=({"torch": "2.12.0"}, {"torch": "2.13.0"}))


def accuracy_drops() -> Verdict:
    return judged(toy(), changed(toy(wrong=60)))


def base_missing() -> Verdict:
    """main has budgets, but nobody stored what it measures."""
    old = gate.make_policy()
    origin = Side("main", "git", "main (0123456789)", BASE_SHA, {}, old)
    return judge(old, origin, gate.make_side("this PR", toy(), policy=old))


def first_run_ever() -> Verdict:
    return judge(gate.make_policy(), Side("no base", "none"), gate.make_side("this PR", toy()))


def first_run_context() -> Document:
    missing = [
        {"what": "no baseline", "command": "dvc repro && git add dvc.lock artifacts && git commit"},
        {"what": "no DVC remote", "command": "dvc remote add --default store s3://your-bucket/hilgate"},
        {"what": "no published container", "command": "gh workflow run container.yml"},
        {"what": "no bench", "command": "hilgate setup github"},
    ]
    absent = [{"board": "board_a", "state": "absent", "reason": "no bench has ever reported this board"}]
    return context(missing=missing, hardware=absent)


def inconclusive() -> Verdict:
    return judged(toy(), changed(toy(), latency=None, samples=None))


def cell_missing() -> Verdict:
    old = gate.make_policy()
    return judge(old, gate.make_side("main", toy()), gate.make_side("this PR"))


def cell_missing_context() -> Document:
    error = "firmware/src/model.c:12: error: expected ';'\n```\n@everyone <script>\n"
    return context(cells=[{"cell": "toy_board_a", "state": "failed", "error": error}])


def outputs_differ() -> Verdict:
    return judged(toy(), changed(toy(), mismatches=7, first_layer="conv2d_2"))


def other_toolchain() -> Verdict:
    base = toy()
    environment = {**base.environment, "compiler_version": "13.3.1 20240614"}
    return judged(base, dataclasses.replace(slower(base, 195_000), environment=environment))


def predicted_only() -> Verdict:
    base = toy(evidence="elsewhere")
    return judged(base, slower(base, 200_400))


def measured_and_predicted() -> Verdict:
    return judged(toy(), changed(toy(), source="measured", evidence="measured"))


def waiting_for_approval() -> Verdict:
    return judged(toy(), slower(toy(), 200_100))


def waiting_context() -> Document:
    reason = "a fork's commit runs on the bench after somebody with write access has looked at it"
    waiting = [{"board": "board_a", "state": "waiting", "reason": reason}]
    return context(hardware=waiting, fork=True, approval={"state": "needed", "by": "", "sha": HEAD_SHA})


def budget_change_requested() -> Verdict:
    new = gate.make_policy(
        flash_bytes=Budget(max=200_000, worse_warn="0.5%", worse_fail="2%"),
        accuracy=Budget(min=0.96, worse_warn=0.001, worse_fail=0.01),
    )
    return judged(toy(), toy(), new=new)


def new_cell() -> Verdict:
    """A new task on a board that main has already, and another epoch for the task that main has."""
    name, one = "buzz_board_a", toy()
    old = gate.make_policy()
    budgets = {**old.budgets[gate.CELL], "latency_us": Budget(skip="its sensor is slower anyway")}
    cells = {**old.cells, name: Cell("buzz", "board_a")}
    new = dataclasses.replace(old, cells=cells, budgets={**old.budgets, name: budgets})
    was = {"train": {"toy": {"epochs": 5}}, "build": {"board_a": {"optimize": "O2"}}}
    now = {
        "train": {"toy": {"epochs": 6, "seed": 1}, "buzz": {"epochs": 9, "seed": 1}},
        "build": {"board_a": {"optimize": "O2", "fast": True}},
        "run": {"buzz": {"vectors": 50}},
    }
    origin = Side("main", "git", "main (0123456789)", BASE_SHA, {one.cell: one}, old, was)
    added = dataclasses.replace(one, cell=name, task="buzz")
    mine = gate.make_side("this PR", one, added, policy=new)
    return judge(old, origin, dataclasses.replace(mine, params=now))


def forty_cells() -> Verdict:
    names = [f"toy_board_{number:02}" for number in range(40)]
    base = {name: toy(cell=name) for name in names}
    head = dict(base)
    head["toy_board_07"] = slower(base["toy_board_07"], 207_000)
    head["toy_board_23"] = slower(base["toy_board_23"], 203_000)
    for number in (11, 12, 13):
        head[f"toy_board_{number}"] = slower(base[f"toy_board_{number}"], 199_000)
    del head["toy_board_31"]
    budgets = gate.make_policy().budgets[gate.CELL]
    cells = {name: Cell("toy", "board_a") for name in names}
    policy = Policy("main (0123456789)", cells, dict.fromkeys(names, budgets))
    return judge(policy, gate.make_side("main", *base.values()), gate.make_side("this PR", *head.values()))


def metric_skipped() -> Verdict:
    policy = gate.make_policy(latency_us=Budget(skip="this machine has no cycle counter"))
    return judged(toy(latency=None), toy(latency=None), old=policy)


def hostile_names() -> Verdict:
    base = toy()
    layers = ((HOSTILE, 150_000), ("| a | b |\n\n# heading", 50_000))
    environment = {**base.environment, "compiler": HOSTILE, HOSTILE[:40]: "www.evil.example @octocat"}
    head = changed(base, latency=dataclasses.replace(base.latency, layers=layers), environment=environment)
    facts = (layer(HOSTILE, 3, 24, kernel=HOSTILE), layer("x](http://evil.example)", 24, 24, op="</details>"))
    built = build(facts, "9" * 64, **{HOSTILE: 77})
    head = dataclasses.replace(head, mismatches=1, first_layer=HOSTILE, build=built)
    params = {"train": {"toy": {"a": 1}}}, {"train": {"toy": {HOSTILE: "::error::x\n::set-output name=a::b"}}}
    return judged(base, head, params=params)


def hostile_context() -> Document:
    return context(
        missing=[{"what": HOSTILE, "command": f"`{HOSTILE}`"}],
        hardware=[{"board": "board_a", "state": "absent", "reason": HOSTILE}],
        approval={"state": "given", "by": HOSTILE[:90], "sha": HEAD_SHA},
        cells=[{"cell": HOSTILE, "state": "refused", "error": f"{HOSTILE}\n</details>\n```\n# x\n" * 3}],
        claims=[{"cell": HOSTILE, "what": HOSTILE, "claimed": HOSTILE[:90], "recomputed": "1"}],
    )


SITUATIONS: dict[str, tuple[Callable[[], Verdict], Callable[[], Document] | None]] = {
    "all_pass": (all_pass, context),
    "one_regress": (one_regress, context),
    "budget_change_requested": (budget_change_requested, context),
    "base_missing": (base_missing, context),
    "inconclusive": (inconclusive, context),
    "waiting_for_approval": (waiting_for_approval, waiting_context),
    "first_run_ever": (first_run_ever, first_run_context),
    "new_cell": (new_cell, context),
    "forty_cells": (forty_cells, context),
    "only_docs_changed": (only_docs_changed, context),
    "outputs_differ": (outputs_differ, context),
    "other_toolchain": (other_toolchain, context),
    "predicted_only": (predicted_only, context),
    "accuracy_drops": (accuracy_drops, None),
    "cell_missing": (cell_missing, cell_missing_context),
    "measured_and_predicted": (measured_and_predicted, None),
    "metric_skipped": (metric_skipped, None),
    "hostile_names": (hostile_names, hostile_context),
}


def as_written(verdict: Document, around: Document | None) -> Document:
    """As post renders it: held back by boards that should have measured and have not."""
    return with_hardware(copy.deepcopy(verdict), around) if around else verdict
