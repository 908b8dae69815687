"""docs/architecture.md as a test: floors, names, lengths, whole folders. Its table is read, not repeated."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hilgate import cli
from hilgate.params import SECTIONS

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "src" / "hilgate"
MAY_USE_MECHANISMS = {"link": {"virtual"}, "bench": {"virtual", "link"}}
NO_STAGE = {"gate", "report"}  # commands and params sections only: a broken budget never hides the measurements

LONGEST_FILE = 400
LONGEST_FUNCTION = 70
LONG_FOR_A_REASON: dict[str, str] = {}  # files over 300 lines


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows or would take (so that a new file is checked before it is added)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for name in sorted(set(names)) if (path := ROOT / name).is_file()]


def floors() -> dict[str, set[str]]:
    """Floor -> names of its packages and modules, from the table in docs/architecture.md."""
    rows = re.findall(
        r"^\| (shelves|mechanisms|rooms|top) \| (.*?) \|", (ROOT / "docs/architecture.md").read_text(), re.M
    )
    return {
        floor: {name.removesuffix(".py").rstrip("/") for name in re.findall(r"`(.*?)`", cell)} for floor, cell in rows
    }


FLOORS = floors()
ROOMS = FLOORS["rooms"]


def owner(path: Path) -> str:
    """The package or module directly below hilgate that a file belongs to."""
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def modules(path: Path) -> set[str]:
    """Modules that a file imports, wherever and however: in functions, for types only, or by a name in a string."""
    found: set[str] = set()
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names if not alias.name.startswith("_")}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # for importlib, sys.modules, python -m
            found |= set(re.findall(r"^(?:hilgate|tasks)\.[\w.]*", node.value))
    return found


def imported(path: Path) -> set[str]:
    """Names directly below hilgate that a file imports."""
    names = modules(path)
    assert "hilgate" not in names, f"{path}: `import hilgate` reaches everything; import what is needed"
    return {name.split(".")[1] for name in names if name.startswith("hilgate.")}


@pytest.mark.parametrize(
    "text",
    [
        "import hilgate.run.run",
        "from hilgate import run",
        "def f():\n    from hilgate.run.run import execute",
        "if TYPE_CHECKING:\n    from hilgate.run.run import Subject",
        "import_module('hilgate.run.run')",
        "import_module(f'hilgate.run.{name}')",
        "sys.modules['hilgate.run.run']",
        "subprocess.run([sys.executable, '-m', 'hilgate.run.run'])",
    ],
)
def test_no_way_of_importing_is_overlooked(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sneaky.py"
    path.write_text(text)
    assert imported(path) == {"run"}


@pytest.mark.parametrize("text", ["import hilgate", "from . import run", "from ..run import run"])
def test_ways_that_hide_what_they_import_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sneaky.py"
    path.write_text(text)
    with pytest.raises(AssertionError):
        imported(path)


def allowed(name: str) -> set[str]:
    """What a member of a floor may import besides itself."""
    if name in FLOORS["shelves"]:
        return FLOORS["shelves"]
    if name in FLOORS["mechanisms"]:
        return FLOORS["shelves"] | MAY_USE_MECHANISMS.get(name, set())
    if name in ROOMS:
        return FLOORS["shelves"] | FLOORS["mechanisms"]
    return set().union(*FLOORS.values())


def test_every_package_of_the_engine_stands_on_one_floor() -> None:
    there = {owner(path) for path in ENGINE.rglob("*.py")} - {"__init__", "__main__"}
    listed = [name for names in FLOORS.values() for name in names]
    assert sorted(listed) == sorted(set(listed)), "a name stands on two floors"
    assert there == set(listed)


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_imports_only_point_down(path: Path) -> None:
    name = owner(path)
    if name == "__init__":
        assert not imported(path)
    else:
        wrong = imported(path) - allowed(name) - {name}
        assert not wrong, f"{path.relative_to(ROOT)} ({name}) must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src/tasks").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_tasks_use_only_shelves(path: Path) -> None:
    """The user's product leans on the engine's shelves, so that a new engine version does not break it."""
    assert imported(path) <= FLOORS["shelves"] | {"data"}, f"{path}: {imported(path)}"
    of_data = {name for name in modules(path) if re.match(r"hilgate\.data\b", name)}
    assert all(name.startswith("hilgate.data.idx.") for name in of_data), f"{path}: only readers of data formats"


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_engine_knows_no_task(path: Path) -> None:
    by_name = {"tasks."} if path == ENGINE / "task.py" else set()  # load_task puts the asked one behind it
    assert {name for name in modules(path) if name.split(".")[0] == "tasks"} <= by_name, f"{path} imports a task"


def test_rooms_are_params_sections_and_commands() -> None:
    assert set(SECTIONS) - {"cells"} == ROOMS
    assert set(cli.command_names()) >= ROOMS
    assert cli.command_names()[: len(ROOMS)] == [name for name in SECTIONS if name in ROOMS]


def test_rooms_are_stages() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert set(stages) == ROOMS - NO_STAGE
    for room, stage in stages.items():
        command = stage.get("do", stage)["cmd"]
        assert command.split()[:2] == ["hilgate", room], f"stage {room} runs {command}"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_has_one_door(room: str) -> None:
    """<room>/<room>.py with `execute`, which takes (item, params, root) where a stage calls it."""
    path = ENGINE / room / f"{room}.py"
    tree = ast.parse(path.read_text("utf-8"))
    doors = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "execute"]
    assert len(doors) == 1, f"{path} has no function execute"
    names = [argument.arg for argument in doors[0].args.args]
    stage = len(names) == 3 and names[0] in ("item", "task", "cell") and names[1:] == ["params", "root"]
    assert room in NO_STAGE or stage, f"{path}: execute{tuple(names)}"


def by_hand(path: Path) -> bool:
    """Not one of those whose first words say that they are generated."""
    return not re.match(r"\W*Generated (by|from) ", path.read_text("utf-8"))


def code_files() -> list[Path]:
    patterns = (
        "*.py *.c *.h *.S *.sh *.yml *.yaml *.cmake *.toml *.js *.css *.j2 *.tcl scripts/* .ci/* Makefile".split()
    )
    return [path for path in tracked(*patterns, ":!artifacts") if by_hand(path)]


def test_what_calls_itself_generated_is() -> None:
    """So that nobody's long file hides behind the word."""
    scripts = " ".join(path.read_text("utf-8") for path in tracked("scripts/*", "src/hilgate/link/codegen/*"))
    for path in tracked("*.py", "*.c", "*.h", "*.js", "*.yml"):
        if not by_hand(path) and "artifacts" not in path.parts and "fixture_model" not in path.parts:
            assert path.name in scripts, f"no generator names {path.relative_to(ROOT)}"


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in code_files()}
    code = {name: lines for name, lines in lengths.items() if not name.endswith(".toml")}
    assert not {name: lines for name, lines in code.items() if lines > LONGEST_FILE}
    long = {name for name, lines in code.items() if lines > 300}
    assert not long - set(LONG_FOR_A_REASON), "over 300 lines: shorten it, or list it with its reason"


