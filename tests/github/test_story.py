"""A fork's pull request from its first push to its merge: one comment all the way, one check for each commit."""

from __future__ import annotations

from fake_github.routes import add_comment

from hilgate.ci.pulls import approval, pending, post
from hilgate.github.pulls import pull_request

FIRST, SECOND = "a" * 40, "c" * 40
WAITING = [{"board": "board_a", "state": "waiting", "reason": "somebody with write access has to approve"}]
MEASURED = [{"board": "board_a", "state": "measured", "reason": ""}]


def check_of(github, sha):
    (run,) = [run for run in github.world.checks if run["head_sha"] == sha]
    return run


def test_a_fork_from_push_to_merge(github, judged, make_event):
    world, client = github.world, github.client()
    world.pulls[7] |= {"head_repository": "stranger/widget", "author": "stranger", "unknown_here": True}
    about = {"head_repository": "stranger/widget", "head_branch": "main"}

    requested, completed = make_event(run_id=100, **about), make_event(run_id=101, **about)
    pending.execute(client, requested)
    pending.execute(client, completed)
    assert check_of(github, FIRST)["status"] == "in_progress"

    fork = {"fork": True, "author": "stranger"}
    post.execute(client, completed, judged("pass", hardware=WAITING, **fork))
    assert check_of(github, FIRST)["conclusion"] == "action_required"
    assert approval.hardware_approval(client, pull_request(client, 7), 101).state == "needed"

    add_comment(world, 7, "stranger", f"/hardware {FIRST}")
    assert approval.hardware_approval(client, pull_request(client, 7), 101).state == "needed"
    add_comment(world, 7, "maria", f"/hardware {FIRST}")
    assert approval.hardware_approval(client, pull_request(client, 7), 101).by == "maria"

    again = make_event(run_id=101, attempt=2, **about)
    pending.execute(client, again)
    assert check_of(github, FIRST)["status"] == "in_progress"
    assert post.execute(client, again, judged("pass", hardware=MEASURED, **fork)).outcome == "pass"
    assert check_of(github, FIRST)["conclusion"] == "success"
    late = post.execute(client, completed, judged("fail", hardware=WAITING, **fork))
    assert {"check: outdated", "comment: outdated"} <= set(late.notes)
    assert check_of(github, FIRST)["conclusion"] == "success"

    world.pulls[7]["head_sha"] = SECOND
    assert post.execute(client, again, judged("pass", hardware=MEASURED, **fork)).outcome == ""
    next_push = make_event(run_id=102, head_sha=SECOND, **about)
    pending.execute(client, next_push)
    assert approval.hardware_approval(client, pull_request(client, 7), 102).state == "needed"
    post.execute(client, next_push, judged("fail", head_sha=SECOND, **fork))
    assert check_of(github, SECOND)["conclusion"] == "failure"

    world.pulls[7] |= {"state": "closed", "merged_at": world.clock.text()}
    assert "merged" in post.execute(client, next_push, judged("pass", head_sha=SECOND, **fork)).notes[0]
    ours = [comment for comment in world.comments if comment["login"] == "github-actions[bot]"]
    assert len(ours) == 1
    assert SECOND in ours[0]["body"]
