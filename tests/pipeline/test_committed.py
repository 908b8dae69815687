"""What is committed belongs together: the lock file, the files that it names, and the figures that we claim."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
import yaml

from hilgate.artifacts import artifact, read_json
from hilgate.onnxmodel import load_model
from hilgate.task import load_task


def test_the_lock_file_names_the_committed_files(root):
    listed = subprocess.run(["git", "ls-files", "artifacts"], cwd=root, capture_output=True, text=True, check=True)
    tracked = set(listed.stdout.split())
    seen = set()
    for name, stage in yaml.safe_load((root / "dvc.lock").read_text())["stages"].items():
        for out in stage["outs"]:
            if out["path"] in tracked:
                found = hashlib.md5((root / out["path"]).read_bytes()).hexdigest()  # noqa: S324  # DVC's, not ours
                assert found == out["md5"], f"{out['path']}: run `dvc repro {name}`, and commit dvc.lock with it"
                seen.add(name)
    assert {"data@digits", "train@digits", "export@digits", "quantize@digits"} <= seen


def test_digits_are_as_good_as_we_say(root):
    """Float at least 97.5 %, int8 within 0.3 points of it, on all 10,000 test images."""
    trained = read_json(artifact(root, "train.metrics", "digits"), "training")
    assert trained["score"] >= 0.975 and trained["n"] == 10_000
    report = read_json(artifact(root, "quantize.report", "digits"), "quantization")
    assert report["drop"] <= 0.003 and report["n"] == 10_000
    assert report["float_score"] == pytest.approx(trained["score"], abs=0.0002)


@pytest.mark.parametrize(
    ("task", "counts"),
    [
        ("digits", {"train": 55_000, "validation": 5_000, "test": 10_000}),
        ("cifar10", {"train": 45_000, "validation": 5_000, "test": 10_000}),
    ],
)
def test_committed_splits_come_from_the_pinned_files(root, task, counts):
    facts = read_json(artifact(root, "data.facts", task), "facts")
    assert facts["files"] == {file.name: file.sha256 for file in load_task(task, root).files}
    assert {name: split["n"] for name, split in facts["splits"].items()} == counts


@pytest.mark.parametrize("name", ["export.onnx", "quantize.onnx"])
def test_committed_models_are_stripped_and_static(root, name):
    model = load_model(artifact(root, name, "digits"))
    for value in (model.graph.input[0], model.graph.output[0]):
        assert value.type.tensor_type.shape.dim[0].dim_value == 1
    parts = [model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.value_info]
    assert not any(part.doc_string or part.metadata_props for part in parts)
