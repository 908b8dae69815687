"""Nothing that decides a result is missing from a stage's deps: else a change of it leaves old results, in silence.

What a room imports is derived from its files, and compared with dvc.yaml. `hilgate ci` relies on the same lists: they
say which cells a pull request touches.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hilgate.task import TrainParams

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
ROOMS = sorted(STAGES)

DECIDES_NOTHING = {
    "__init__": "the version, which goes into the provenance: no output",
    "artifacts": "names and checks files; what stands in them is the room's",
    "console": "what people see meanwhile",
    "errors": "then there is no result",
    "guard": "refuses what a task returns, or hands it on as it is",
    "locks": "one process at a time",
    "params": "DVC compares the values themselves",
    "project": "where the project is",
    "yamltext": "hands on values or refuses them",
    "task": "hands on what the task's own files say; the defaults of TrainParams are asserted below",
}
DECIDES_NOTHING_IN = {
    **{(room, "arrays"): "only reads what was written" for room in ("train", "export", "quantize", "run")},
    ("compile", "catalogue"): "only refuses a model that fits no board",
    ("run", "tools"): "only finds gcc, and QEMU, which no stage runs",
}
NO_STAGE_CALLS = SOURCE / "hilgate/compile/ruler"  # measures kernels for us
NOT_IN_AN_IMAGE = {  # of firmware/
    "firmware/README.md",
    "firmware/PROTOCOL.md",
    "firmware/protocol.toml",  # scripts/generate makes firmware/src/protocol.h of it
}


def deps(room: str) -> list[str]:
    """The deps of a stage, for the task or board called X."""
    listed = STAGES[room]["do"]["deps"]
    for place in ("${key}", "${item.task}", "${item.board}"):
        listed = [path.replace(place, "X") for path in listed]
    return listed


def covered(path: str, room: str) -> bool:
    return any(path == dep or path.startswith(f"{dep}/") for dep in deps(room))


def module_file(name: str) -> Path | None:
    path = SOURCE.joinpath(*name.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def imports(path: Path) -> set[Path]:
    """Files of the engine and of tasks that a file imports, wherever in the file it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {file for name in names if name.split(".")[0] in ("hilgate", "tasks") and (file := module_file(name))}


def reached(start: set[Path]) -> set[Path]:
    """`start`, and what it imports, directly or not."""
    seen: set[Path] = set()
    while start:
        seen |= start
        start = {file for path in start for file in imports(path)} - seen
    return seen


def engine_files(room: str) -> set[str]:
    """Names below src/hilgate of what a room's files reach."""
    own = {path for path in (SOURCE / "hilgate" / room).rglob("*.py") if NO_STAGE_CALLS not in path.parents}
    return {str(path.relative_to(SOURCE / "hilgate")) for path in reached(own)}


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_imports_is_a_dep(room):
    decides = {name for name in engine_files(room) if name.removesuffix(".py") not in DECIDES_NOTHING}
    decides -= {f"{name}.py" for where, name in DECIDES_NOTHING_IN if where == room}
    missing = sorted(name for name in decides if not covered(f"src/hilgate/{name}", room))
    assert not missing, f"stage {room}: add src/hilgate/{missing[0]} to its deps, or say here why it decides nothing"


@pytest.mark.parametrize("room", ROOMS)
def test_deps_on_the_engine_are_used(room):
    for dep in deps(room):
        if dep.startswith("src/hilgate/"):
            name = dep.removeprefix("src/hilgate/")
            assert any(file == name or file.startswith(f"{name}/") for file in engine_files(room)), f"{room}: {dep}"


def test_exceptions_are_of_things_that_are_imported():
    everything = {room: {name.removesuffix(".py") for name in engine_files(room)} for room in ROOMS}
    assert set(DECIDES_NOTHING) <= set().union(*everything.values())
    assert {(room, name) for room, name in DECIDES_NOTHING_IN if name in everything[room]} == set(DECIDES_NOTHING_IN)


def test_defaults_of_training_are_those_of_the_committed_weights():
    """Training does not depend on task.py, whose every change would train again: put another value into params.yaml."""
    defaults = {f.name: f.default for f in dataclasses.fields(TrainParams) if f.default is not dataclasses.MISSING}
    assert defaults == {
        "weight_decay": 0.0,
        "optimizer": "adam",
        "schedule": "constant",
        "precision": "float32",
        "threads": 1,
        "quick": None,
    }


def tracked(folder: str) -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", folder]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


TASKS = sorted({Path(name).parts[2] for name in tracked("src/tasks") if len(Path(name).parts) > 3})


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("room", [room for room in ROOMS if room != "build"])
def test_what_a_tasks_files_import_is_a_dep(room, task):
    """A module of your own that network.py imports would be changed without training again. Shared code has a place:
    a folder src/tasks/<name>/ that is a dep of the stages which use it."""
    names = [dep.replace("tasks/X/", f"tasks/{task}/") for dep in deps(room) if dep.startswith("src/tasks/")]
    assert f"src/tasks/{task}/__init__.py" in names
    listed = {ROOT / name for name in names}
    own = listed - {SOURCE / "tasks" / task / "__init__.py"}  # which imports every other file
    found = {path for path in reached(own) if SOURCE / "tasks" in path.parents} - {SOURCE / "tasks/__init__.py"}
    unlisted = sorted(
        str(path.relative_to(ROOT)) for path in found if not any(d in (path, *path.parents) for d in listed)
    )
    assert not unlisted, f"stage {room}@{task}: add {', '.join(unlisted)} to its deps in dvc.yaml"


@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_no_module_that_no_stage_depends_on(task):
    listed = [dep.replace("tasks/X", f"tasks/{task}") for room in ROOMS for dep in deps(room)]
    files = [name for name in tracked(f"src/tasks/{task}") if name.endswith(".py")]
    assert not [name for name in files if not any(name == dep or name.startswith(f"{dep}/") for dep in listed)]


def test_what_goes_into_an_image_is_a_dep_of_build():
    names = [name for name in tracked("firmware") if not name.startswith("firmware/boards/")]
    assert {name for name in names if not covered(name, "build")} == NOT_IN_AN_IMAGE
    assert covered("firmware/boards/X/board.toml", "build")


@pytest.mark.parametrize("room", ROOMS)
def test_sections_that_a_room_reads_are_params_of_its_stage(room):
    files = [path.read_text("utf-8") for path in (SOURCE / "hilgate" / room).rglob("*.py")]
    read = {name for text in files for name in re.findall(r"\.section\(\s*\"(\w+)\"", text)}
    read |= {"cells"} if any(re.search(r"params\.cells?\b", text) for text in files) else set()
    assert read == {key.partition(".")[0] for key in STAGES[room]["do"]["params"]}
