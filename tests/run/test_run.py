"""The run room on a small project: the virtual board, QEMU, and every way in which a measurement must be refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hilgate.artifacts import artifact, read_json
from hilgate.params import Params
from hilgate.run.run import execute

pytestmark = pytest.mark.arm
NUCLEO, NUCLEO_L4, QEMU = "blobs_nucleo_f446re", "blobs_nucleo_l4r5zi", "blobs_qemu_stm32f405"


def test_the_virtual_board_gives_the_same_measurement_twice(project: Path, params: Params) -> None:
    first = execute(NUCLEO, params, project).read_bytes()
    samples = artifact(project, "run.samples", NUCLEO).read_bytes()
    assert execute(NUCLEO, params, project).read_bytes() == first
    assert artifact(project, "run.samples", NUCLEO).read_bytes() == samples
    found = json.loads(first)
    assert (found["source"], found["board"], found["parity"]["vectors"]) == ("predicted", "nucleo_f446re", 12)
    assert len(found["latency"]["cycles"]) == 5
    assert len(set(found["latency"]["cycles"])) == 1  # nothing but the model moves the virtual board's counter
    assert [layer["name"] for layer in found["latency"]["layers"]] == ["first", "second"]
    assert found["latency"]["median_us"] == pytest.approx(found["latency"]["cycles"][0] / 180)
    assert found["ram"]["arena_bytes"] < found["ram"]["static_bytes"] < found["ram"]["total_bytes"]
    assert 0 < found["ram"]["stack_seen_bytes"] <= found["ram"]["stack_worst_bytes"]
    provenance = read_json(artifact(project, "run.provenance", NUCLEO), "provenance")
    assert provenance["link"]["sent"] == provenance["link"]["received"] > 12
    assert provenance["link"]["retried"] == provenance["link"]["lost"] == 0
    assert str(project) not in first.decode()


def test_accuracy_is_that_of_the_reference_outputs(project: Path, params: Params) -> None:
    found = read_json(execute(NUCLEO, params, project), "measurement")
    vectors = np.load(artifact(project, "compile.vectors", "blobs"))
    right = vectors["expected"].argmax(axis=1) == vectors["label"]
    assert found["accuracy"]["value"] == right.mean()
    assert found["accuracy"]["low"] < right.mean() < found["accuracy"]["high"]
    assert found["accuracy"]["n"] == 200


def test_the_same_session_measures_a_board_of_another_family(project: Path, params: Params) -> None:
    """Equal outputs and weights on an STM32L4+; its flash is read in lines of half the size and costs more."""
    found, other = (read_json(execute(cell, params, project), "measurement") for cell in (NUCLEO_L4, NUCLEO))
    assert (found["board"], found["parity"]) == ("nucleo_l4r5zi", {"vectors": 12, "mismatches": 0, "first_layer": None})
    assert (found["evidence"], found["environment"]["target"]) == ("elsewhere", "virtual_nucleo_l4r5zi")
    assert found["hashes"]["weights"] == other["hashes"]["weights"]
    assert found["latency"]["median_us"] == pytest.approx(found["latency"]["cycles"][0] / 120)
    assert found["latency"]["cycles"][0] > other["latency"]["cycles"][0]
    assert found["flash"]["capacity_bytes"] == 2 << 20 and found["ram"]["capacity_bytes"] == 640 << 10


@pytest.mark.qemu
def test_the_same_session_passes_on_qemu(project: Path, params: Params) -> None:
    """QEMU's netduinoplus2 is somebody else's model of the chip: same outputs, and no invented time."""
    path = execute(QEMU, params, project, on="qemu://netduinoplus2")
    assert path == project / f"artifacts/run/{QEMU}/predicted/qemu_netduinoplus2.json"
    found = read_json(path, "measurement")
    assert found["parity"] == {"vectors": 12, "mismatches": 0, "first_layer": None}
    assert found["latency"] is None
    assert (found["evidence"], found["environment"]["counter"]) == ("uncalibrated", "none")
    predicted = read_json(execute(QEMU, params, project), "measurement")
    assert predicted["hashes"] == found["hashes"]
    assert predicted["ram"]["arena_bytes"] == found["ram"]["arena_bytes"]
    assert predicted["latency"] is None  # the same image, built without a counter
    assert predicted["environment"]["target"] == "virtual_qemu_stm32f405"
