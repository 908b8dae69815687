"""The bench refuses every job but the trusted workflow's, and a refused job runs nothing, not even `if: always()`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

REPOSITORY = "acme/product"
AT_MAIN = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_REPOSITORY_ID": "42",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_EVENT_NAME": "workflow_run",
    "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/verdict.yml@refs/heads/main",
}
# Like the runner's worker: it starts the hook, then runs the job's steps, those with `if: always()` whatever it said.
WORKER = '#!/bin/bash\nbash -e "$HOOK"; echo "hook: $?"; echo "step with if: always()"\n'
NOBODY = 65534


def make_bench(root: Path) -> Path:
    """A folder with the hook, its configuration and a runner's worker, which the runner's user may read only."""
    folder = Path(tempfile.mkdtemp(prefix="hilgate-hook-"))
    hook, config = folder / "job_started.sh", folder / "job_started.conf"
    shutil.copy(root / "scripts/hook/job_started.sh", hook)
    text = (root / "scripts/hook/job_started.conf.example").read_text().replace("OWNER/REPOSITORY", REPOSITORY)
    config.write_text(text)
    (folder / "worker").write_text(WORKER)
    for path, mode in ((hook, 0o555), (config, 0o444), (folder / "worker", 0o555), (folder, 0o555)):
        path.chmod(mode)
    return folder


@pytest.fixture
def bench(root: Path) -> Iterator[Path]:
    folder = make_bench(root)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def job(bench: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What happens to a job with these variables. Root drops to nobody, because root can write everything."""
    command = ["bash", str(bench / "worker")]
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    env = {"PATH": os.environ["PATH"], "HOOK": str(bench / "job_started.sh"), **environment}
    return subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, timeout=60, **user)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Asserts that the worker was killed before its next step; gives what the job's log says."""
    assert done.returncode == -9, done.stdout + done.stderr
    assert "if: always()" not in done.stdout
    assert done.stdout.startswith("::error title=hilgate bench::refused: ") and len(done.stdout.splitlines()) == 1
    return done.stdout


@pytest.mark.parametrize(("file", "event"), [("verdict.yml", "workflow_run"), ("nightly.yml", "schedule")])
def test_the_trusted_workflows_of_main_go_on(bench: Path, file: str, event: str) -> None:
    reference = f"{REPOSITORY}/.github/workflows/{file}@refs/heads/main"
    done = job(bench, {**AT_MAIN, "GITHUB_WORKFLOW_REF": reference, "GITHUB_EVENT_NAME": event})
    assert done.returncode == 0 and "hook: 0" in done.stdout and "if: always()" in done.stdout, done.stderr


HOSTILE = {
    "a workflow of a pull request": {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_HEAD_REF": "main",
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/verdict.yml@refs/pull/7/merge",
    },
    "verdict.yml rewritten on a branch": {
        "GITHUB_REF": "refs/heads/topic",
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/verdict.yml@refs/heads/topic",
    },
    "a branch whose name ends like main": {
        "GITHUB_REF": "refs/heads/refs/heads/main",
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/verdict.yml@refs/heads/refs/heads/main",
    },
    "a tag called main": {
        "GITHUB_REF": "refs/tags/main",
        "GITHUB_REF_TYPE": "tag",
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/verdict.yml@refs/tags/main",
    },
    "another workflow of main": {"GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/ci.yml@refs/heads/main"},
    "a file whose name only begins like it": {
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/verdict.yml@refs/heads/main.yml@refs/heads/main"
    },
    "a workflow outside the folder": {"GITHUB_WORKFLOW_REF": f"{REPOSITORY}/verdict.yml@refs/heads/main"},
    "pull_request_target": {"GITHUB_EVENT_NAME": "pull_request_target"},
    "a push to main": {"GITHUB_EVENT_NAME": "push"},
    "started by hand": {"GITHUB_EVENT_NAME": "workflow_dispatch"},
    "nightly.yml on another event than its own": {
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/nightly.yml@refs/heads/main"
    },
    "another repository of the same owner": {
        "GITHUB_REPOSITORY": "acme/other",
        "GITHUB_WORKFLOW_REF": "acme/other/.github/workflows/verdict.yml@refs/heads/main",
    },
    "another server": {"GITHUB_SERVER_URL": "https://github.example.org"},
    "a head although the workflow is main's": {"GITHUB_HEAD_REF": "topic"},
    "a newline behind the right name": {"GITHUB_REF": "refs/heads/main\n"},
    "a pattern instead of a name": {"GITHUB_WORKFLOW_REF": "*"},
    "nothing said": dict.fromkeys(AT_MAIN, ""),
    "a log command in a name": {"GITHUB_REF": "refs/heads/x\n::set-output name=a::b\x1b[2J$(touch /tmp/x)"},
}


