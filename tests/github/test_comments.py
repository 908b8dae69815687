"""One sticky comment, whatever happens around it."""

from __future__ import annotations

from hilgate.github.comments import MARKER, stick
from hilgate.github.stamp import Stamp

HEAD = "a" * 40


def stamp(run=1, attempt=1, head=HEAD):
    return Stamp(run, attempt, head)


def test_first_comment_is_made_and_later_ones_edit_it(github):
    assert stick(github.client(), 7, f"{MARKER}\nfirst", stamp(1)) == "made"
    assert stick(github.client(), 7, f"{MARKER}\nsecond", stamp(2)) == "edited"
    assert stick(github.client(), 7, f"{MARKER}\nsecond", stamp(2)) == "unchanged"
    (comment,) = github.world.comments
    assert comment["body"].startswith(f"{MARKER}\nsecond\n")
    assert comment["login"] == "github-actions[bot]"
