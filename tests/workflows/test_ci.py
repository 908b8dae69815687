""".github: what linters see, and what only the parsed YAML shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


def steps(document: dict) -> list[dict]:
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_with_their_version(path: Path) -> None:
    uses = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert uses
    for action, comment in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action} does not say its version"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_are_bounded_and_may_do_little(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert document["permissions"] == {}
    assert "pull_request_target" not in document[True]  # YAML 1.1 reads the key `on` as true
    for name, job in document["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
    for step in steps(document):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        assert len(step.get("run", "").splitlines()) <= 3, "logic belongs in scripts/"
        assert "${{" not in step.get("run", ""), "pass values through env"


def test_ci_only_reads(root: Path) -> None:
    document = yaml.safe_load((root / ".github/workflows/ci.yml").read_text())
    assert set(document[True]) == {"pull_request", "push"}
    assert document[True]["push"] == {"branches": ["main"]}
    assert all(job["permissions"] == {"contents": "read"} for job in document["jobs"].values())
    assert "secrets." not in (root / ".github/workflows/ci.yml").read_text()


def test_ci_runs_what_exists(root: Path) -> None:
    """Every script and make target that ci.yml calls is there."""
    targets = set(re.findall(r"^(\w+):", (root / "Makefile").read_text(), re.M))
    for step in steps(yaml.safe_load((root / ".github/workflows/ci.yml").read_text())):
        run = step.get("run", "")
        for script in re.findall(r"scripts/\w+", run):
            assert os.access(root / script, os.X_OK), script
        assert set(re.findall(r"make (\w+)", run)) <= targets


FAKE_DOCKER = """#!/bin/bash
echo "$@" >>"$LOG"
[ "$1 $2" = "image inspect" ] && [ ! -e "$BUILT" ] && exit 1
[ "$1" = build ] && touch "$BUILT"
[ "$1" != run ] || exit 7
"""


def test_in_container_builds_once_and_passes_on_the_exit_code(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "docker").write_text(FAKE_DOCKER)
    (tmp_path / "docker").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "LOG": str(log), "BUILT": str(tmp_path / "built"), "HOME": str(tmp_path)}
    env |= {"CI": "true", "HILGATE_EXAMPLE": "1", "SECRET_TOKEN": "x"}
    for _ in range(2):
        done = subprocess.run(
            [str(root / "scripts/in_container"), "make", "test"], env=env, capture_output=True, timeout=60
        )
        assert done.returncode == 7
    calls = log.read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["image", "build", "run", "image", "run"]
    run = calls[-1]
    assert run.endswith("make test") and f"--volume {root}:{root}" in run and f"--user {os.getuid()}:" in run
    assert "--env=CI" in run and "--env=HILGATE_EXAMPLE" in run and "SECRET_TOKEN" not in run


@pytest.fixture
def repository(tmp_path: Path, root: Path) -> Path:
    """A git repository of two commits with scripts/ and fakes of dvc and hilgate."""
    project = tmp_path / "project"
    (project / ".venv/bin").mkdir(parents=True)
    (project / "scripts").mkdir()
    for name in ("lib.sh", "virtual_gate"):
        (project / "scripts" / name).write_bytes((root / "scripts" / name).read_bytes())
    (project / "scripts/virtual_gate").chmod(0o755)
    (project / "dvc.lock").touch()
    (project / "params.yaml").touch()
    fakes = {"dvc": 'exit "${DVC:-0}"', "hilgate": 'echo "$@" >>"$LOG"\n[ "$1" != gate ] || exit "${GATE:-0}"'}
    for name, body in fakes.items():
        (project / ".venv/bin" / name).write_text(f"#!/bin/bash\n{body}\n")
        (project / ".venv/bin" / name).chmod(0o755)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in ("init -q", "add params.yaml", "commit -q -m first", "commit -q --allow-empty -m second"):
        subprocess.run(["git", *identity, *command.split()], cwd=project, check=True)
    return project


def virtual_gate(project: Path, base: str, **env: str) -> tuple[int, str]:
    log = project / "log"
    log.write_text("")
    command = [str(project / "scripts/virtual_gate"), base]
    done = subprocess.run(command, env={**os.environ, "LOG": str(log), **env}, capture_output=True, timeout=60)
    return done.returncode, log.read_text()


def test_virtual_gate_judges_reports_and_keeps_the_results(repository: Path) -> None:
    code, log = virtual_gate(repository, "main")
    assert code == 0
    assert log.splitlines() == ["gate --base main", "report"]
    assert (repository / "build/ci/dvc.lock").is_file()


@pytest.mark.parametrize(("dvc", "gate", "code"), [("0", "10", 10), ("0", "11", 11), ("1", "0", 1), ("1", "10", 1)])
def test_virtual_gate_is_never_green_by_accident(repository: Path, dvc: str, gate: str, code: int) -> None:
    assert virtual_gate(repository, "main", DVC=dvc, GATE=gate)[0] == code


def test_virtual_gate_on_the_first_push_compares_with_the_first_commit(repository: Path) -> None:
    command = ["git", "rev-list", "--max-parents=0", "HEAD"]
    first = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
    assert virtual_gate(repository, "0" * 40) == (0, f"gate --base {first}\nreport\n")
