"""The job of ci.yml that builds: touched cells only, shared out in batches, never training, one failure at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hilgate.ci.claims import cells
from hilgate.ci.claims.cells import build_cells, share, touched
from hilgate.errors import UsageError
from hilgate.params import Cell

MANY = {f"{task}_{board}": Cell(task, board) for task in ("a", "b", "c") for board in ("x", "y")}


@pytest.mark.parametrize("of", [1, 2, 3, 4, 6, 9])
def test_every_cell_is_in_exactly_one_batch(of):
    shares = [share(MANY, f"{number}/{of}") for number in range(1, of + 1)]
    names = [name for one in shares for name in one]
    assert sorted(names) == sorted(MANY)


def test_cells_of_a_task_stay_together_so_that_it_is_compiled_once():
    tasks = [{cell.task for cell in share(MANY, f"{number}/3").values()} for number in (1, 2, 3)]
    assert sorted(map(sorted, tasks)) == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize("batch", ["", "0/1", "2/1", "1", "1/0", "1/2/3", "-1/2", "1/1000", "a/b", "1/2\n"])
def test_a_batch_that_is_none_is_refused(batch):
    with pytest.raises(UsageError, match="no batch"):
        share(MANY, batch)


PARAMS = """cells:
  one_x: { task: one, board: x }
  two_x: { task: two, board: x }
"""
PIPELINE = """stages:
  compile:
    foreach: ${compile}
    do:
      cmd: hilgate compile ${key}
      deps: ["src/tasks/${key}/network.py"]
      outs: ["artifacts/compile/${key}/c"]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository whose cells depend on a file each, with `dvc` as a program that a test writes."""
    for path, text in {"params.yaml": PARAMS, "dvc.yaml": PIPELINE, ".gitignore": "build\nbin\nartifacts\n"}.items():
        (tmp_path / path).write_text(text)
    for task in ("one", "two"):
        (tmp_path / f"src/tasks/{task}").mkdir(parents=True)
        (tmp_path / f"src/tasks/{task}/network.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    git(tmp_path, "checkout", "-q", "-b", "change")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    monkeypatch.setattr(cells.sys, "executable", str(tmp_path / "bin/python"))
    monkeypatch.setattr(cells, "missing_weights", lambda root, tasks: ())
    return tmp_path


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")


def dvc(project: Path, script: str) -> None:
    (project / "bin/dvc").write_text(f"#!/bin/bash\n{script}\n")
    (project / "bin/dvc").chmod(0o755)


MAKES = """
cell=${2#run@} task=${cell%_x}
mkdir -p artifacts/build/$cell artifacts/run/$cell artifacts/compile/$task/c
touch artifacts/build/$cell/{firmware.elf,sizes.json} artifacts/compile/$task/c/model.json
touch artifacts/run/$cell/{measurement.json,samples.json}
"""


def test_only_what_a_change_touches_is_built(project):
    assert touched(project, "main") == {}
    (project / "src/tasks/two/network.py").write_text("x = 2\n")
    assert list(touched(project, "main")) == ["two_x"]
    assert list(touched(project, "")) == ["one_x", "two_x"], "without a base all of them: main's own build"
    assert list(touched(project, "0" * 40)) == ["one_x", "two_x"], "what GitHub says before a branch's first push"


def test_a_cell_that_fails_stops_no_other_and_leaves_its_last_words(project):
    dvc(project, f"[ \"$2\" != run@one_x ] || {{ echo 'no such layer' >&2; exit 1; }}\n{MAKES}")
    built = build_cells(project, project / "build/cells")
    assert built.failed == ["one_x"]
    assert (project / "build/cells/errors/one_x.txt").read_text() == "no such layer\n"
    kept = sorted(path.name for path in (project / "build/cells/artifacts").rglob("*") if path.is_file())
    assert kept == ["firmware.elf", "measurement.json", "model.json", "samples.json", "sizes.json"]


def test_a_cell_without_weights_says_what_to_push_and_nothing_is_trained(project, monkeypatch):
    dvc(project, f'touch "{project}/trained"; exit 0')
    need = {
        "what": "artifacts/train/one/weights.safetensors is neither in git nor on the DVC remote",
        "command": "dvc push",
    }
    monkeypatch.setattr(cells, "missing_weights", lambda root, tasks: (need,))
    built = build_cells(project, project / "build/cells")
    assert built.failed == ["one_x", "two_x"] and not (project / "trained").exists()
    assert "training is not repeated in CI; push it: dvc push" in built.cells["one_x"]


def test_words_of_a_cell_are_bounded_and_printable(project):
    dvc(project, "head -c 100000 /dev/zero | tr '\\0' 'x'; printf '\\033[2J'; exit 1")
    built = build_cells(project, project / "build/cells")
    assert len(built.cells["one_x"]) <= 4000 and "\x1b" not in built.cells["one_x"]


def test_no_dvc_is_an_error_of_the_cell(project):
    assert "dvc repro run@one_x" in build_cells(project, project / "build/cells").cells["one_x"]
