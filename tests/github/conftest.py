"""A fake GitHub for every test; whatever breaks GitHub's own description of its interface fails the test."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the package fake_github; tests are no package themselves

from fake_github import Actor, FakeGitHub

HEAD, BASE = "a" * 40, "b" * 40
RIGHTS = {"checks: write", "pull_requests: write", "contents: write", "statuses: write"}


@pytest.fixture
def make_github():
    """FakeGitHub(...) as often as a test likes."""
    made = []

    def make(prefix=""):
        fake = FakeGitHub(prefix)
        made.append(fake)
        fake.world.tokens = {
            "workflow-token": Actor("github-actions[bot]", "github-actions", set(RIGHTS)),
            "app-token": Actor("hilgate-acme[bot]", "hilgate-acme", set(RIGHTS)),
            "poor-token": Actor("github-actions[bot]", "github-actions", set()),
            "person-token": Actor("maria"),
            "evil-token": Actor("evil-app[bot]", "evil-app", set(RIGHTS)),
        }
        fake.world.people = {"maria": "admin", "wim": "write", "rita": "read", "stranger": "read"}
        fake.world.pulls[7] = {
            "state": "open",
            "author": "wim",
            "head_sha": HEAD,
            "head_ref": "feature",
            "head_repository": fake.world.repository,
            "base_ref": "main",
            "base_sha": BASE,
        }
        return fake

    yield make
    violations = [text for fake in made for text in fake.violations]
    for fake in made:
        fake.close()
    assert not violations


@pytest.fixture
def github(make_github):
    return make_github()


_spec = importlib.util.spec_from_file_location("github_gate", Path(__file__).parents[1] / "gate" / "conftest.py")
toys = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = toys
_spec.loader.exec_module(toys)


def verdict_of(base, head, **policies):
    """The real gate's document on made-up measurements."""
    from hilgate.gate.judge import judge

    old = policies.get("old", toys.make_policy())
    new = policies.get("new", old)
    verdict = judge(old, toys.make_side("main", base, policy=old), toys.make_side("this PR", head, policy=new))
    return {"schema": "verdict", "version": 1, **verdict.document()}


def context_of(**changed):
    about = {"schema": "context", "version": 1, "repository": "acme/widget", "pull_request": 7, "head_sha": HEAD}
    base = {"base_ref": "main", "base_sha": BASE, "run_url": "https://github.com/acme/widget/actions/runs/1"}
    who = {"author": "wim", "fork": False, "event": "pull_request"}
    around = {"missing": [], "hardware": [], "approval": {"state": "none", "by": "", "sha": ""}}
    return {**about, **base, **who, **around, **changed}


@pytest.fixture(scope="session")
def verdicts():
    """pass, fail and waiting (the head loosens a budget) as documents."""
    from hilgate.gate.policy import Budget

    base = toys.make_measurement()
    loose = toys.make_policy(flash_bytes=Budget(max=400_000))
    return {
        "pass": verdict_of(base, base),
        "fail": verdict_of(base, toys.make_measurement(wrong=60)),
        "waiting": verdict_of(base, base, new=loose),
    }


@pytest.fixture
def judged(tmp_path, verdicts):
    """Write a folder as `recompute` hands it to `post`: judged("pass", head_sha=...)."""

    def write(name, change=None, **context):
        verdict = json.loads(json.dumps(verdicts[name]))
        if change:
            change(verdict)
        (tmp_path / "verdict.json").write_text(json.dumps(verdict))
        (tmp_path / "context.json").write_text(json.dumps(context_of(**context)))
        return tmp_path

    return write


@pytest.fixture
def make_event():
    """The event of the trusted workflow, as read_event gives it."""
    from hilgate.ci.pulls.event import Event

    def make(**changed):
        about = {"kind": "pull_request", "repository": "acme/widget", "head_sha": HEAD, "head_branch": "feature"}
        where = {"head_repository": "acme/widget", "pull_request": None, "run_id": 100, "attempt": 1}
        run_url = "https://github.com/acme/widget/actions/runs/100"
        return Event(**{**about, **where, "run_url": run_url, **changed})

    return make
