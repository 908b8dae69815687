"""Who may change the policy that judges: every way in, and every way that is none."""

from __future__ import annotations

import pytest
from fake_github import Fault

from hilgate.ci.pulls.approval import LABEL, budget_approval
from hilgate.github.pulls import pull_request

HEAD, NEXT = "a" * 40, "c" * 40
OWNERS = b"* @nobody\nparams.yaml @maria @acme/firmware\n"


def budgets(github, **options):
    client = github.client()
    return budget_approval(client, pull_request(client, 7), **options)


def head_began(github, sha, ago_s, repository="acme/widget", branch="feature"):
    """GitHub began a run for a head, so long ago."""
    world = github.world
    run = {"event": "pull_request", "head_branch": branch, "head_repository": repository, "head_sha": sha}
    world.runs.append({**run, "id": world.new_id(), "created_at": world.clock.text(ago_s)})


def happened(github, event, ago_s=300, **fields):
    at = {"created_at": github.world.clock.text(ago_s)}
    github.world.timeline.setdefault(7, []).append({"event": event, **at, **fields})


def labelled(github, by="maria", ago_s=300, **fields):
    happened(github, "labeled", ago_s, label=LABEL, actor=by, **fields)


# by label


def test_the_label_set_on_this_head_by_a_maintainer_gives_it(github):
    head_began(github, HEAD, 600)
    labelled(github)
    given = budgets(github)
    assert (given.state, given.by, given.sha) == ("given", "maria", HEAD)


def test_without_a_label_it_is_needed(github):
    assert budgets(github).state == "needed"


def test_a_label_that_was_taken_off_is_none(github):
    head_began(github, HEAD, 600)
    labelled(github)
    happened(github, "unlabeled", 200, label=LABEL, actor="maria")
    assert budgets(github).state == "needed"


@pytest.mark.parametrize(
    ("by", "fields", "why"),
    [
        ("rita", {}, "may not write"),
        ("wim", {}, "the author"),
        ("maria", {"kind": "Bot"}, "a program"),
        ("maria", {"via_app": "evil-app"}, "a program"),
    ],
)
def test_a_label_by_the_wrong_one(github, by, fields, why):
    head_began(github, HEAD, 600)
    labelled(github, by, **fields)
    found = budgets(github)
    assert found.state == "needed"
    assert why in found.notes[0]


def test_the_only_maintainer_may_where_the_repository_says_so(github):
    head_began(github, HEAD, 600)
    labelled(github, "wim")
    assert budgets(github, author_may=True).by == "wim"


def test_a_push_after_the_label_voids_it(github):
    head_began(github, "d" * 40, 600)
    labelled(github)
    head_began(github, HEAD, 100)
    assert "last push" in budgets(github).notes[0]


def test_a_commit_with_a_forged_old_date_behind_the_label_voids_it(github):
    head_began(github, HEAD, 600)
    labelled(github)
    happened(github, "committed", 100_000, sha=HEAD)
    assert budgets(github).state == "needed"


def test_a_force_push_after_the_label_voids_it(github):
    head_began(github, HEAD, 600)
    labelled(github)
    happened(github, "head_ref_force_pushed", 100)
    assert budgets(github).state == "needed"


def test_showing_an_innocent_head_for_the_label_and_then_going_back_voids_it(github):
    """X is judged, Y is shown and labelled, X is pushed again: X was not the head when the label was set."""
    head_began(github, HEAD, 900)
    head_began(github, NEXT, 600)
    labelled(github)
    head_began(github, HEAD, 100)
    assert budgets(github).state == "needed"


def test_a_head_that_skipped_ci_when_the_label_was_set_voids_it(github):
    """X is judged, Y with [skip ci] replaces it by force and is labelled: no run shows that Y was there."""
    head_began(github, HEAD, 900)
    happened(github, "head_ref_force_pushed", 600)
    labelled(github)
    assert budgets(github).state == "needed"


