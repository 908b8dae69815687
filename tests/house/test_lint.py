"""scripts/lint checks everything, and fails when any one of its tools does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = [
    "ruff",
    "clang-format",
    "mypy",
    "shellcheck",
    "yamllint",
    "hadolint",
    "actionlint",
    "zizmor",
    "check-jsonschema",
]
FAKE = '#!/bin/bash\necho "$(basename "$0") $*" >>"$LOG"\n[ "$(basename "$0")" != "$FAILS" ]\n'


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    shutil.copytree(root / "scripts", tmp_path / "scripts")
    shutil.copytree(root / ".github", tmp_path / ".github")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / "by_hand.c").write_text("int x;\n")
    (tmp_path / "made.c").write_text("/* Generated from x.toml. */\n")
    for path in [tmp_path / ".venv/bin" / tool for tool in TOOLS] + [tmp_path / "scripts/generate"]:
        path.write_text(FAKE)
        path.chmod(0o755)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def lint(project: Path, *arguments: str, fails: str = "") -> tuple[int, str, str]:
    log = project / ".venv/log"
    log.write_text("")
    env = {**os.environ, "LOG": str(log), "FAILS": fails}
    command = [str(project / "scripts/lint"), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    return done.returncode, log.read_text(), done.stderr


def test_runs_every_tool_on_the_right_files(project: Path) -> None:
    code, log, _ = lint(project)
    assert code == 0
    assert {line.split()[0] for line in log.splitlines()} == {*TOOLS, "generate"}
    assert re.search(r"^clang-format --dry-run -Werror by_hand.c$", log, re.M)
    assert re.search(r"^shellcheck .*scripts/lint .*scripts/setup", log, re.M)


@pytest.mark.parametrize("tool", [*TOOLS, "generate"])
def test_one_failing_tool_fails_the_whole_and_the_others_still_run(project: Path, tool: str) -> None:
    code, log, error = lint(project, fails=tool)
    assert code == 1
    assert "lint found something" in error and tool in error.split("lint found something")[1]
    assert {line.split()[0] for line in log.splitlines()} == {*TOOLS, "generate"}


def test_fix_formats(project: Path) -> None:
    code, log, _ = lint(project, "--fix")
    assert code == 0
    assert "ruff format --quiet .\n" in log and "clang-format -i by_hand.c\n" in log


def test_unknown_option_is_refused(project: Path) -> None:
    assert lint(project, "--nonsense")[0] == 2
