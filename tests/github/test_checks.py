"""The check run `hilgate`: one of ours per commit, blocking until it is known to be good."""

from __future__ import annotations

import pytest
from fake_github import Fault

from hilgate.ci.pulls.pending import put_verdict
from hilgate.errors import GitHubError
from hilgate.github.checks import CONCLUSIONS, Check, put_check
from hilgate.github.refusal import RefusedError
from hilgate.github.stamp import Stamp

HEAD = "a" * 40
PASSING = {"success", "neutral", "skipped"}  # what GitHub takes for a required check


def check(outcome="", run=1, annotations=(), summary="summary"):
    return Check(Stamp(run, 1, HEAD), "title", summary, "https://github.com/x", outcome, tuple(annotations))


def note(line):
    level = {"annotation_level": "failure", "message": f"m{line}", "title": "t"}
    return {"path": "params.yaml", "start_line": line, "end_line": line, **level}


def test_only_pass_and_warn_let_a_merge_through():
    through = {outcome for outcome, conclusion in CONCLUSIONS.items() if conclusion in PASSING}
    assert through == {"pass", "warn"}
    assert set(CONCLUSIONS) == {"pass", "warn", "fail", "inconclusive", "waiting"}
    assert check("no such outcome").conclusion not in PASSING


@pytest.mark.parametrize("outcome", ["", *CONCLUSIONS])
def test_what_stands_on_github(github, outcome):
    put_check(github.client(), check(outcome))
    (run,) = github.world.checks
    assert run["name"] == "hilgate"
    assert run["head_sha"] == HEAD
    assert run["status"] == ("completed" if outcome else "in_progress")
    assert run["conclusion"] == (CONCLUSIONS[outcome] if outcome else None)


def test_pending_then_done_then_pending_again_is_one_check(github):
    assert put_check(github.client(), check(run=1)) == "made"
    assert put_check(github.client(), check("pass", run=1)) == "updated"
    assert github.world.checks[0]["conclusion"] == "success"
    put_check(github.client(), check(run=2))
    (run,) = github.world.checks
    assert (run["status"], run["conclusion"]) == ("in_progress", None)


def test_an_older_run_changes_nothing(github):
    put_check(github.client(), check("fail", run=20))
    assert put_check(github.client(), check("pass", run=19)) == "outdated"
    assert github.world.checks[0]["conclusion"] == "failure"


def test_a_check_of_that_name_by_another_app_is_not_ours(github):
    put_check(github.client("evil-token", "evil-app"), check("pass", run=99))
    put_check(github.client(), check("fail", run=1))
    assert [(run["app"], run["conclusion"]) for run in github.world.checks] == [
        ("evil-app", "success"),
        ("github-actions", "failure"),
    ]


def test_two_starts_at_once_say_the_same_in_the_end(github):
    def meanwhile(world):
        twin = {"id": world.new_id(), "app": "github-actions", "name": "hilgate", "head_sha": HEAD, "annotations": []}
        state = {"status": "in_progress", "conclusion": None, "completed_at": None, "external_id": "", "output": {}}
        world.checks.append({**twin, **state})

    github.faults.append(Fault("POST", "check-runs", -1, before=meanwhile))
    put_check(github.client(), check(run=2))
    put_check(github.client(), check("fail", run=2))
    assert [run["conclusion"] for run in github.world.checks] == ["failure", "failure"]


@pytest.mark.parametrize("lost", [True, False])
def test_a_lost_answer_makes_no_second_check(github, lost):
    github.faults.append(Fault("POST", "check-runs", 502, lost=lost))
    put_check(github.client(), check("fail", annotations=[note(1)]))
    (run,) = github.world.checks
    assert run["conclusion"] == "failure"
    assert len(run["annotations"]) == 1


def test_annotations_go_by_fifties(github):
    put_check(github.client(), check("fail", annotations=[note(line) for line in range(1, 121)]))
    assert [len(call.body["output"]["annotations"]) for call in github.said("PATCH")] == [50, 50, 20]
    assert [item["start_line"] for item in github.world.checks[0]["annotations"]] == list(range(1, 121))


def test_annotations_are_not_doubled_by_a_second_post(github):
    notes = [note(line) for line in range(1, 61)]
    put_check(github.client(), check("fail", annotations=notes[:55]))
    put_check(github.client(), check("fail", annotations=notes))
    assert len(github.world.checks[0]["annotations"]) == 60


@pytest.mark.parametrize("lost", [True, False])
def test_annotations_are_not_doubled_by_a_lost_answer(github, lost):
    put_check(github.client(), check())
    # the third PATCH of the next post: the check's own, then fifty annotations, then the rest
    github.faults.append(Fault("PATCH", "check-runs", -1, times=2))
    github.faults.append(Fault("PATCH", "check-runs", 502, lost=lost))
    put_check(github.client(), check("fail", annotations=[note(line) for line in range(1, 61)]))
    assert sorted(item["start_line"] for item in github.world.checks[0]["annotations"]) == list(range(1, 61))


def test_a_summary_that_github_would_refuse_is_not_sent(github):
    with pytest.raises(GitHubError, match="65535"):
        put_check(github.client(), check("pass", summary="x" * 65_536))
    assert not github.said("POST")


def test_a_persons_token_makes_a_status_instead_and_says_so(github):
    assert "commit status" in put_verdict(github.client("person-token", ""), check())
    put_verdict(github.client("person-token", ""), check("inconclusive"))
    put_verdict(github.client("person-token", ""), check("warn"))
    states = [(status["context"], status["state"]) for status in github.world.statuses]
    assert states == [("hilgate", "pending"), ("hilgate", "failure"), ("hilgate", "success")]


def test_an_enterprise_server_without_check_runs_gets_a_status(make_github):
    github = make_github("/api/v3")
    github.world.without.add("/check-runs")
    assert "Enterprise" in put_verdict(github.client(), check("fail"))
    assert github.world.statuses[0]["state"] == "failure"


def test_on_github_itself_a_missing_permission_is_an_error(github, monkeypatch):
    monkeypatch.setattr("hilgate.github.access.Access.is_enterprise", False)
    with pytest.raises(RefusedError) as caught:
        put_verdict(github.client("poor-token"), check())
    assert "checks=write" in caught.value.hint
    assert not github.world.statuses
