"""post and approvals: what was approved when the verdict was computed must still stand when it is written."""

from __future__ import annotations

from fake_github.routes import add_comment

from hilgate.ci.pulls import pending, post
from hilgate.ci.pulls.approval import LABEL, QUEUE

HEAD = "a" * 40


def check(github):
    (run,) = [run for run in github.world.checks if run["app"] == "github-actions"]
    return run


def labelled(github, by="maria"):
    """The label, set after the head was pushed and judged once."""
    world = github.world
    run = {"event": "pull_request", "head_branch": "feature", "head_repository": world.repository, "head_sha": HEAD}
    world.runs.append({**run, "id": world.new_id(), "created_at": world.clock.text(600)})
    event = {"event": "labeled", "label": LABEL, "actor": by, "created_at": world.clock.text(300)}
    world.timeline[7] = [event]


def approved(verdict):
    """As recompute writes it when somebody approved: the head's policy judged."""
    verdict |= {"outcome": "pass", "exit_code": 0, "approved_by": "maria"}


def test_an_approval_that_stands_counts(github, judged, make_event):
    labelled(github)
    assert post.execute(github.client(), make_event(), judged("waiting", approved)).outcome == "pass"


def test_an_approval_that_was_taken_back_does_not_count(github, judged, make_event):
    posted = post.execute(github.client(), make_event(), judged("waiting", approved))
    assert posted.outcome == "waiting"
    assert check(github)["conclusion"] == "action_required"


def test_an_approval_by_somebody_else_than_the_verdict_says_does_not_count(github, judged, make_event):
    labelled(github, by="wim")  # the author
    assert post.execute(github.client(), make_event(), judged("waiting", approved)).outcome == "waiting"


def test_why_a_label_does_not_count_is_said_where_people_look(github, judged, make_event):
    labelled(github, by="rita")
    post.execute(github.client(), make_event(), judged("waiting"))
    assert "set by rita, does not count" in github.world.comments[0]["body"]


def test_pending_tells_recompute_who_approved(github, make_event):
    labelled(github)
    event = make_event()
    assert pending.execute(github.client(), event).as_outputs(event)["approved_by"] == "maria"


def test_what_was_approved_before_it_went_into_the_queue_is_approved_there(github, judged, make_event):
    event = make_event(kind="merge_group", head_branch="gh-readonly-queue/main/pr-7")
    assert pending.execute(github.client(), event).as_outputs(event)["approved_by"] == QUEUE
    by_queue = {"outcome": "pass", "exit_code": 0, "approved_by": QUEUE}
    queued = {"event": "merge_group", "pull_request": None}
    folder = judged("waiting", lambda verdict: verdict.update(by_queue), **queued)
    assert post.execute(github.client(), event, folder).outcome == "pass"
    post.execute(github.client(), event, judged("waiting", **queued))
    assert check(github)["conclusion"] == "action_required"


def test_the_queue_approves_nothing_of_a_pull_request(github, judged, make_event):
    folder = judged("waiting", lambda verdict: verdict.update(outcome="pass", exit_code=0, approved_by=QUEUE))
    assert post.execute(github.client(), make_event(), folder).outcome == "waiting"


def test_a_forks_head_that_waits_for_the_bench_asks_for_action_until_somebody_approves_it(github, judged, make_event):
    github.world.pulls[7] |= {"head_repository": "stranger/widget", "author": "stranger"}
    event = make_event(head_repository="stranger/widget")
    bench = [{"board": "board_a", "state": "waiting", "reason": "it comes from outside"}]
    add_comment(github.world, 7, "rita", f"/hardware {HEAD}")
    post.execute(github.client(), event, judged("pass", hardware=bench, fork=True))
    assert check(github)["conclusion"] == "action_required"
    assert "by rita does not count" in github.world.comments[1]["body"]
    add_comment(github.world, 7, "maria", f"/hardware {HEAD}")
    post.execute(github.client(), event, judged("pass", hardware=bench, fork=True))
    assert check(github)["status"] == "in_progress"
