"""Drift of a bench: the same image on the same chip, compared with its first night."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hilgate.artifacts import artifact, write_json
from hilgate.ci.benches.drift import drift
from hilgate.errors import ArtifactError
from hilgate.history import branch

CELL = "digits_nucleo_f446re"
UID = "11" * 12


@pytest.fixture
def measured(root, tmp_path):
    """A project with one commit; measured(cycles) writes what its board measured tonight."""
    (tmp_path / "params.yaml").write_bytes((root / "params.yaml").read_bytes())
    for words in (["init", "-q", "-b", "main"], ["add", "params.yaml"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@e", *words], cwd=tmp_path, check=True)
    document = json.loads(artifact(root, "run.measurement", CELL).read_text())

    def measure(cycles: int, uid: str = UID) -> Path:
        loads = [{"position": turn, "cycles": [cycles] * 5} for turn in range(16)]
        found = {key: value for key, value in document.items() if key not in ("schema", "version")}
        found |= {"source": "measured", "evidence": "measured"}
        found["environment"] = {**document["environment"], "target": uid, "uid": uid}
        us = 1e6 * cycles / document["latency"]["clock_hz"]
        found["latency"] = {**document["latency"], "cycles": [cycles] * 80, "loads": loads, "session": "s"}
        found["latency"] |= {"median_us": us, "p99_us": us}
        place = tmp_path / "hardware/nucleo_f446re" / CELL / "head.json"
        write_json(place, "measurement", found)
        return tmp_path / "hardware"

    return tmp_path, measure


def test_the_first_night_is_kept_and_later_ones_are_compared_with_it(measured):
    root, measure = measured
    (row,), new = drift(root, measure(100_000), None)
    assert row.change is None and not row.drifted and len(new) == 1 and "first measurement" in row.text()
    branch.append(root, new)
    for cycles, drifted in ((100_100, False), (100_400, False), (100_600, True), (99_400, True)):
        (row,), new = drift(root, measure(cycles), branch.newest_ref(root))
        assert row.drifted is drifted and new == [], "no later night replaces the first, so that a slow drift adds up"
        assert row.change == pytest.approx(cycles / 100_000 - 1)
    assert "DRIFTED" in row.text() and "no benches/" in row.text()


def test_another_chip_is_another_bench(measured):
    root, measure = measured
    branch.append(root, drift(root, measure(100_000), None)[1])
    (row,), new = drift(root, measure(200_000, uid="22" * 12), branch.newest_ref(root))
    assert row.change is None and len(new) == 1


def test_a_calibrated_bench_knows_its_limit(measured):
    root, measure = measured
    branch.append(root, drift(root, measure(100_000), None)[1])
    about = {"testbed": UID, "board": "nucleo_f446re", "image": "a" * 64, "made": "2026-01-01", "loads": 64}
    found = {"spread": 0.0002, "upper": 0.0003, "drift": 0.0, "disturbed": 0}
    write_json(root / "benches" / f"{UID}.json", "spread", {**about, **found})
    (row,), _ = drift(root, measure(100_200), branch.newest_ref(root))
    assert row.calibrated and row.drifted and row.limit < 0.002


def test_no_measurement_at_all_is_an_error(tmp_path):
    with pytest.raises(ArtifactError, match="no board measured anything"):
        drift(tmp_path, tmp_path, None)
