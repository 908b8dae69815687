"""The job that judges broke down: the check says so, blocks, and blames nobody."""

from __future__ import annotations

from hilgate.ci.pulls.post import execute
from hilgate.ci.pulls.undecided import write_undecided

HEAD = "a" * 40


def test_a_judgement_that_broke_down_is_posted_as_inconclusive(github, make_event, tmp_path):
    event = make_event()
    assert write_undecided(github.client(), event, tmp_path)
    posted = execute(github.client(), event, tmp_path)
    assert posted.outcome == "inconclusive"
    (check,) = github.world.checks
    assert check["conclusion"] == "action_required"
    (comment,) = github.world.comments
    assert "no verdict could be computed" in comment["body"] and event.run_url.split("//")[1] in comment["body"]


def test_a_merge_queue_gets_it_as_a_check(github, make_event, tmp_path):
    event = make_event(kind="merge_group", head_branch=f"gh-readonly-queue/main/pr-7-{'b' * 40}")
    assert write_undecided(github.client(), event, tmp_path)
    assert execute(github.client(), event, tmp_path).outcome == "inconclusive"
    assert github.world.checks[0]["conclusion"] == "action_required" and not github.world.comments


def test_a_verdict_that_is_there_is_left_alone(github, make_event, judged):
    folder = judged("pass")
    before = (folder / "verdict.json").read_text()
    assert not write_undecided(github.client(), make_event(), folder)
    assert (folder / "verdict.json").read_text() == before


def test_a_verdict_that_lacks_the_bench_is_replaced(github, make_event, judged):
    """The job that asks for benches failed, so nobody knows whether a board would have disagreed."""
    folder = judged("pass")
    assert write_undecided(github.client(), make_event(), folder, complete=False)
    assert execute(github.client(), make_event(), folder).outcome == "inconclusive"
