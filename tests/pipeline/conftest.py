"""The real dvc.yaml on the TEMPLATE task, in a git repository of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOMS = ("data", "train", "export", "quantize")


@dataclass(frozen=True)
class Repository:
    """A working tree in which commands run as a user's would."""

    folder: Path

    def run(self, *command: str, **extra: str) -> str:
        """Standard output; a failing command fails the test with all it said."""
        bin_folder = str(Path(sys.executable).parent)
        environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1", **extra}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def repro(self) -> list[str]:
        """The stages that `dvc repro` ran."""
        lines = self.run("dvc", "repro").splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage")]

    def dirt(self) -> str:
        return self.run("git", "status", "--porcelain")

    def clone(self, target: Path) -> Repository:
        """A fresh clone, as from a server: git's files and no DVC cache."""
        self.run("git", "clone", "--quiet", str(self.folder), str(target))
        return Repository(target)

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", message)


@pytest.fixture(scope="session")
def repository_at() -> type[Repository]:
    """For tests that make their own repositories."""
    return Repository


@pytest.fixture(scope="session")
def pipeline(root, trained_project, tmp_path_factory) -> Repository:
    """The template project with hilgate's own dvc.yaml, reproduced once and committed: read it, clone it."""
    folder = tmp_path_factory.mktemp("pipeline") / "repository"
    shutil.copytree(trained_project, folder, ignore=shutil.ignore_patterns("artifacts", "__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(root / name, folder / name)
    (folder / ".dvc").mkdir()
    for name in ("config", ".gitignore"):
        shutil.copy(root / ".dvc" / name, folder / ".dvc" / name)
    for name in (*ROOMS, "arrays.py", "onnxmodel.py"):  # what the stages depend on
        source, target = root / "src" / "hilgate" / name, folder / "src" / "hilgate" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    wanted = {section: params[section] for section in ROOMS} | {"cells": {}, "compile": {}}
    (folder / "params.yaml").write_text(yaml.safe_dump(wanted))
    (folder / ".gitignore").write_text("__pycache__/\n")
    repository = Repository(folder)
    repository.run("git", "init", "--quiet", "--initial-branch=main")
    assert repository.repro() == [f"{room}@waves" for room in ROOMS]
    repository.commit("First")
    return repository
