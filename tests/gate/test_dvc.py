"""DVC's own commands read the files that the gate reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

STAGES = """
stages:
  run:
    cmd: echo
    metrics:
      - artifacts/run/toy_board_a/measurement.json: { cache: false }
plots:
  - cycles of each layer:
      template: bar_horizontal
      x: { artifacts/run/toy_board_a/measurement.json: cycles }
      y: { artifacts/run/toy_board_a/measurement.json: name }
"""


@pytest.fixture
def dvc(tmp_path, make):
    """Run dvc in a small repository whose committed measurement differs from the one in the tree."""
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_GLOBAL_CONFIG_DIR": str(tmp_path / "g")}
    environment |= {
        "DVC_SITE_CACHE_DIR": str(tmp_path / "s"),
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.org",
    }
    environment |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"}
    project = tmp_path / "project"
    file = project / "artifacts/run/toy_board_a/measurement.json"
    file.parent.mkdir(parents=True)

    def run(*words):
        command = [str(Path(sys.executable).with_name("dvc")), *words] if words[0] != "git" else list(words)
        answer = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    run("git", "init", "-q", "-b", "main")
    run("init", "-q")
    (project / "dvc.yaml").write_text(STAGES)
    file.write_text(json.dumps(make.document()))
    run("git", "add", ".")
    run("git", "commit", "-q", "-m", "base")
    file.write_text(json.dumps(make.document(right=990, cycles=210_000)))
    return run


def test_metrics_show_and_diff_read_measurements(dvc):
    name = "artifacts/run/toy_board_a/measurement.json"
    shown = json.loads(dvc("metrics", "show", "--json"))[""]["data"][name]["data"]
    assert shown["flash"]["total_bytes"] == 100_000
    changed = json.loads(dvc("metrics", "diff", "main", "--json"))[name]
    assert changed["accuracy.value"] == {"old": 0.98, "new": 0.99, "diff": pytest.approx(0.01)}
    assert changed["latency.median_us"]["diff"] == pytest.approx(100)


def test_plots_diff_reads_the_layers_of_measurements(dvc):
    plots = json.loads(dvc("plots", "diff", "main", "--json"))["data"]["cycles of each layer"]
    text = json.dumps(plots)
    assert "fc1" in text
    assert "150000" in text
    assert "160000" in text


def test_every_cell_with_a_latency_has_its_plot():
    root = Path(__file__).parents[2]
    plots = [entry for one in yaml.safe_load((root / "dvc.yaml").read_text())["plots"] for entry in one.items()]
    timed = {
        str(path.relative_to(root))
        for path in root.glob("artifacts/run/*/measurement.json")
        if json.loads(path.read_text())["latency"]
    }
    ours = {
        path for path in timed if path.split("/")[2].startswith(("digits_", "cifar10_"))
    }  # others add theirs or not
    for axis in ("x", "y"):
        assert ours <= {path for _, plot in plots for path in plot[axis]} <= timed
