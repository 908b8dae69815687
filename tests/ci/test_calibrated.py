"""A verdict on measured loads: only the base branch's calibration says what the bench may claim. Made-up numbers."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from hilgate.artifacts import read_json, write_json
from hilgate.ci.benches.rejudge import rejudge
from hilgate.gate.loads import interleave

pytestmark = pytest.mark.arm
CELL, BOARD, UID = "digits_nucleo_f446re", "nucleo_f446re", "11" * 12
PLACES = {"base": "base", "head": "measurements"}


@pytest.fixture(scope="module")
def change(product, tmp_path_factory):
    """A change that touches the cell and gives the same image, judged."""
    scratch = tmp_path_factory.mktemp("calibrated")
    repository = replace(product, root=Path(shutil.copytree(product.root, scratch / "product", symlinks=True)))
    repository.git("checkout", "--quiet", "-b", "change")
    path = repository.root / "firmware/src/main.c"
    path.write_text(path.read_text() + "/* a remark */\n")
    repository.commit()
    repository.judge(repository.pack(scratch / "claim"), scratch / "judged")
    return repository, scratch / "judged"


def put_loads(folder: Path, slower: float) -> None:
    """Measured numbers in place of predicted ones, as a bench leaves them: loads in turns, the head's slower."""
    for side, place in PLACES.items():
        path = folder / place / CELL / "measurement.json"
        document = read_json(path, "measurement")
        order = interleave(20, random.Random(1))
        turns = [position for position, head in enumerate(order) if head == (side == "head")]
        loads = [
            {"position": at, "cycles": [round(190_000 * (slower if side == "head" else 1)) + at % 3]} for at in turns
        ]
        cycles = [load["cycles"][0] for load in loads]
        middle = median(cycles) / document["latency"]["clock_hz"] * 1e6
        latency = {
            **document["latency"],
            "cycles": cycles,
            "loads": loads,
            "session": "s",
            "median_us": middle,
            "p99_us": middle,
        }
        environment = {**document["environment"], "target": UID}
        changed = {"source": "measured", "evidence": "measured", "latency": latency, "environment": environment}
        content = {key: value for key, value in document.items() if key not in ("schema", "version")}
        write_json(path, "measurement", {**content, **changed})


def calibration() -> str:
    facts = {"schema": "spread", "version": 1, "testbed": UID, "board": BOARD, "image": "a" * 64, "made": "2026-01-02"}
    return json.dumps({**facts, "loads": 64, "spread": 0.001, "upper": 0.0013, "disturbed": 0, "drift": 0})


@pytest.mark.parametrize(
    "case",
    [
        ("main", calibration(), 1.0, "pass"),
        ("main", calibration(), 1.10, "fail"),
        ("change", calibration(), 1.0, "inconclusive"),
        ("change", calibration(), 1.10, "inconclusive"),
        ("change", "{", 1.10, "inconclusive"),
    ],
)
def test_only_the_base_branchs_calibration_judges(change, tmp_path, case):
    branch, text, slower, outcome = case
    repository = replace(change[0], root=Path(shutil.copytree(change[0].root, tmp_path / "product", symlinks=True)))
    folder = Path(shutil.copytree(change[1], tmp_path / "judged"))
    repository.git("checkout", "--quiet", branch)
    repository.write(f"benches/{UID}.json", text)
    repository.commit()
    repository.git("checkout", "--quiet", "change")
    context = {k: v for k, v in read_json(folder / "context.json", "context").items() if k not in ("schema", "version")}
    head = repository.git("rev-parse", "HEAD")
    write_json(folder / "context.json", "context", {**context, "head_sha": head})
    put_loads(folder, slower)
    verdict = rejudge(repository.root, folder)
    latency = next(axis for axis in verdict["cells"][0]["axes"] if axis["metric"] == "latency_us")
    assert (latency["checks"][-1]["rule"], latency["outcome"]) == ("loads", outcome)
    assert (latency["loads"]["visible"] is not None) == (branch == "main")
    asked = [request["what"] for request in verdict["requests"] if request["kind"] == "bench"]
    assert asked == ([f"calibration of {UID}"] if branch == "change" and text != "{" else [])
