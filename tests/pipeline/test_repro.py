"""dvc repro: nothing twice, nothing for nothing, the same in a clone."""

from __future__ import annotations

import json

import yaml


def test_a_second_repro_runs_nothing(pipeline):
    assert pipeline.repro() == []
    assert pipeline.dirt() == ""


def test_a_fresh_clone_fetches_data_and_trains_nothing(pipeline, tmp_path):
    clone = pipeline.clone(tmp_path / "clone")
    assert clone.repro() == ["data@waves"]
    assert clone.dirt() == ""
    assert clone.repro() == []


def test_a_changed_parameter_runs_what_depends_on_it(pipeline, tmp_path):
    clone = pipeline.clone(tmp_path / "clone")
    params = yaml.safe_load((clone.folder / "params.yaml").read_text())
    params["quantize"]["waves"]["calibration"] = 128
    (clone.folder / "params.yaml").write_text(yaml.safe_dump(params))
    assert clone.repro() == ["data@waves", "quantize@waves"]
    params["train"]["waves"]["epochs"] = 3
    (clone.folder / "params.yaml").write_text(yaml.safe_dump(params))
    assert clone.repro() == ["train@waves", "export@waves", "quantize@waves"]
    changed = {line.split()[-1] for line in clone.dirt().splitlines()}
    names = {"train/waves/weights.safetensors", "train/waves/history.csv", "train/waves/metrics.json"}
    names |= {"export/waves/model.onnx", "quantize/waves/model.onnx", "quantize/waves/report.json"}
    assert changed - {f"artifacts/{name}" for name in names} == {"params.yaml", "dvc.lock"}
    assert "artifacts/train/waves/weights.safetensors" in changed
    difference = json.loads(clone.run("dvc", "metrics", "diff", "--json", "HEAD"))
    row = difference["artifacts/train/waves/metrics.json"]["score"]
    assert row["old"] > row["new"] and abs(row["diff"] - (row["new"] - row["old"])) < 1e-9
    page = clone.run("dvc", "plots", "diff", "HEAD", "--json")
    revisions = {point["rev"] for plot in json.loads(page)["data"].values() for p in plot for point in points(p)}
    assert revisions == {"HEAD", "workspace"}


def points(plot):
    content = plot["content"]
    return (json.loads(content) if isinstance(content, str) else content)["data"]["values"]


def test_metrics_are_the_rooms_own_figures(pipeline):
    shown = json.loads(pipeline.run("dvc", "metrics", "show", "--json"))[""]["data"]
    for name, key in (("train/waves/metrics.json", "score"), ("quantize/waves/report.json", "int8_score")):
        content = json.loads((pipeline.folder / "artifacts" / name).read_text())
        assert shown[f"artifacts/{name}"]["data"][key] == content[key] > 0.93


def test_what_is_in_git_and_what_is_not(pipeline):
    tracked = set(pipeline.run("git", "ls-files", "artifacts").split())
    assert tracked == {
        "artifacts/data/waves/.gitignore",
        "artifacts/data/waves/facts.json",
        "artifacts/export/waves/model.onnx",
        "artifacts/quantize/waves/model.onnx",
        "artifacts/quantize/waves/report.json",
        "artifacts/train/waves/history.csv",
        "artifacts/train/waves/metrics.json",
        "artifacts/train/waves/weights.safetensors",
    }
