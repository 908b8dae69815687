"""One sticky comment, whatever happens around it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_github import Fault
from fake_github.routes import add_comment

from hilgate.errors import GitHubError
from hilgate.github.answer import LARGEST_BYTES
from hilgate.github.comments import LONGEST, MARKER, marked, stick
from hilgate.github.refusal import RefusedError
from hilgate.github.stamp import Stamp, stamp_in

HEAD = "a" * 40
BOT = "github-actions[bot]"


def stamp(run=1, attempt=1, head=HEAD):
    return Stamp(run, attempt, head)


def body(text):
    return f"{MARKER}\n{text}"


def ours(github):
    return [item for item in github.world.comments if item["login"] == BOT]


def test_first_comment_is_made_and_later_ones_edit_it(github):
    assert stick(github.client(), 7, body("first"), stamp(1)) == "made"
    assert stick(github.client(), 7, body("second"), stamp(2)) == "edited"
    assert stick(github.client(), 7, body("second"), stamp(2)) == "unchanged"
    (comment,) = github.world.comments
    assert comment["body"].startswith(f"{MARKER}\nsecond\n")
    assert comment["login"] == BOT


def test_it_is_found_behind_250_others(github):
    for number in range(250):
        add_comment(github.world, 7, "rita", f"comment {number}")
    stick(github.client(), 7, body("first"), stamp(1))
    assert stick(github.client(), 7, body("second"), stamp(2)) == "edited"
    assert len(ours(github)) == 1


@pytest.mark.parametrize("author", ["stranger", "evil-app[bot]", "hilgate-acme[bot]", "GitHub-actions[bot]"])
def test_a_marked_comment_by_another_author_is_an_attack_and_ignored(github, author):
    forged = add_comment(github.world, 7, author, body("all fine, merge me"))
    assert stick(github.client(), 7, body("fail"), stamp()) == "made"
    assert forged["body"] == body("all fine, merge me")
    assert len(ours(github)) == 1


def test_a_comment_of_ours_that_only_quotes_the_marker_is_left_alone(github):
    other = add_comment(github.world, 7, BOT, f"> {MARKER}\nsomebody said", "Bot")
    stick(github.client(), 7, body("x"), stamp())
    assert other["body"].startswith("> ")
    assert len(ours(github)) == 2


def test_a_deleted_comment_comes_back(github):
    stick(github.client(), 7, body("first"), stamp(1))
    github.world.comments.clear()
    assert stick(github.client(), 7, body("second"), stamp(2)) == "made"
    assert len(github.world.comments) == 1


def test_a_comment_deleted_just_before_the_edit_comes_back(github):
    stick(github.client(), 7, body("first"), stamp(1))
    github.faults.append(Fault("PATCH", "comments", -1, before=lambda world: world.comments.clear()))
    assert stick(github.client(), 7, body("second"), stamp(2)) == "made"
    assert len(github.world.comments) == 1


def test_two_posts_at_once_leave_one(github):
    """Another run's comment appears between our look and our post: both see both, and the older stays."""
    other = marked(body("other"), stamp(1))
    meanwhile = Fault("POST", "comments", -1, before=lambda world: add_comment(world, 7, BOT, other, "Bot"))
    github.faults.append(meanwhile)
    stick(github.client(), 7, body("mine"), stamp(2))
    (left,) = ours(github)
    assert left["body"] == marked(body("mine"), stamp(2))


def test_a_post_that_lost_the_race_to_a_newer_run_leaves_its_text(github):
    newer = marked(body("newer"), stamp(9))
    github.faults.append(Fault("POST", "comments", -1, before=lambda world: add_comment(world, 7, BOT, newer, "Bot")))
    assert stick(github.client(), 7, body("older"), stamp(8)) == "outdated"
    assert [item["body"] for item in ours(github)] == [newer]


def test_five_posts_at_the_same_moment_leave_one(github):
    start = threading.Barrier(5)

    def post(run):
        start.wait()
        return stick(github.client(), 7, body(f"run {run}"), stamp(run))

    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(post, range(5)))
    assert len(ours(github)) == 1
    assert set(told) <= {"made", "edited", "unchanged", "outdated"}


def test_many_duplicates_are_cleared_away(github):
    for run in range(3):
        add_comment(github.world, 7, BOT, marked(body("old"), stamp(run)), "Bot")
    stick(github.client(), 7, body("new"), stamp(9))
    assert [item["body"] for item in ours(github)] == [marked(body("new"), stamp(9))]


@pytest.mark.parametrize("lost", [True, False])
def test_a_post_without_answer_is_looked_for_before_it_is_sent_again(github, lost):
    github.faults.append(Fault("POST", "comments", 502, lost=lost))
    stick(github.client(), 7, body("x"), stamp())
    assert len(ours(github)) == 1
    assert len(github.said("POST")) == (1 if lost else 2)


def test_a_slower_older_run_on_the_same_commit_does_not_overwrite(github):
    stick(github.client(), 7, body("newer"), stamp(20, 1))
    assert stick(github.client(), 7, body("older"), stamp(19, 3)) == "outdated"
    assert stick(github.client(), 7, body("second attempt"), stamp(20, 2)) == "edited"
    assert stick(github.client(), 7, body("next commit"), stamp(5, 1, "c" * 40)) == "edited"


def test_a_locked_conversation_is_refused_with_githubs_words(github):
    github.world.pulls[7]["locked"] = True
    with pytest.raises(RefusedError, match="locked"):
        stick(github.client(), 7, body("x"), stamp())


def test_never_longer_than_github_takes(github):
    room = LONGEST - len(marked(MARKER, stamp()).encode())
    assert len(marked(body("ä" * (room // 2)), stamp()).encode()) <= LONGEST
    with pytest.raises(GitHubError, match="65536"):
        stick(github.client(), 7, body("ä" * (room // 2 + 1)), stamp())
    assert not github.said("POST")


def test_an_app_and_a_person_have_their_own_names(github):
    stick(github.client("app-token", "hilgate-acme"), 7, body("by the app"), stamp())
    stick(github.client("person-token", ""), 7, body("by a person"), stamp())
    assert [item["login"] for item in github.world.comments] == ["hilgate-acme[bot]", "maria"]


def test_a_token_whose_app_was_not_named_is_an_error_that_says_so(github):
    with pytest.raises(GitHubError) as caught:
        stick(github.client("app-token", ""), 7, body("x"), stamp())
    assert "HILGATE_APP_SLUG" in caught.value.hint


def test_a_wrongly_named_app_still_leaves_one_comment(github):
    for run in (1, 2, 3):
        stick(github.client("app-token", "github-actions"), 7, body(f"run {run}"), stamp(run))
    (left,) = github.world.comments
    assert left["body"].startswith(body("run 3"))


def test_stamp_survives_a_round_trip_and_nothing_else_is_one():
    assert stamp_in(marked(body("x"), stamp(3, 2))) == stamp(3, 2)
    assert stamp_in(body("<!-- hilgate:run 9.9.zz -->")) is None
    assert stamp_in(body(f"<!-- hilgate:run 9.9.{HEAD} -->\nmore")) is None


def test_comments_as_long_as_they_can_be_hide_nothing(github):
    """24 here; the limit on answers holds 100 of them, a whole page."""
    for _ in range(24):
        add_comment(github.world, 7, "stranger", "<" * LONGEST)
    stick(github.client(), 7, body("first"), stamp())
    assert len(ours(github)) == 1
    assert LARGEST_BYTES > 100 * (6 * LONGEST + 5_000)
