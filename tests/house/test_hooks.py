"""The pre-commit hooks are local, exist, and can say no."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml


def test_hooks_are_local_and_their_programs_are_ours(root: Path) -> None:
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        program = hook["entry"].split()[0]
        assert program == ".venv/bin/python" or os.access(root / program, os.X_OK), program


def test_configuration_is_valid(root: Path) -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    assert subprocess.run(command, cwd=root, capture_output=True, timeout=60).returncode == 0


def test_large_file_is_refused(root: Path, tmp_path: Path) -> None:
    small, large = tmp_path / "small.bin", tmp_path / "large.bin"
    small.write_bytes(bytes(1024 * 1024))
    large.write_bytes(bytes(1024 * 1024 + 1))
    script = str(root / "scripts/no_large_files")
    assert subprocess.run([script, str(small)], capture_output=True, timeout=60).returncode == 0
    done = subprocess.run([script, str(small), str(large)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "large.bin" in done.stderr and "small.bin" not in done.stderr
