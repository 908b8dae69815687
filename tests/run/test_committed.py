"""The measurements in git, each figure worked out again by other means: samples, sizes, statistics, arithmetic."""

from __future__ import annotations

import base64
import json
import math
import statistics
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from scipy.stats import binomtest

from hilgate.artifacts import artifact, read_json
from hilgate.params import load_params
from hilgate.run.settings import settings_of

CELLS = sorted(path.parent.name for path in Path(__file__).parents[2].glob("artifacts/run/*/measurement.json"))


@pytest.fixture(params=CELLS)
def cell(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def found(root: Path, cell: str) -> dict:
    return read_json(artifact(root, "run.measurement", cell), "measurement")


def test_every_cell_has_one(root: Path) -> None:
    assert set(CELLS) >= set(load_params(root).cells)


def test_accuracy_is_the_share_of_right_samples(root: Path, cell: str, found: dict) -> None:
    samples = read_json(artifact(root, "run.samples", cell), "samples")
    bits = "".join(f"{byte:08b}" for byte in base64.b64decode(samples["bits"]))
    right = bits.count("1")
    assert bits[samples["n"] :].count("1") == 0 and len(bits) == 8 * -(-samples["n"] // 8)
    accuracy = found["accuracy"]
    facts = read_json(artifact(root, "data.facts", found["task"]), "facts")
    assert accuracy["n"] == samples["n"] == facts["splits"]["test"]["n"]  # all of it
    assert accuracy["value"] == right / samples["n"]
    due = binomtest(right, samples["n"]).proportion_ci(0.95, method="wilson")
    assert (accuracy["low"], accuracy["high"]) == pytest.approx((due.low, due.high), abs=1e-12)
    assert (samples["dataset"], samples["metric"]) == (found["hashes"]["dataset"], accuracy["metric"])


def test_latency_is_that_of_the_raw_cycles(root: Path, found: dict) -> None:
    latency, plan = found["latency"], settings_of(found["task"], load_params(root))
    if found["environment"]["counter"] == "none":
        assert latency is None
        return
    cycles = latency["cycles"]
    assert len(cycles) == plan.runs
    assert latency["median_us"] == pytest.approx(1e6 * statistics.median(cycles) / latency["clock_hz"], rel=1e-12)
    assert latency["p99_us"] == pytest.approx(
        1e6 * sorted(cycles)[math.ceil(0.99 * 29)] / latency["clock_hz"], rel=1e-12
    )
    whole = sum(layer["cycles"] for layer in latency["layers"])
    assert 0.98 < whole / statistics.median(cycles) < 1.02  # each layer is counted on its own, with the calls around it


def test_sizes_are_those_of_the_build_and_add_up(root: Path, cell: str, found: dict) -> None:
    sizes, flash, ram = read_json(artifact(root, "build.sizes", cell), "sizes"), found["flash"], found["ram"]
    assert flash == {name: sizes["flash"][name] for name in flash}
    assert {name: value for name, value in ram.items() if name != "stack_seen_bytes"} == {
        name: sizes["ram"][name] for name in ram if name != "stack_seen_bytes"
    }
    assert flash["total_bytes"] == flash["weights_bytes"] + flash["kernels_bytes"] + flash["runtime_bytes"]
    assert (
        ram["total_bytes"]
        == ram["static_bytes"] + ram["arena_bytes"] + ram["stack_worst_bytes"]
        <= ram["capacity_bytes"]
    )
    assert 0 < ram["stack_seen_bytes"] <= ram["stack_worst_bytes"]
    assert (
        found["hashes"]["image"] == sizes["hashes"]["image"] and found["hashes"]["firmware"] == sizes["hashes"]["elf"]
    )


def test_a_prediction_is_nowhere_called_measured(root: Path, found: dict) -> None:
    assert found["source"] == "predicted" and found["evidence"] != "measured"
    assert found["environment"]["target"] == f"virtual_{found['board']}"
    assert not {"uid", "probe", "clock_ratio"} & set(found["environment"])
    plan = settings_of(found["task"], load_params(root))
    assert found["parity"] == {"vectors": plan.vectors, "mismatches": 0, "first_layer": None}


def objects(schema: dict, at: str = "") -> list[tuple[str, dict]]:
    """Every object that a schema describes, with its path."""
    here = [(at, schema)] if "properties" in schema else []
    inner = [(name, part) for name, part in schema.get("properties", {}).items()]
    inner += [("", part) for part in schema.get("anyOf", [])] + ([("[]", schema["items"])] if "items" in schema else [])
    return here + [row for name, part in inner for row in objects(part, f"{at}/{name}")]


def test_the_schema_lets_nothing_else_pass(root: Path, found: dict) -> None:
    """No object but `environment` takes an unknown key, and every required field is missed."""
    schema = json.loads((root / "src/hilgate/schemas/measurement.json").read_text("utf-8"))
    open_ones = {at for at, part in objects(schema) if part.get("additionalProperties") is not False}
    assert not open_ones
    check = Draft202012Validator(schema).is_valid
    whole = {"schema": "measurement", "version": 1, **found}
    assert check(whole)
    for name in [None, *(key for key, value in whole.items() if isinstance(value, dict) and key != "environment")]:
        for key in (*(whole[name] if name else whole), "unknown"):
            copy = json.loads(json.dumps(whole))
            part = copy[name] if name else copy
            if key == "unknown":
                part[key] = 1
            else:
                del part[key]
            assert not check(copy), (name, key)
