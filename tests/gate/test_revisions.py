"""Names of a base that git or the file system does not take as they are: each is one line with what to do."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from hilgate.errors import UsageError
from hilgate.gate.gate import execute

PARAMS = "cells: { toy: { task: toy, board: board_a } }\ngate: { toy: { flash_bytes: { max: 1 } } }\n"


def call(folder, *words):
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path):
    """A project without measurements, committed on main."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    call(tmp_path, "init", "-q", "-b", "main")
    call(tmp_path, "add", "params.yaml")
    call(tmp_path, "commit", "-q", "-m", "base")
    return tmp_path


def test_a_head_that_no_file_can_be(project):
    with pytest.raises(UsageError, match="cannot be read: File name too long"):
        execute(project, head=Path("a" * 3000))


def test_a_short_name_of_two_commits_says_so(project):
    commits = "".join(f"commit refs/heads/many\ncommitter t <t@example.org> {at} +0000\ndata 0\n" for at in range(1000))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=project, check=True, input=commits.encode())
    listed = subprocess.run(["git", "rev-list", "many"], cwd=project, check=True, capture_output=True, text=True)
    starts = Counter(sha[:4] for sha in listed.stdout.split())
    shared = next(start for start, count in starts.items() if count == 2)
    with pytest.raises(UsageError, match=f"'{shared}' is short for 2 commits") as caught:
        execute(project, shared)
    assert caught.value.hint.startswith(f"such as {shared}")


def test_a_shallow_clone_says_how_to_get_the_rest(project, tmp_path_factory):
    call(project, "commit", "-q", "--allow-empty", "-m", "second")
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    call(project, "clone", "-q", "--depth", "1", project.as_uri(), str(clone))
    with pytest.raises(UsageError, match="git knows no revision 'HEAD~1' here") as caught:
        execute(clone, "HEAD~1")
    assert "git fetch --unshallow" in caught.value.hint


@pytest.mark.parametrize("base", [None, "main"])
def test_a_repository_that_git_refuses_to_read_is_no_first_run(project, monkeypatch, base):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(
        UsageError, match="git cannot read this repository: fatal: detected dubious ownership"
    ) as caught:
        execute(project, base)
    assert "safe.directory" in caught.value.hint


def test_unrelated_histories_have_no_base(project):
    call(project, "checkout", "-q", "--orphan", "other")
    call(project, "commit", "-q", "-m", "unrelated")
    with pytest.raises(UsageError, match="have no common commit"):
        execute(project, "main")
