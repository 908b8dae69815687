"""hilgate new: what it makes is whole and usable; what it refuses leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from hilgate import cli
from hilgate.catalogue import board_names, load_board
from hilgate.errors import UsageError
from hilgate.params import parse_params
from hilgate.scaffold import KINDS, LONGEST_NAME, create, renamed
from hilgate.task import load_task

NAMES = ["vibration", "pump_state_2", "x"]
OTHER_NAMES = ["a" * LONGEST_NAME, "turn_around", "my_board", "my_other_board"]


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A project with the three templates and the boards of this one, where nobody has followed README yet."""
    shutil.copy(root / "params.yaml", tmp_path)
    ignore = shutil.ignore_patterns("__pycache__", *NAMES, *OTHER_NAMES)
    for kind in KINDS.values():
        shutil.copytree(root / kind.parent, tmp_path / kind.parent, ignore=ignore)
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("word", sorted(KINDS))
def test_every_file_of_the_template_comes_with_the_new_name(project: Path, word: str, name: str) -> None:
    parent = project / KINDS[word].parent
    before = texts(parent)
    steps = create(word, name, project)
    made = texts(parent / name)
    template = texts(parent / "TEMPLATE")
    assert len(made) == len(template) > 0
    assert not re.search(r"TEMPLATE|template", " ".join(made)), "a file still has the template's name"
    assert not [file for file, text in made.items() if "TEMPLATE" in text]
    assert {file: text for file, text in texts(parent).items() if not file.startswith(f"{name}/")} == before
    assert steps and any(name in step for step in steps)


def test_new_task_loads_splits_and_takes_a_batch(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    create("task", "vibration", project)
    task = load_task("vibration", project)
    example = yaml.safe_load((project / "src/tasks/vibration/params.example.yaml").read_text())
    splits = task.split(project, task.data_params(**example["data"]["vibration"]))
    x = task.preprocess(splits["test"].x[:4])
    assert x.dtype == np.float32 and len(x) == 4
    import torch

    network = task.network(task.train_params(**example["train"]["vibration"]))
    outputs = network(torch.from_numpy(x))
    assert torch.isfinite(task.loss(outputs, torch.from_numpy(splits["test"].y[:4])))
    for module in [name for name in sys.modules if name.split(".", 1)[0] == "tasks"]:
        monkeypatch.delitem(sys.modules, module)  # the next test gets this project's own tasks


@pytest.mark.parametrize("name", ["x", "a" * LONGEST_NAME])
def test_what_is_new_passes_lint(project: Path, root: Path, name: str) -> None:
    """Whatever the length of its name; `make lint` of the project says no word about it."""
    for word in KINDS:
        create(word, name, project)
    for command in ("check", "format --check"):
        ruff = [sys.executable, "-m", "ruff", *command.split(), "--config", str(root / "pyproject.toml"), str(project)]
        done = subprocess.run(ruff, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
    sources = [str(path) for path in (project / KINDS["op"].parent / name).glob("*.[ch]")]
    style = ["--dry-run", "-Werror", f"--style=file:{root / '.clang-format'}"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [shutil.which("clang-format", path=path), *style, *sources], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_spelling_is_renamed() -> None:
    text = "TEMPLATE TEMPLATE_s8 template_s8 template.h HILGATE_TEMPLATE_H tasks.TEMPLATE.data Template(Op) a template."
    expected = "pump_2 pump_2_s8 pump_2_s8 pump_2.h HILGATE_PUMP_2_H tasks.pump_2.data Pump2(Op) a template."
    assert renamed(text, "pump_2") == expected


def test_new_operator_is_complete_and_computes(project: Path) -> None:
    """The copy is imported from its own file: its reference reverses the input, as the template's does."""
    create("op", "turn_around", project)
    folder = project / KINDS["op"].parent / "turn_around"
    assert {"op.py", "turn_around.c", "turn_around.h", "cases.toml"} <= {path.name for path in folder.iterdir()}
    spec = importlib.util.spec_from_file_location("turn_around_op", folder / "op.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["turn_around_op"] = module
    spec.loader.exec_module(module)
    assert module.OP.__name__ == "TurnAround" and module.OP.kind == "turn_around"
    x = np.arange(6, dtype=np.int8).reshape(1, 6)
    assert module.OP().reference(None, [x]).tolist() == [[5, 4, 3, 2, 1, 0]]
    guard = (folder / "turn_around.h").read_text()
    assert "#ifndef HILGATE_TURN_AROUND_H" in guard and "turn_around_s8(" in guard


def test_lines_of_a_new_task_fit_params(project: Path) -> None:
    create("task", "vibration", project)
    path = project / "src/tasks/vibration/params.example.yaml"
    params = parse_params(path.read_text(), path)
    for section in ("data", "train", "export", "quantize", "compile", "run"):
        assert list(params.sections[section]) == ["vibration"]


def test_new_board_loads_with_an_id_of_its_own(project: Path) -> None:
    create("board", "my_board", project)
    create("board", "my_other_board", project)
    assert {"my_board", "my_other_board"} <= set(board_names(project))
    boards = [load_board(name, project) for name in board_names(project)]
    assert len({board.board_id for board in boards}) == len(boards)
    assert load_board("my_board", project).name == "my_board"


@pytest.mark.parametrize(
    "name",
    ["Vibration", "2pumps", "pump-state", "pump state", "../pump", "a__b", "_a", "", "int", "class", "x" * 41, "test"],
)
def test_bad_names_are_refused(project: Path, name: str) -> None:
    before = texts(project)
    with pytest.raises(UsageError):
        create("task", name, project)
    assert texts(project) == before


def test_existing_name_is_refused_and_kept(project: Path) -> None:
    before = texts(project)
    with pytest.raises(UsageError, match="already"):
        create("board", "nucleo_f446re", project)
    assert texts(project) == before


def test_missing_template_is_named(project: Path) -> None:
    shutil.rmtree(project / "src/tasks/TEMPLATE")
    with pytest.raises(UsageError, match=r"missing .restore it with `git checkout -- src/tasks/TEMPLATE`"):
        create("task", "vibration", project)
    shutil.rmtree(project / "src/hilgate")
    with pytest.raises(UsageError, match="make it in a clone of hilgate"):
        create("op", "turn", project)


def test_failure_half_way_leaves_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = texts(project)
    monkeypatch.setattr("hilgate.scaffold._rename", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        create("task", "vibration", project)
    assert texts(project) == before


def test_a_template_that_cannot_be_copied_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    before = texts(project)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(UsageError, match=r"src/tasks/TEMPLATE: it cannot be copied: .*No space left"):
        create("task", "vibration", project)
    assert texts(project) == before


def test_command_says_what_to_do_next(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    done = CliRunner().invoke(cli.application(["new"]), ["new", "task", "vibration"])
    assert done.exit_code == 0
    assert "src/tasks/vibration is there. Next:\n  1. " in done.output
