"""post: from a folder of files to one check and one comment, and everything that can have happened in between."""

from __future__ import annotations

import pytest
from fake_github import Fault

from hilgate.ci.pulls import pending, post
from hilgate.ci.pulls.now import Options
from hilgate.errors import ArtifactError, ClaimError
from hilgate.github.comments import LONGEST, MARKER
from hilgate.github.refusal import RefusedError

HEAD, NEXT = "a" * 40, "c" * 40
LABEL = "hilgate-approve-budgets"
PASSING = {"success", "neutral", "skipped"}


def check(github):
    (run,) = [run for run in github.world.checks if run["app"] == "github-actions"]
    return run


@pytest.mark.parametrize(
    ("name", "conclusion"), [("pass", "success"), ("fail", "failure"), ("waiting", "action_required")]
)
def test_one_check_and_one_comment(github, judged, make_event, name, conclusion):
    pending.execute(github.client(), make_event())
    assert check(github)["status"] == "in_progress"
    posted = post.execute(github.client(), make_event(), judged(name))
    assert posted.outcome == name
    assert check(github)["conclusion"] == conclusion
    (comment,) = github.world.comments
    assert comment["body"].startswith(MARKER)
    assert name in comment["body"]


def test_posting_twice_writes_nothing_new(github, judged, make_event):
    for _ in range(2):
        post.execute(github.client(), make_event(), judged("fail"))
    assert len(github.world.comments) == len(github.world.checks) == 1
    assert not github.said("PATCH", "comments")


def test_push_while_running_leaves_the_new_head_alone(github, judged, make_event):
    pending.execute(github.client(), make_event())
    github.world.pulls[7]["head_sha"] = NEXT
    posted = post.execute(github.client(), make_event(), judged("pass"))
    assert posted.outcome == ""
    assert "moved from aaaaaaaaaa to cccccccccc" in posted.notes[0]
    assert not github.world.comments
    assert check(github)["conclusion"] is None  # the old head keeps its pending check, nobody can merge it


@pytest.mark.parametrize("state", [{"state": "closed"}, {"state": "closed", "merged_at": "2026-01-01T00:00:00Z"}])
def test_a_closed_pull_request_gets_nothing(github, judged, make_event, state):
    github.world.pulls[7] |= state
    posted = post.execute(github.client(), make_event(), judged("pass"))
    assert posted.outcome == ""
    assert not github.world.comments
    assert not github.world.checks


def test_a_vanished_pull_request_gets_nothing(github, judged, make_event):
    del github.world.pulls[7]
    assert "nothing written" in post.execute(github.client(), make_event(), judged("pass")).notes[0]


def test_a_retargeted_base_makes_it_inconclusive(github, judged, make_event):
    github.world.pulls[7]["base_ref"] = "release"
    posted = post.execute(github.client(), make_event(), judged("pass"))
    assert posted.outcome == "inconclusive"
    assert check(github)["conclusion"] not in PASSING
    assert "another branch" in github.world.comments[0]["body"]


def test_a_failure_stays_a_failure_when_the_base_moves(github, judged, make_event):
    github.world.pulls[7]["base_ref"] = "release"
    assert post.execute(github.client(), make_event(), judged("fail")).outcome == "fail"


def test_a_fork_is_found_by_its_head_though_github_does_not_know_its_commits_here(github, judged, make_event):
    fork = {"head_repository": "stranger/widget", "author": "stranger", "unknown_here": True}
    github.world.pulls[7] |= fork
    event = make_event(head_repository="stranger/widget", head_branch="main")
    started = pending.execute(github.client(), event)
    outputs = started.as_outputs(event)
    assert (outputs["pull_request"], outputs["fork"], outputs["author"]) == ("7", "true", "stranger")
    folder = judged("pass", pull_request=None, fork=True, author="stranger")
    assert post.execute(github.client(), event, folder).outcome == "pass"
    assert len(github.world.comments) == 1


def test_one_branch_to_two_bases_is_told_apart(github, judged, make_event):
    github.world.pulls[8] = {**github.world.pulls[7], "base_ref": "release"}
    post.execute(github.client(), make_event(), judged("pass", pull_request=None, base_ref="release"))
    assert [comment["number"] for comment in github.world.comments] == [8]


def test_a_merge_queue_gets_a_check_and_no_comment(github, judged, make_event):
    event = make_event(kind="merge_group", head_branch="gh-readonly-queue/main/pr-7", head_repository="acme/widget")
    pending.execute(github.client(), event)
    folder = judged("pass", event="merge_group", pull_request=None)
    assert post.execute(github.client(), event, folder).outcome == "pass"
    assert check(github)["conclusion"] == "success"
    assert not github.world.comments


def test_a_push_wants_no_check(github, make_event):
    assert "no check" in pending.execute(github.client(), make_event(kind="push")).note
    assert not github.world.checks


def test_a_locked_conversation_still_gets_its_check(github, judged, make_event):
    github.world.pulls[7]["locked"] = True
    posted = post.execute(github.client(), make_event(), judged("fail"))
    assert "comment: none: the conversation is locked" in posted.notes
    assert check(github)["conclusion"] == "failure"


