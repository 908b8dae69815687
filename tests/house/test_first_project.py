"""What a newcomer does first: a task and a board from their templates, taken through every room up to a verdict."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from hilgate.artifacts import artifact, read_json
from hilgate.params import load_params
from hilgate.scaffold import create

MORE_PARAMS = {
    "cells": {"waves_my_board": {"task": "waves", "board": "my_board"}},
    "build": {"my_board": {"optimize": "O2"}},
    "gate": {
        "waves_my_board": {
            "accuracy": {"min": 0.9, "worse_warn": 0.001, "worse_fail": 0.003},
            "flash_bytes": {"max": 100_000, "worse_warn": "0.5%", "worse_fail": "2%"},
            "ram_bytes": {"max": 32_768, "worse_warn": "0.5%", "worse_fail": "2%"},
            "latency_us": {"max": 1000.0, "worse_warn": "1%", "worse_fail": "3%"},
        }
    },
}


@pytest.fixture
def project(trained_project: Path, root: Path, tmp_path: Path) -> Path:
    """The template's task, trained and quantized, and a board of our own."""
    project = tmp_path / "mine"
    shutil.copytree(trained_project, project)
    shutil.copytree(root / "firmware", project / "firmware", ignore=shutil.ignore_patterns("my_board"))
    create("board", "my_board", project)
    params = yaml.safe_load((project / "params.yaml").read_text())
    (project / "params.yaml").write_text(yaml.safe_dump(params | MORE_PARAMS))
    return project


@pytest.mark.arm
def test_new_task_on_a_new_board_gets_a_verdict(project: Path) -> None:
    from hilgate.build.build import execute as build
    from hilgate.compile.compile import execute as compile_task
    from hilgate.gate.gate import execute as gate
    from hilgate.run.run import execute as run

    params = load_params(project)
    compile_task("waves", params, project)
    build("waves_my_board", params, project)
    run("waves_my_board", params, project)
    measurement = read_json(artifact(project, "run.measurement", "waves_my_board"), "measurement")
    assert measurement["accuracy"]["value"] > 0.9
    assert measurement["parity"] == {"vectors": 200, "mismatches": 0, "first_layer": None}

    before = project / "before"
    shutil.copytree(project / "artifacts/run", before)
    verdict = gate(project, base=str(before))
    assert verdict.outcome.value == "pass"
