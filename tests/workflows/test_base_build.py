"""scripts/base_build: the base's own build, made again from its commit, for a project below a repository's top."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.org")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


FAKE_HILGATE = """#!/bin/bash
echo "$PWD: $*" >>"$LOG"
case "$1 $2" in
    "ci cells")
        [ -z "${FAILS:-}" ] || exit 1
        mkdir -p build/cells/artifacts/run/a && cp params.yaml build/cells/artifacts/run/a
        ;;
    "ci pack") mkdir -p "$4" && cp -r artifacts "$4" && touch "$4/claim.json" ;;
esac
"""


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A project below the top of a repository of two commits, whose params.yaml differs."""
    folder = tmp_path / "repository/products/sensor"
    (folder / "scripts").mkdir(parents=True)
    for name in ("lib.sh", "base_build", "ci_claim"):
        (folder / "scripts" / name).write_bytes((root / "scripts" / name).read_bytes())
        (folder / "scripts" / name).chmod(0o755)
    (folder / ".gitignore").write_text("build\n.venv\n")
    git(tmp_path / "repository", "init", "-q", "-b", "main")
    for text in ("first", "second"):
        (folder / "params.yaml").write_text(text)
        git(folder, "add", "--all")
        git(folder, "commit", "-q", "-m", text)
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/hilgate").write_text(FAKE_HILGATE)
    (folder / ".venv/bin/hilgate").chmod(0o755)
    return folder


def base_build(project: Path, sha: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "LOG": str(project / "build.log"), **variables}
    command = [str(project / "scripts/base_build"), sha, "build/base"]
    return subprocess.run(command, env=env, cwd=project, capture_output=True, text=True, timeout=60)


def test_the_base_is_built_from_its_own_commit_beside_this_one(project: Path) -> None:
    done = base_build(project, git(project, "rev-parse", "HEAD~1"))
    assert done.returncode == 0, done.stderr
    assert (project / "build/base/claim.json").is_file()
    assert (project / "build/base/artifacts/run/a/params.yaml").read_text() == "first"
    assert (project / "params.yaml").read_text() == "second"
    assert git(project, "worktree", "list").count("\n") == 0, "the work tree of the base is gone again"
    first, second = (project / "build.log").read_text().splitlines()
    assert first.split(": ")[0].endswith("/products/sensor") and "ci cells" in first and "ci pack" in second


def test_a_base_whose_cells_fail_is_packed_all_the_same(project: Path) -> None:
    done = base_build(project, "HEAD~1", FAILS="1")
    assert done.returncode == 0 and "some cells of the base fail" in done.stderr
    assert (project / "build/base/claim.json").is_file()


def test_a_base_that_this_clone_does_not_know_is_said(project: Path) -> None:
    done = base_build(project, "b" * 40)
    assert done.returncode == 30 and "is not in this clone" in done.stderr


def test_a_commit_before_the_project_began_is_no_base(project: Path) -> None:
    git(project, "rm", "-q", "params.yaml")
    git(project, "commit", "-q", "-m", "none")
    done = base_build(project, "HEAD")
    assert done.returncode == 3 and "everything is new" in done.stderr