WITHOUT = {
    f"without {missing}": {name: value for name, value in AT_MAIN.items() if name != missing}
    for missing in AT_MAIN
    if missing != "GITHUB_REPOSITORY_ID"
}
REFUSED = {name: {**AT_MAIN, **changed} for name, changed in HOSTILE.items()} | WITHOUT


@pytest.fixture(scope="module")
def outcomes(root: Path) -> Iterator[dict[str, subprocess.CompletedProcess[str]]]:
    """Every hostile job, all at once: each refusal gives the log a second."""
    folder = make_bench(root)
    with ThreadPoolExecutor(len(REFUSED)) as pool:
        done = list(pool.map(lambda environment: job(folder, environment), REFUSED.values()))
    yield dict(zip(REFUSED, done, strict=True))
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", REFUSED)
def test_every_other_job_ends_before_its_first_step(
    outcomes: dict[str, subprocess.CompletedProcess[str]], name: str
) -> None:
    log = refused(outcomes[name])
    assert not set(log) & set("\x1b$"), "what a job chose must not act on a log"


def rewrite(bench: Path, text: str) -> None:
    config = bench / "job_started.conf"
    config.chmod(0o644)
    config.write_text(text)
    config.chmod(0o444)


GOOD = f"server=https://github.com\nrepository={REPOSITORY}\nbranch=main\nallow=verdict.yml workflow_run\n"


@pytest.mark.parametrize("line", ["server", "repository", "branch", "allow"])
def test_half_a_configuration_refuses(bench: Path, line: str) -> None:
    assert job(bench, AT_MAIN).returncode == 0
    rewrite(bench, "".join(row + "\n" for row in GOOD.splitlines() if not row.startswith(line)))
    assert "must say server, repository, branch and allow" in refused(job(bench, AT_MAIN))


@pytest.mark.parametrize(("identity", "code"), [("42", 0), ("43", -9)])
def test_a_repository_of_the_same_name_but_another_id_is_refused(bench: Path, identity: str, code: int) -> None:
    rewrite(bench, f"{GOOD}repository_id={identity}")
    assert job(bench, AT_MAIN).returncode == code


def test_an_unknown_key_refuses(bench: Path) -> None:
    rewrite(bench, f"{GOOD}branches=topic\n")
    assert "unknown key branches" in refused(job(bench, AT_MAIN))


def test_no_configuration_refuses(bench: Path) -> None:
    bench.chmod(0o755)
    (bench / "job_started.conf").unlink()
    bench.chmod(0o555)
    assert "no job_started.conf" in refused(job(bench, AT_MAIN))


@pytest.mark.parametrize("name", ["job_started.conf", "job_started.sh", ""])
def test_a_hook_that_the_runner_can_change_refuses(bench: Path, name: str) -> None:
    (bench / name).chmod(0o777)
    assert "could change" in refused(job(bench, AT_MAIN))


def test_the_shipped_configuration_names_workflows_that_exist_and_their_events(root: Path) -> None:
    pairs = [
        line.removeprefix("allow=").split()
        for line in (root / "scripts/hook/job_started.conf.example").read_text().splitlines()
        if line.startswith("allow=")
    ]
    assert pairs
    for file, event in pairs:
        document = yaml.safe_load((root / ".github/workflows" / file).read_text())
        assert event in document[True], f"{file} is not triggered by {event}"