def test_a_move_by_force_that_was_judged_does_no_harm(github):
    happened(github, "head_ref_force_pushed", 900)
    head_began(github, HEAD, 898)
    labelled(github)
    assert budgets(github).state == "given"


def test_a_commit_seen_first_in_another_pull_request_does_not_help(github):
    head_began(github, HEAD, 900, branch="other")
    head_began(github, NEXT, 600)
    labelled(github)
    assert budgets(github).state == "needed"


def test_a_commit_seen_first_in_a_fork_with_the_same_branch_does_not_help(github):
    head_began(github, HEAD, 400, repository="stranger/widget")
    labelled(github)
    assert budgets(github).state == "needed"


def test_without_any_run_nothing_shows_which_head_was_labelled(github):
    labelled(github)
    assert budgets(github).state == "needed"


def test_the_runs_that_the_label_itself_begins_do_no_harm(github):
    head_began(github, HEAD, 600)
    labelled(github)
    head_began(github, HEAD, 299)
    assert budgets(github).state == "given"


# by review


def reviewed(github, by="maria", state="APPROVED", commit=HEAD):
    github.world.reviews.setdefault(7, []).append({"by": by, "state": state, "commit": commit})


def test_a_code_owners_review_of_this_head_gives_it(github):
    github.world.files["main", ".github/CODEOWNERS"] = OWNERS
    reviewed(github)
    assert budgets(github).how == "review by a code owner"


@pytest.mark.parametrize(
    "review",
    [{"by": "rita"}, {"by": "wim"}, {"commit": NEXT}, {"state": "CHANGES_REQUESTED"}, {"state": "DISMISSED"}],
)
def test_other_reviews_do_not(github, review):
    github.world.files["main", ".github/CODEOWNERS"] = OWNERS
    reviewed(github, **review)
    assert budgets(github).state == "needed"


def test_a_later_refusal_takes_it_back_and_a_mere_comment_does_not(github):
    github.world.files["main", ".github/CODEOWNERS"] = OWNERS
    reviewed(github)
    reviewed(github, state="COMMENTED")
    assert budgets(github).state == "given"
    reviewed(github, state="CHANGES_REQUESTED")
    assert budgets(github).state == "needed"


def test_the_heads_own_codeowners_is_a_wish(github):
    github.world.files[HEAD, ".github/CODEOWNERS"] = b"params.yaml @rita\n"
    reviewed(github, by="rita")
    assert budgets(github).state == "needed"


def test_an_owner_who_may_no_longer_write_does_not_count(github):
    github.world.files["main", "CODEOWNERS"] = b"params.yaml @rita\n"
    reviewed(github, by="rita")
    assert budgets(github).state == "needed"


def test_a_team_that_cannot_be_looked_into_is_said_with_the_way_around(github):
    github.world.files["main", "docs/CODEOWNERS"] = b"params.yaml @acme/firmware\n"
    github.world.people["tina"] = "write"
    reviewed(github, by="tina")
    found = budgets(github)
    assert found.state == "needed"
    assert LABEL in found.notes[0]


def test_a_team_counts_where_the_token_may_look(github):
    github.world.files["main", "docs/CODEOWNERS"] = b"params.yaml @acme/firmware\n"
    github.world.people["tina"] = "write"
    github.world.teams["acme/firmware"] = {"tina"}
    github.world.tokens["workflow-token"].may.add("members: read")
    reviewed(github, by="tina")
    assert budgets(github).by == "tina"


@pytest.mark.parametrize(("path", "state"), [("timeline", "given"), ("reviews", "needed")])
def test_one_way_that_may_not_be_looked_at_does_not_close_the_other(github, path, state):
    github.world.files["main", ".github/CODEOWNERS"] = OWNERS
    reviewed(github)
    github.faults.append(Fault("GET", path, 403, body=b'{"message": "Resource not accessible by integration"}'))
    found = budgets(github)
    assert found.state == state
    assert state == "given" or "pull-requests: read" in found.notes[0]
