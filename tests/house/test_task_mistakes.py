"""What people get wrong in a task of their own: one line that names file and line, never a defect of ours."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from hilgate import cli
from hilgate.errors import DataError, ModelError, ParamsError, TaskError

READINGS = "return Split(readings.round().clip(0, 4095).astype(np.int16), y)"
LAYERS = "nn.Sequential(nn.Linear(32, params.hidden), nn.ReLU(), nn.Linear(params.hidden, 3))"
RIGHT = 'return right.astype("float64")'


@pytest.fixture
def project(trained_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template's task, trained, to break."""
    project = tmp_path / "mine"
    shutil.copytree(trained_project, project, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return project


def broken(project: Path, file: str, old: str, new: str) -> int:
    """Replace `old` in a file of the task; the line where it stood."""
    path = project / "src/tasks/waves" / file
    before, found, after = path.read_text().partition(old)
    assert found, f"{file} has no {old}"
    path.write_text(before + new + after)
    return before.count("\n") + 1


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """How `hilgate <words>` ended, and the one line that it said about it."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("hilgate: ")]
    assert len(lines) == 1, lines
    return int(end.value.code or 0), lines[0]


@pytest.mark.parametrize(
    ("room", "file", "old", "new", "words"),
    [
        ("data", "data.py", "import numpy as np\n", "import numpy as np\n    {}['speed']\n", "KeyError: 'speed'"),
        ("data", "data.py", "return {", "open('readings.csv')\n    return {", "FileNotFoundError: .* 'readings.csv'"),
        ("data", "__init__.py", "from tasks.waves.data", "import no_such\nfrom tasks.waves.data", "pip install it"),
        ("data", "network.py", "from dataclasses", "1 +\nfrom dataclasses", "SyntaxError: invalid syntax"),
        ("data", "metric.py", "METRIC =", "nothing()\nMETRIC =", "importing the task failed: NameError"),
        ("data", "data.py", "FILES:", "exit(3)\nFILES:", "importing the task failed: SystemExit: 3"),
        ("data", "__init__.py", "TASK = Task", "TASK = Task(name='x')\n_ = Task", "TypeError: .* missing"),
        ("train", "network.py", "from torch import nn", "import no_such", "No module named 'no_such'"),
        ("train", "network.py", "return nn.Sequential", "return nn.Sequentail", "AttributeError"),
        ("train", "network.py", "readings: np.ndarray =", "x['speed']; readings: np.ndarray =", "IndexError"),
        ("train", "network.py", "return cross_entropy(outputs, targets.long())", "return outputs[7, 7]", "IndexError"),
        ("train", "network.py", "return cross_entropy(outputs, ", "return cross_entropy(outputs, 4 + ", "Target . is"),
        ("train", "metric.py", "right: np.ndarray = outputs.argmax", "right: np.ndarray = outputs.argmx", "argmx"),
    ],
)
def test_what_a_task_raises_is_told_with_its_line(project, capsys, *, room, file, old, new, words):
    line = broken(project, file, old, new)
    code, text = told(capsys, room, "waves")
    assert code == TaskError.exit_code == 13
    found = re.match(rf"hilgate: src/tasks/waves/{file}:(\d+): ", text)
    assert found and line <= int(found[1]) <= line + 1, text
    assert re.search(words, text), text
    if room == "train" or "importing" not in text:
        saved = Path(text.rpartition("the whole traceback: ")[2].rstrip(")"))
        assert saved.is_relative_to(project) and "Traceback" in saved.read_text()


@pytest.mark.parametrize(
    ("room", "file", "old", "new", "place", "words"),
    [
        (
            "data",
            "data.py",
            READINGS,
            "return Split(list(readings), y)",
            "def split",
            "as x of split train a list, not",
        ),
        ("data", "data.py", READINGS, "return None", "def split", "as x of split train nothing"),
        (
            "data",
            "data.py",
            READINGS,
            "return Split(readings.astype(object), y)",
            "def split",
            "x .* object .4000, 32.",
        ),
        ("data", "data.py", READINGS, "return Split(np.sqrt(-readings), y)", "def split", "NaN .* first in sample 0"),
        ("data", "data.py", "return {\n", "return [] and {\n", "def split", "returned a list, not a dictionary"),
        ("train", "network.py", "return readings", "return list(readings)", "def preprocess", "a list, not an array"),
        ("train", "network.py", "return readings", "return readings[1:]", "def preprocess", r"\(0, 32\) of 1 samples"),
        ("train", "network.py", 'astype("float32")', 'astype("float64")', "def preprocess", r"float64 \(1, 32\), not"),
        ("train", "network.py", "return readings", "return readings / 0", "def preprocess", "NaN or infinity"),
        ("train", "network.py", f"return {LAYERS}", "nn.ReLU()", "def network", "nothing, not a torch module"),
        ("train", "network.py", "targets.long())", "targets.long(), reduction='none')", "def loss", r"float32 \(64,\)"),
        ("train", "metric.py", RIGHT, "return float(right.mean())", "def top1", r"shape \(\) for 1000 samples"),
        ("train", "metric.py", RIGHT, "return right[1:]", "def top1", r"shape \(999,\) for 1000 samples"),
        ("train", "metric.py", RIGHT, "return right / 0.0", "def top1", "NaN or infinity"),
        ("quantize", "metric.py", RIGHT, "return right * 3", "def top1", "returned 3; .* unless it says binary=False"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_a_task_must_not_return_names_its_function(project, capsys, *, room, file, old, new, place, words):
    broken(project, file, old, new)
    before = (project / "src/tasks/waves" / file).read_text().partition(place)[0]
    code, text = told(capsys, room, "waves")
    assert code == TaskError.exit_code
    assert text.startswith(f"hilgate: src/tasks/waves/{file}:{before.count(chr(10)) + 1}: {place[4:]} "), text
    assert re.search(words, text), text


@pytest.mark.parametrize(
    ("room", "file", "old", "new", "error", "words"),
    [
        ("data", "data.py", '"validation", "test")', '"valid", "test")', DataError, "return train, validation, test"),
        ("data", "data.py", "1 if name", "9999 if name", DataError, "split train has 0 samples"),
        ("data", "data.py", ".astype(np.int16), y)", ".astype(np.int16), y[1:])", DataError, "4000 samples and 3999"),
        ("train", "network.py", "nn.Linear(32,", "nn.Linear(33,", ModelError, "src/tasks/waves/network.py: .* 33x64"),
        ("data", "__init__.py", 'name="waves"', 'name="wave"', TaskError, 'named `wave` .write name="waves"'),
        ("data", "__init__.py", "TASK =", "TASKS =", TaskError, "has no TASK"),
        ("data", "__init__.py", "data_params=Data", "data_params=int", TaskError, "`data_params` .* a dataclass"),
        ("data", "__init__.py", "train_params=Train", "train_params=Data", TaskError, "made from TrainParams"),
    ],
)
def test_what_does_not_fit_together_is_one_line(project, capsys, *, room, file, old, new, error, words):
    broken(project, file, old, new)
    code, text = told(capsys, room, "waves")
    assert code == error.exit_code
    assert re.search(words, text) and "defect" not in text, text


def test_diverging_training_says_what_to_lower(project, capsys):
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("learning_rate: 0.005", "learning_rate: 1.0e+30"))
    code, text = told(capsys, "train", "waves")
    assert code == ModelError.exit_code and "lower learning_rate" in text


def test_a_missing_entry_of_params_names_the_lines_to_copy(project, capsys):
    """Before anything is downloaded."""
    broken(project, "data.py", "FILES: tuple[RawFile, ...] = ()", 'FILES = (RawFile("far_away", "0", 1),)')
    path = project / "params.yaml"
    path.rename(project / "src/tasks/waves/params.example.yaml")
    path.write_text("cells: {}\n")
    code, text = told(capsys, "data", "waves")
    assert code == ParamsError.exit_code
    assert "section `data` has no entry `waves`" in text and "src/tasks/waves/params.example.yaml" in text


def test_a_folder_without_init_is_named(project, capsys):
    (project / "src/tasks/waves/__init__.py").unlink()
    code, text = told(capsys, "data", "waves")
    assert code == TaskError.exit_code and "src/tasks/waves/__init__.py: this file is missing" in text


def test_a_module_of_the_users_own_that_fails_in_forward_is_told_with_its_line(project, capsys):
    own = "class Own(nn.Module):\n        def forward(self, x):\n            return x.nothing\n    return Own()"
    line = broken(project, "network.py", f"return {LAYERS}", own)
    code, text = told(capsys, "train", "waves")
    assert code == TaskError.exit_code
    assert text.startswith(f"hilgate: src/tasks/waves/network.py:{line + 2}: AttributeError"), text