def python_functions(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(n.name, (n.end_lineno or 0) - n.lineno + 1) for n in ast.walk(tree) if isinstance(n, kinds)]


def c_functions(path: Path) -> list[tuple[str, int]]:
    """Functions of a clang-formatted file: from a line at column 0 that ends in `) {` to the next `}` at column 0."""
    found, name, start = [], "", 0
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.endswith(") {") and line[:1].strip():
            name, start = line, number
        elif line == "}" and name:
            found.append((name, number - start + 1))
            name = ""
    return found


def test_functions_are_short() -> None:
    long = []
    for path in code_files():
        reader = {".py": python_functions, ".c": c_functions, ".h": c_functions}.get(path.suffix)
        rows = reader(path) if reader else []
        long += [f"{path.relative_to(ROOT)}: {name}: {lines} lines" for name, lines in rows if lines > LONGEST_FUNCTION]
    assert not long


def folders(parent: str) -> list[Path]:
    names = {path.relative_to(ROOT / parent).parts[0] for path in tracked(f"{parent}/*/*")}
    return [ROOT / parent / name for name in sorted(names)]


def test_operator_folders_are_whole() -> None:
    operators = folders("src/hilgate/compile/ops")
    assert "TEMPLATE" in {folder.name for folder in operators}
    for folder in operators:
        stem = folder.name.lower()
        for name in ("op.py", f"{stem}.c", f"{stem}.h", "cases.toml"):
            assert (folder / name).is_file(), f"{folder.relative_to(ROOT)} has no {name}"


def test_board_folders_are_whole() -> None:
    boards = folders("firmware/boards")
    assert "TEMPLATE" in {folder.name for folder in boards}
    for folder in boards:
        assert (folder / "board.toml").is_file(), f"{folder.relative_to(ROOT)} has no board.toml"


def test_cpus_have_costs_and_measurements() -> None:
    cpus = list((ENGINE / "virtual/cpus").glob("*.toml"))
    assert cpus
    for path in cpus:
        assert path.with_name(f"{path.stem}_measured.csv").is_file(), f"{path.name} has no measurements beside it"


def test_task_folders_are_whole() -> None:
    tasks = folders("src/tasks")
    assert "TEMPLATE" in {folder.name for folder in tasks}
    for folder in tasks:
        for name in ("__init__.py", "data.py", "network.py", "metric.py"):  # the last three are deps of stages
            assert (folder / name).is_file(), f"{folder.relative_to(ROOT)} has no {name}"


@pytest.mark.parametrize("parent", ["link/transports", "bench/flashers"])
def test_ways_are_like_their_template(parent: str) -> None:
    """A new way to reach or flash a board is one file that has what the template's has."""

    def public(path: Path) -> set[str]:
        kinds = (ast.FunctionDef, ast.ClassDef)
        nodes = [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, kinds)]
        return {node.name for node in nodes if not node.name.startswith("_")}

    folder = ENGINE / parent
    (template,) = (folder / "TEMPLATE").glob("*.py")
    ways = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert ways and public(template)
    for path in ways:
        assert public(template) <= public(path), f"{path.relative_to(ROOT)}: {public(template) - public(path)}"


REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "deb.debian" + ".org")
MACHINE = re.compile(r"(?<![\w.])/(work|farm|root|opt)/|/tmp/(bash_jobs|house)")
UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError|mark\.(skip|xfail)\b|pytest\.(skip|xfail)\("
)
NOT_EVERYWHERE = "no browser looks at the pages: install chromium"  # the one thing that a system may not offer


def test_no_registry_host_machine_path_or_unfinished_work() -> None:
    found = []
    for path in tracked():
        content = path.read_bytes()
        if path == Path(__file__) or path.suffix == ".lock" or b"\0" in content:  # no prose; binary
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if NOT_EVERYWHERE in line:
                continue
            if any(host in line for host in REGISTRIES) or MACHINE.search(line) or UNFINISHED.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found
