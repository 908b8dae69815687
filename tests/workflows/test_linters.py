""".github and scripts, as linters see them; and that each linter can say no."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(sys.executable).parent
WORKFLOWS = sorted((Path(__file__).parents[2] / ".github/workflows").glob("*.yml"))


def check(root: Path, tool: str, *arguments: str) -> None:
    done = subprocess.run([str(TOOLS / tool), *arguments], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint(root: Path) -> None:
    check(root, "actionlint", "-shellcheck", str(TOOLS / "shellcheck"))


def test_zizmor_at_its_strictest(root: Path) -> None:
    check(root, "zizmor", "--offline", "--persona", "auditor", "--no-progress", ".github")


def test_github_schemas(root: Path) -> None:
    check(root, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    check(root, "check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")


def test_yamllint(root: Path) -> None:
    check(root, "yamllint", "--strict", ".github", "params.yaml", "dvc.yaml", ".pre-commit-config.yaml")


def test_hadolint(root: Path) -> None:
    check(root, "hadolint", ".github/container/Dockerfile")


def test_shellcheck(root: Path) -> None:
    scripts = [p for p in (root / "scripts").iterdir() if p.is_file() and "bash" in p.read_text().split("\n")[0]]
    check(root, "shellcheck", "--external-sources", *map(str, [*scripts, root / ".ci/run"]))


@pytest.mark.parametrize(
    ("tool", "path", "content", "arguments"),
    [
        (
            "actionlint",
            ".github/workflows/bad.yml",
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    needs: b\n",
            (),
        ),
        (
            "zizmor",
            "bad.yml",
            "on: pull_request_target\njobs: {a: {runs-on: x, steps: [{uses: a/b@main}]}}\n",
            ("--offline",),
        ),
        ("hadolint", "Dockerfile", "FROM debian\nRUN cd /x\n", ()),
        ("shellcheck", "bad.sh", "#!/bin/bash\nrm $1\n", ()),
    ],
)
def test_each_linter_can_fail(tmp_path: Path, tool: str, path: str, content: str, arguments: tuple[str, ...]) -> None:
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    done = subprocess.run([str(TOOLS / tool), *arguments, str(target)], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode != 0