def test_without_the_right_to_check_the_comment_is_still_written_and_the_job_fails(github, judged, make_event):
    github.world.tokens["workflow-token"].may -= {"checks: write"}
    github.faults.append(Fault("POST", "statuses", 403, times=9, body=b'{"message": "no"}'))
    with pytest.raises(RefusedError) as caught:
        post.execute(github.client(), make_event(), judged("fail"))
    assert "checks=write" in caught.value.hint
    assert len(github.world.comments) == 1


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("measured", "pass"),
        ("absent", "pass"),
        ("offline", "inconclusive"),
        ("refused", "inconclusive"),
        ("waiting", "waiting"),
    ],
)
def test_a_bench_that_did_not_measure_holds_a_pass_back(github, judged, make_event, state, outcome):
    bench = {"board": "board_a", "state": state, "reason": f"the bench is {state}, since Tuesday"}
    posted = post.execute(github.client(), make_event(), judged("pass", hardware=[bench]))
    assert posted.outcome == outcome
    assert (check(github)["conclusion"] in PASSING) == (outcome == "pass")
    assert state == "measured" or "since Tuesday" in github.world.comments[0]["body"]


def test_a_bench_at_work_leaves_the_check_in_progress_and_an_approval_asks_for_action(github, judged, make_event):
    bench = [{"board": "board_a", "state": "waiting", "reason": "it is being measured"}]
    post.execute(github.client(), make_event(), judged("pass", hardware=bench))
    assert check(github)["status"] == "in_progress"
    needed = {"state": "needed", "by": "", "sha": HEAD}
    post.execute(github.client(), make_event(), judged("pass", hardware=bench, approval=needed))
    assert check(github)["conclusion"] == "action_required"


def test_a_bench_of_another_board_changes_nothing(github, judged, make_event):
    bench = {"board": "board_z", "state": "offline", "reason": "off"}
    assert post.execute(github.client(), make_event(), judged("pass", hardware=[bench])).outcome == "pass"


def test_the_workflow_token_is_said_once_with_the_way_to_something_better(github, judged, make_event):
    post.execute(github.client(), make_event(), judged("pass"))
    assert github.world.comments[0]["body"].count("hilgate setup github") == 1
    post.execute(github.client("app-token", "hilgate-acme"), make_event(), judged("pass"))
    assert "hilgate setup github" not in github.world.comments[1]["body"]


def worse_cell(verdict):
    verdict["cells"][0]["outcome"] = "fail"


def hidden_check(verdict):
    verdict["cells"][0]["axes"][0]["checks"][0] |= {"outcome": "fail", "enforced": True}


def self_approved(verdict):
    verdict |= {"outcome": "pass", "exit_code": 0}


def wrong_code(verdict):
    verdict["exit_code"] = 10


@pytest.mark.parametrize(
    ("name", "change"),
    [("pass", worse_cell), ("pass", hidden_check), ("waiting", self_approved), ("pass", wrong_code)],
)
def test_a_verdict_that_contradicts_itself_is_refused(github, judged, make_event, name, change):
    with pytest.raises(ClaimError):
        post.execute(github.client(), make_event(), judged(name, change))
    assert not github.said("POST")


@pytest.mark.parametrize("context", [{"head_sha": NEXT}, {"repository": "evil/widget"}])
def test_a_verdict_for_something_else_is_refused(github, judged, make_event, context):
    with pytest.raises(ClaimError, match="this run is for"):
        post.execute(github.client(), make_event(), judged("pass", **context))
    assert not github.said("POST")


def test_an_infinite_number_is_refused(github, judged, make_event):
    folder = judged("pass")
    text = (folder / "verdict.json").read_text()
    (folder / "verdict.json").write_text(text.replace('"p_value": 1.0', '"p_value": 1e999'))
    with pytest.raises((ClaimError, ArtifactError)):
        post.execute(github.client(), make_event(), folder)
    assert "1e999" in (folder / "verdict.json").read_text()


def test_forty_hostile_cells_stay_below_githubs_limit(github, judged, make_event):
    def many(verdict):
        cell = verdict["cells"][0]
        verdict["cells"] = [{**cell, "cell": f"{number} @everyone $(id) " + "ä" * 200} for number in range(200)]

    post.execute(github.client(), make_event(), judged("fail", many))
    (comment,) = github.world.comments
    assert len(comment["body"].encode()) <= LONGEST
    assert "@everyone" not in comment["body"]


def test_what_failed_is_annotated_on_the_lines_of_the_heads_policy(github, judged, make_event):
    lines = ["cells: {}", "gate:", "  toy_board_a:", "    accuracy:", "      worse_fail: 0.01", ""]
    github.world.files[HEAD, "product/params.yaml"] = "\n".join(lines).encode()
    post.execute(github.client(), make_event(), judged("fail"), Options(policy="product/params.yaml"))
    notes = check(github)["annotations"]
    assert {note["path"] for note in notes} == {"product/params.yaml"}
    assert {note["start_line"] for note in notes} & {4, 5}


def test_annotations_without_the_right_to_read_stand_on_the_first_line(github, judged, make_event):
    github.faults.append(Fault("GET", "contents", 403, times=9, body=b'{"message": "no"}'))
    post.execute(github.client(), make_event(), judged("fail"))
    assert {note["start_line"] for note in check(github)["annotations"]} == {1}
