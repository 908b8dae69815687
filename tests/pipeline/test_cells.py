"""The real dvc.yaml with a stand-in for `hilgate`: what one failing cell stops, and what a change makes stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

STAND_IN = f"""#!{sys.executable}
import sys
from pathlib import Path
import yaml

room, item = sys.argv[1:]
if Path("too_large").exists() and (room, item) == ("build", Path("too_large").read_text()):
    sys.exit("hilgate: the image is 9,999 bytes larger than the flash")
stage = yaml.safe_load(Path("dvc.yaml").read_text())["stages"][room]["do"]
for out in (entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])):
    path = Path((next(iter(out)) if isinstance(out, dict) else out).replace("${{key}}", item))
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name == "c":
        path.mkdir()
        path = path / "model.c"
    inputs = [Path("params.yaml").read_text(), room, item]
    path.write_text("".join(inputs))
"""
CELLS = {
    "small": {"task": "digits", "board": "nucleo_f446re"},
    "large": {"task": "digits", "board": "nucleo_l4r5zi"},
    "other": {"task": "digits", "board": "stm32h747i_disco"},
}
BY_TASK = ("data", "train", "export", "quantize", "compile")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> Path:
    """What git has, with three cells and the stand-in first on PATH; not yet run."""
    folder = tmp_path_factory.mktemp("cells") / "project"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(root), str(folder)], check=True)
    shutil.copy(root / "dvc.yaml", folder)
    (folder / "dvc.lock").unlink()
    shutil.rmtree(folder / "artifacts")
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params |= {room: {"digits": params[room]["digits"]} for room in BY_TASK} | {"cells": CELLS}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    (folder / "bin").mkdir()
    (folder / "bin" / "hilgate").write_text(STAND_IN)
    (folder / "bin" / "hilgate").chmod(0o755)
    return folder


def repro(project: Path, *options: str) -> tuple[int, set[str]]:
    """Exit code, and the stages that ran to their end."""
    path = f"{project / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(["dvc", "repro", *options], cwd=project, env=environment, capture_output=True, text=True)
    lock = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    return done.returncode, set(lock)


@pytest.fixture(scope="module")
def reproduced(project) -> tuple[int, set[str], int, set[str]]:
    """How it ended with a cell too large for its board, and then without."""
    (project / "too_large").write_text("large")
    first = repro(project, "--keep-going")
    (project / "too_large").unlink()
    return (*first, *repro(project))


def test_a_cell_that_does_not_fit_stops_no_other(reproduced):
    code, ran = reproduced[:2]
    expected = {f"{room}@digits" for room in BY_TASK}
    expected |= {f"{room}@{cell}" for room in ("build", "run") for cell in ("small", "other")}
    assert code != 0 and ran == expected


def test_the_rest_follows_when_it_fits(reproduced):
    code, ran = reproduced[2:]
    assert code == 0 and ran == reproduced[1] | {"build@large", "run@large"}


ALL_CELLS = [f"{room}@{cell}" for room in ("build", "run") for cell in CELLS]
RUNS = ALL_CELLS[3:]


@pytest.mark.parametrize(
    ("edits", "stale"),
    [
        ([("params.yaml", "vectors: 500", "vectors: 400")], RUNS),
        ([("params.yaml", "epochs: 15", "epochs: 16")], ["train@digits", "export@digits"]),
        ([("src/tasks/digits/__init__.py", "loss", "loss ")], [f"{room}@digits" for room in BY_TASK] + RUNS),
        ([("src/hilgate/hashing.py", "import", " import")], ALL_CELLS),
        ([("firmware/boards/nucleo_f446re/board.toml", "name", "Name")], ["build@small", "run@small"]),
        ([("params.yaml", "max: 32768", "max: 1"), ("src/hilgate/gate/judge.py", "import", " import")], []),
    ],
    ids=lambda value: value[0][0] if value and isinstance(value[0], tuple) else "",
)
def test_a_change_makes_stale_what_it_decides_and_nothing_else(project, reproduced, monkeypatch, edits, stale):
    before = {file: (project / file).read_text() for file, _, _ in edits}
    for file, old, new in edits:
        assert old in before[file]
        (project / file).write_text(before[file].replace(old, new))
    monkeypatch.chdir(project)
    with Repo() as repository:
        assert set(repository.status()) == set(stale)
    for file, text in before.items():
        (project / file).write_text(text)
