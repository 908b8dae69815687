"""The commands as a job runs them: environment in, outputs and sentences out, the token nowhere."""

from __future__ import annotations

import json
from functools import partial

import pytest
from fake_github import Fault

from hilgate import cli
from hilgate.github.client import Client

HEAD = "a" * 40
TOKEN = "workflow-token"


@pytest.fixture
def job(github, tmp_path, monkeypatch, capsys):
    """Run `hilgate ci ...` in a job of verdict.yml: (exit code, outputs, what was printed)."""
    run = {"event": "pull_request", "head_sha": HEAD, "head_branch": "feature"}
    run |= {"head_repository": {"full_name": github.world.repository}}
    (tmp_path / "event.json").write_text(json.dumps({"action": "completed", "workflow_run": run}))
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.url,
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_REPOSITORY": github.world.repository,
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "100",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_TOKEN": TOKEN,
    }.items():
        monkeypatch.setenv(name, value)

    monkeypatch.setattr("hilgate.ci.writing.Client", partial(Client, clock=github.client().clock))

    def call(*words):
        (tmp_path / "outputs").write_text("")
        with pytest.raises(SystemExit) as caught:
            cli.main(["ci", *words])
        shown = capsys.readouterr()
        assert TOKEN not in shown.out + shown.err
        assert "Traceback" not in shown.err
        lines = (tmp_path / "outputs").read_text().split("\n")
        found = {line.partition("<<")[0]: lines[at + 1] for at, line in enumerate(lines) if "<<end-" in line}
        return caught.value.code, found, shown.out + shown.err

    return call


def test_pending_then_post(github, job, judged):
    code, outputs, shown = job("pending")
    assert (code, outputs["pull_request"], outputs["fork"], outputs["base_ref"]) == (0, "7", "false", "main")
    assert "in progress" in shown
    code, outputs, shown = job("post", str(judged("fail")), "--title", "widget")
    assert (code, outputs) == (0, {"outcome": "fail"})
    assert "widget" in github.world.comments[0]["body"]
    assert github.world.checks[0]["conclusion"] == "failure"


def test_a_verdict_that_lies_ends_with_the_code_of_a_claim(job, judged):
    code, outputs, shown = job("post", str(judged("pass", lambda verdict: verdict.update(exit_code=10))))
    assert (code, outputs) == (31, {})
    assert "do not belong together" in shown


@pytest.mark.parametrize(("token", "words"), [("wrong", "401"), ("", "no usable token")])
def test_github_that_refuses_ends_with_its_own_code(job, monkeypatch, token, words):
    monkeypatch.setenv("GITHUB_TOKEN", token)
    monkeypatch.delenv("GH_TOKEN", raising=False)
    code, _, shown = job("pending")
    assert (code, words in shown) == (30, True)


def test_a_storm_ends_with_words(github, job):
    github.faults.append(Fault("", "", 502, times=999))
    code, _, shown = job("approve", "budgets")
    assert (code, "in a row" in shown) == (30, True)


@pytest.mark.parametrize(("kind", "state"), [("hardware", "none"), ("budgets", "needed")])
def test_approve_tells_later_jobs(job, kind, state):
    code, outputs, shown = job("approve", kind)
    assert (code, outputs["state"], outputs["sha"]) == (0, state, HEAD)
    assert f"{kind}: {state}" in shown


def test_approve_knows_two_kinds(job):
    assert job("approve", "everything")[0] == 2


def test_a_bench_is_absent_and_then_there(job):
    code, outputs, _ = job("heartbeat", "nucleo_f446re")
    assert (code, outputs) == (0, {"nucleo_f446re": "absent"})
    assert job("heartbeat", "nucleo_f446re", "--beat")[0] == 0
    assert job("heartbeat", "nucleo_f446re")[1] == {"nucleo_f446re": "online"}
