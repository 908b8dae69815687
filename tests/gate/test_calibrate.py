"""`hilgate ci calibrate` with a bench that is made up: what it writes, what it refuses, what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hilgate.bench.seam import Reading
from hilgate.ci.benches.calibrate import claims, run
from hilgate.errors import ArtifactError, DeviceError, UsageError
from hilgate.gate.benches import spreads_in

CELL = "toy_board_a"
PARAMS = """
cells:
  toy_board_a: {task: toy, board: board_a}
run:
  toy: {vectors: 5, warmup: 1, runs: 3}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    elf = tmp_path / "artifacts/build" / CELL / "firmware.elf"
    vectors = tmp_path / "artifacts/compile/toy/vectors.npz"
    for path in (elf, vectors):
        path.parent.mkdir(parents=True)
    elf.write_bytes(b"ELF")
    columns = {
        "input": np.arange(40, dtype=np.int8).reshape(10, 4),
        "expected": np.arange(20, dtype=np.int8).reshape(10, 2),
    }
    np.savez(vectors, **columns)
    return tmp_path


class MadeUpBench:
    """Loads scatter by `spread`; the load number `odd` comes from another chip or has other outputs."""

    def __init__(self, spread=0.002, odd=None, **changed):
        self.spread, self.odd, self.changed = spread, odd, changed
        self.generator, self.requests = np.random.default_rng(5), []

    def measure(self, request):
        self.requests.append(request)
        cycles = round(1e6 * (1 + self.spread * self.generator.standard_normal()))
        facts = {
            "image": "a" * 64,
            "uid": "0123abcd",
            "probe": "p",
            "clock_hz": 1000,
            "clock_source": "hse",
            "counter": "dwt",
            "outputs": tuple(bytes([2 * at, 2 * at + 1]) for at in range(len(request.inputs))),
            "cycles": (cycles, cycles + 9000, cycles),
            "layers": (),
            "arena_bytes": 1,
            "stack_seen_bytes": 1,
        }
        return Reading(**{**facts, **(self.changed if len(self.requests) == self.odd else {})})


def test_a_calibration_is_what_the_gate_reads(project):
    bench, said = MadeUpBench(), []
    path = run(project, CELL, bench, 64, said.append)
    assert path == project / "benches/0123abcd.json"
    spread = spreads_in(project, ["0123abcd"])["0123abcd"]
    assert spread.board == "board_a"
    assert spread.loads == 64
    assert 0.001 < spread.spread < 0.003 < spread.upper * 1.5
    assert len(bench.requests) == 64
    assert (bench.requests[0].warmup, bench.requests[0].runs, len(bench.requests[0].inputs)) == (1, 3, 4)
    assert said[0] == f"{CELL}: load 1 of 64: {json.loads(path.read_text()) and bench_median()} cycles"
    assert "finds a slow-down of" in said[-1]


def bench_median():
    return round(1e6 * (1 + 0.002 * np.random.default_rng(5).standard_normal()))


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"uid": "ffff"}, "the chips 0123abcd and ffff"), ({"outputs": (b"",)}, "outputs differ from the reference")],
)
def test_a_load_that_went_wrong_writes_nothing(project, changed, message):
    with pytest.raises(DeviceError, match=message):
        run(project, CELL, MadeUpBench(odd=9, **changed), 64, lambda line: None)
    assert not (project / "benches").exists()


def test_what_cannot_be_calibrated_is_refused(project):
    with pytest.raises(UsageError, match="5 loads are too few"):
        run(project, CELL, MadeUpBench(), 5)
    (project / "artifacts/build" / CELL / "firmware.elf").unlink()
    with pytest.raises(ArtifactError, match="missing"):
        run(project, CELL, MadeUpBench())


@pytest.mark.parametrize(
    ("upper", "disturbed", "last"),
    [
        (0.001, 0.0, "finds a slow-down of 0.3 %"),
        (0.01, 0.05, "2 % takes 37 pairs"),
        (0.5, 0.0, "cannot be found with any number"),
        (0.001, 0.1, "10 % of the pairs of loads were disturbed"),
    ],
)
def test_the_claim_is_said_in_words(upper, disturbed, last):
    assert last in claims(upper, disturbed)[-1]
