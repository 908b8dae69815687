"""Who may let a fork onto the bench: every way in, and every way that is none."""

from __future__ import annotations

import pytest
from fake_github.routes import add_comment

from hilgate.ci.pulls.approval import ENVIRONMENT, hardware_approval
from hilgate.github.pulls import pull_request

HEAD, NEXT = "a" * 40, "c" * 40


@pytest.fixture
def fork(github):
    github.world.pulls[7] |= {"head_repository": "stranger/widget", "author": "stranger"}
    return github


def hardware(github, run_id=None):
    client = github.client()
    return hardware_approval(client, pull_request(client, 7), run_id)


def test_a_branch_of_this_repository_needs_none(github):
    assert hardware(github).state == "none"


@pytest.mark.parametrize("author", ["dependabot[bot]"])
def test_dependabot_needs_one_though_its_branch_is_here(github, author):
    github.world.pulls[7]["author"] = author
    assert hardware(github).state == "needed"


def test_a_fork_needs_one(fork):
    assert hardware(fork).state == "needed"


def test_a_comment_for_this_very_head_gives_it(fork):
    add_comment(fork.world, 7, "maria", f"/hardware {HEAD}\r\n")
    given = hardware(fork)
    assert (given.state, given.by, given.sha, given.how) == ("given", "maria", HEAD, "comment")


def test_the_next_push_voids_it(fork):
    add_comment(fork.world, 7, "maria", f"/hardware {HEAD}")
    fork.world.pulls[7]["head_sha"] = NEXT
    found = hardware(fork)
    assert found.state == "needed"
    assert "is for aaaaaaaaaa" in found.notes[0]


@pytest.mark.parametrize(
    ("login", "body", "fields", "why"),
    [
        ("stranger", f"/hardware {HEAD}", {}, "may not write"),
        ("rita", f"/hardware {HEAD}", {}, "may not write"),
        ("unknown-to-github", f"/hardware {HEAD}", {}, "may not write"),
        ("maria", f"/hardware {HEAD[:10]}", {}, "40 digits"),
        ("maria", f"/hardware {HEAD.upper()}", {}, "40 digits"),
        ("maria", f"/hardware {HEAD} please", {}, "nothing but"),
        ("maria", f"/hardware {HEAD}\n/hardware {NEXT}", {}, "nothing but"),
        ("maria", f"/hardware {HEAD}", {"updated_at": "2027-01-15T09:00:00Z"}, "edited"),
        ("maria", f"/hardware {HEAD}", {"kind": "Bot"}, "a program"),
        ("maria", f"/hardware {HEAD}", {"via_app": "evil-app"}, "a program"),
    ],
)
def test_what_does_not_count_says_why(fork, login, body, fields, why):
    kind = fields.pop("kind", "User")
    add_comment(fork.world, 7, login, body, kind, **fields)
    found = hardware(fork)
    assert found.state == "needed"
    assert why in found.notes[0]


@pytest.mark.parametrize("body", [f"> /hardware {HEAD}", f"please /hardware {HEAD}", f"`/hardware {HEAD}`"])
def test_a_quotation_is_no_command(fork, body):
    add_comment(fork.world, 7, "maria", body)
    found = hardware(fork)
    assert (found.state, found.notes) == ("needed", ())


def test_a_good_comment_counts_among_300_bad_ones(fork):
    for _ in range(150):
        add_comment(fork.world, 7, "stranger", f"/hardware {HEAD}")
    add_comment(fork.world, 7, "wim", f"/hardware {HEAD}")
    for number in range(150):
        add_comment(fork.world, 7, "rita", f"comment {number}")
    assert hardware(fork).by == "wim"


def test_the_approved_environment_of_this_run_gives_it(fork):
    fork.world.approvals[55] = [{"state": "approved", "by": "maria", "environment": ENVIRONMENT}]
    assert hardware(fork, 55).how == f"environment {ENVIRONMENT}"
    assert hardware(fork, 56).state == "needed"


@pytest.mark.parametrize("nod", [{"state": "rejected"}, {"state": "pending"}, {"environment": "github-pages"}])
def test_another_decision_or_environment_gives_nothing(fork, nod):
    fork.world.approvals[55] = [{"state": "approved", "by": "maria", "environment": ENVIRONMENT, **nod}]
    assert hardware(fork, 55).state == "needed"
