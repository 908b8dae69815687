"""Somebody approved: the newest verdict of that very commit runs again, and nothing else does."""

from __future__ import annotations

import json

import pytest

from hilgate.ci.pulls.again import TITLE, WORKFLOW, execute

HEAD, OTHER = "a" * 40, "c" * 40


@pytest.fixture
def comment(tmp_path):
    """The environment of a job that a comment began."""

    def make(body, number=7):
        path = tmp_path / "event.json"
        path.write_text(json.dumps({"issue": {"number": number}, "comment": {"body": body}}))
        about = {"GITHUB_EVENT_NAME": "issue_comment", "GITHUB_EVENT_PATH": str(path)}
        return {**about, "GITHUB_REPOSITORY": "acme/widget", "GITHUB_RUN_ID": "9"}

    return make


@pytest.fixture
def runs(github):
    """Verdicts on two commits, the newest last."""
    github.world.tokens["workflow-token"].may.add("actions: write")
    about = {"workflow": WORKFLOW, "event": "workflow_run", "head_branch": "main", "head_sha": OTHER}
    for number, sha in enumerate((HEAD, HEAD, OTHER), 1):
        title = {"display_title": TITLE.format(sha=sha), "status": "completed", "head_repository": "acme/widget"}
        github.world.runs.append({"id": number, "created_at": github.world.clock.text(), **about, **title})
    return github


def test_the_newest_verdict_of_the_head_runs_again(runs, comment):
    assert "runs again" in execute(runs.client(), comment(f"/hardware {HEAD}"))
    assert [run["status"] for run in runs.world.runs] == ["completed", "queued", "completed"]


def test_a_running_one_is_left_alone(runs, comment):
    runs.world.runs[1]["status"] = "in_progress"
    assert "is running" in execute(runs.client(), comment(f"/hardware {HEAD}"))
    assert not runs.said("POST")


@pytest.mark.parametrize("body", ["hello", "", "please /hardware x", "> /hardware"])
def test_other_comments_begin_nothing(runs, comment, body):
    execute(runs.client(), comment(body))
    assert not runs.said("POST")


def test_a_closed_pull_request_begins_nothing(runs, comment):
    runs.world.pulls[7]["state"] = "closed"
    execute(runs.client(), comment(f"/hardware {HEAD}"))
    assert not runs.said("POST")


def test_a_commit_without_a_verdict_begins_nothing(runs, comment):
    runs.world.pulls[7]["head_sha"] = "e" * 40
    assert "no verdict" in execute(runs.client(), comment(f"/hardware {HEAD}"))
    assert not runs.said("POST")
