"""docs/architecture.md as a test: floors, names, lengths, whole folders. Its table is read, not repeated."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hilgate import cli, errors
from hilgate.params import SECTIONS

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "src" / "hilgate"
MAY_USE_MECHANISMS = {
    "link": {"virtual"},
    "bench": {"virtual", "link"},
    "virtual": set(),
    "github": set(),
    "history": set(),
}
NO_STAGE = {
    "gate",
    "report",
}  # commands and params sections, but no stages: a broken budget never hides the measurements

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


def imported(path: Path) -> set[str]:
    """Names directly below hilgate that a file imports, wherever in the file it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("hilgate.")}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "hilgate":
                found |= {alias.name for alias in node.names if not alias.name.startswith("_")}
            elif node.module and node.module.startswith("hilgate."):
                found.add(node.module.split(".")[1])
    return found


def allowed(name: str) -> set[str]:
    """What a member of a floor may import besides itself."""
    if name in FLOORS["shelves"]:
        return FLOORS["shelves"]
    if name in FLOORS["mechanisms"]:
        return FLOORS["shelves"] | MAY_USE_MECHANISMS[name]
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


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_engine_knows_no_task(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.split(".")[0] == "tasks"], f"{path} imports a task"


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


def by_hand(path: Path) -> bool:
    return not re.search("Generated (by|from)", path.read_text("utf-8")[:300])


def code_files() -> list[Path]:
    patterns = ("*.py", "*.c", "*.h", "*.S", "*.sh", "*.yml", "*.yaml", "*.cmake", "*.toml", "scripts/*", "Makefile")
    return [path for path in tracked(*patterns, ":!artifacts") if by_hand(path)]


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
        assert (folder / "__init__.py").is_file(), f"{folder.relative_to(ROOT)} has no __init__.py"


def test_drawn_error_tree_is_the_real_one() -> None:
    rows = re.findall(r"^([│├└─ ]*)(\w+Error|VirtualFault) +(\d+|exit code)", errors.__doc__ or "", re.M)
    drawn, parents = {}, {0: "Exception"}
    for lines, name, code in rows:
        depth = len(lines) // 4
        drawn[name] = (parents.get(depth, ""), None if code == "exit code" else int(code))
        parents[depth + 1] = name
    real = {
        name: (kind.__mro__[1].__name__, kind.__dict__.get("exit_code"))
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.HilgateError)
    }
    drawn["HilgateError"] = ("Exception", 1)
    assert drawn == real


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
        if (
            path == Path(__file__) or path.suffix == ".lock" or b"\0" in content
        ):  # a lock has no prose, NUL means binary
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if NOT_EVERYWHERE in line:
                continue
            if any(host in line for host in REGISTRIES) or MACHINE.search(line) or UNFINISHED.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found
