"""Scratch repositories and synthetic lines: made up, measured on nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hilgate.history.line import Line, line_from

PARAMS = """
cells:
  toy_board_a: {task: toy, board: board_a}
gate:
  toy_board_a:
    accuracy: {min: 0.9}
    flash_bytes: {max: 150000}
    latency_us: {skip: none}
"""


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    answer = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return answer.stdout.strip()


@pytest.fixture(scope="session")
def run_git() -> Callable[..., str]:
    return git


def make_content(**changed: Any) -> dict[str, Any]:
    """The content of a line; values and budgets may be given by metric."""
    content = {
        "schema": "history",
        "version": 1,
        "commit": "a" * 40,
        "date": "2026-01-02T03:04:05Z",
        "subject": "Start",
        "cell": "toy_board_a",
        "task": "toy",
        "board": "board_a",
        "testbed": "virtual_board_a",
        "toolchain": "gcc 12",
        "model": "0123",
        "source": "predicted",
        "evidence": "validated",
        "unit": "fraction",
        "better": "higher",
        "image": "b" * 64,
        "loads": 0,
        "values": {"accuracy": 0.98, "flash_bytes": 100_000, "ram_bytes": 20_000, "latency_us": 2000.5},
        "budgets": {"accuracy": 0.95, "flash_bytes": 150_000},
    }
    return {**content, **changed}


@pytest.fixture(scope="session")
def content() -> Callable[..., dict[str, Any]]:
    return make_content


@pytest.fixture(scope="session")
def line() -> Callable[..., Line]:
    """A line; `number` gives a commit and a date of its own."""

    def made(number: int = 0, **changed: Any) -> Line:
        date = f"20{20 + number // 336:02}-{1 + number // 28 % 12:02}-{1 + number % 28:02}T00:00:00Z"
        return line_from(make_content(**{"commit": f"{number:040x}", "date": date, **changed}))

    return made


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project with one commit."""
    return make_repository(tmp_path / "project")


def make_repository(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "params.yaml").write_text(PARAMS)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Start")
    return folder


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, Path]:
    """Two clones of one bare remote."""
    make_repository(tmp_path / "origin")
    git(tmp_path, "clone", "-q", "--bare", "origin", "remote.git")
    for name in ("one", "two"):
        git(tmp_path, "clone", "-q", "remote.git", name)
    return tmp_path / "one", tmp_path / "two"
