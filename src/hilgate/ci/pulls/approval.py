"""Who has approved what: a fork's exact commit for the bench, or a change of the policy that judges.

Nothing in a pull request's own files counts, and no word of an event: who wrote, labelled or reviewed, when, and
whether they may write, is asked of GitHub. An approval is for one commit; the next push voids it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hilgate.github.client import Client
from hilgate.github.codeowners import PLACES, owners_of
from hilgate.github.contents import read_file
from hilgate.github.labels import Labelled, label_setting
from hilgate.github.pages import items
from hilgate.github.people import is_member, may_write
from hilgate.github.pulls import Pull
from hilgate.github.refusal import RefusedError
from hilgate.github.reviews import last_reviews
from hilgate.github.runs import environment_nods, heads_of_branch
from hilgate.github.shape import shaped

LABEL = "hilgate-approve-budgets"
ENVIRONMENT = "hilgate-hardware"
COMMAND = re.compile(r"/hardware[ \t]+([0-9a-f]{40})")
TRY = re.compile(r"/hardware\b")
POLICY = "params.yaml"
QUEUE = "the merge queue"  # takes only pull requests whose own check succeeded, so whose requests were approved there
BOTS_FROM_OUTSIDE = frozenset({"dependabot[bot]"})  # its branches lie in this repository, its code comes from outside
MOST_NOTES = 5


@dataclass(frozen=True)
class Approval:
    """state: none (not needed), needed or given; by: login; sha: the commit it is for; notes: what did not count."""

    state: str
    by: str = ""
    sha: str = ""
    how: str = ""
    notes: tuple[str, ...] = ()

    def as_context(self) -> dict[str, str]:
        """As the field `approval` of context.json."""
        return {"state": self.state, "by": self.by, "sha": self.sha}


def hardware_approval(client: Client, pull: Pull, run_id: int | None = None) -> Approval:
    """Whether this head may run on the bench. run_id: the trusted workflow's run, whose environment may be approved."""
    if not pull.is_fork and pull.author not in BOTS_FROM_OUTSIDE:
        return Approval("none", sha=pull.head_sha)
    for nod in environment_nods(client, run_id, ENVIRONMENT) if run_id else ():
        if nod.state == "approved" and nod.by_person:
            return Approval("given", nod.by, pull.head_sha, f"environment {ENVIRONMENT}")
    return _by_comment(client, pull)


def _by_comment(client: Client, pull: Pull) -> Approval:
    """`/hardware <40 digits>` as the whole comment, never edited, by a person who may write."""
    notes: list[str] = []
    for comment in reversed(list(items(client, client.repo("issues", pull.number, "comments")))):
        with shaped("a list of comments"):
            body, user = str(comment.get("body") or "").strip(), comment["user"] or {}
            login, person = str(user.get("login", "ghost")), user.get("type") == "User"
            edited = comment["created_at"] != comment["updated_at"]
            person = person and comment.get("performed_via_github_app") is None
        if not TRY.match(body):
            continue
        reason = _why_not(body, pull, edited, person)
        if not reason and not may_write(client, login):
            reason = "whoever wrote it may not write to this repository"
        if not reason:
            return Approval("given", login, pull.head_sha, "comment")
        notes.append(f"a `/hardware` comment by {login} does not count: {reason}")
    return Approval("needed", sha=pull.head_sha, notes=tuple(notes[:MOST_NOTES]))


def _why_not(body: str, pull: Pull, edited: bool, person: bool) -> str:
    found = COMMAND.fullmatch(body)
    if found is None:
        return "it must be nothing but `/hardware` and the 40 digits of the commit"
    if found.group(1) != pull.head_sha:
        return f"it is for {found.group(1)[:10]}, the head is {pull.head_sha[:10]}"
    if edited:
        return "it was edited"
    return "" if person else "a program wrote it"


def budget_approval(client: Client, pull: Pull, *, policy: str = POLICY, author_may: bool = False) -> Approval:
    """Whether somebody with the right to approved what the head asks of the policy.

    Either the label, set after the last push by a person with write access, or an approving review of exactly this head
    by a code owner of params.yaml with write access. author_may: also the author's own label counts (a repository with
    one maintainer; the variable HILGATE_SELF_APPROVAL); policy: path of params.yaml in the repository.
    """
    notes: list[str] = []
    ways: tuple[Callable[[], Approval], ...] = (
        lambda: _by_label(client, pull, author_may),
        lambda: _by_review(client, pull, policy),
    )
    for way in ways:
        try:
            found = way()
        except RefusedError as error:  # one way that this token may not look at does not close the other
            found = Approval("needed", notes=(f"GitHub was asked who approved, and refused: {error}"[:500],))
        if found.state == "given":
            return found
        notes += found.notes
    return Approval("needed", sha=pull.head_sha, notes=tuple(notes[:MOST_NOTES]))


def _by_label(client: Client, pull: Pull, author_may: bool) -> Approval:
    setting = label_setting(client, pull.number, LABEL)
    if setting is None:
        return Approval("needed")
    reason = ""
    if not setting.by_person:
        reason = "a program set it"
    elif setting.by == pull.author and not author_may:
        reason = "the author of the pull request set it"
    elif setting.pushed_after or not _was_head_at(client, pull, setting):
        reason = "it was not set on this head: take it off and set it again after the last push"
    elif not may_write(client, setting.by):
        reason = "whoever set it may not write to this repository"
    if not reason:
        return Approval("given", setting.by, pull.head_sha, f"label {LABEL}")
    return Approval("needed", notes=(f"the label `{LABEL}`, set by {setting.by}, does not count: {reason}",))


def _was_head_at(client: Client, pull: Pull, setting: Labelled) -> bool:
    """Whether this commit was the head when the label was set, and no other since, by the runs that GitHub began.

    Their times are GitHub's own; a commit's are its author's to choose. A run older than the last move by force proves
    nothing: `[skip ci]` can hide the head that was shown in between. Equal seconds count as after.
    """
    heads = heads_of_branch(client, pull.head_repository, pull.head_ref)
    before = [head for head in heads if head.began_at < setting.at]
    after = {head.sha for head in heads if head.began_at >= setting.at}
    shown = before and before[0].sha == pull.head_sha and before[0].began_at >= setting.forced_at
    return bool(shown) and after <= {pull.head_sha}


def _by_review(client: Client, pull: Pull, policy: str) -> Approval:
    approving = [review for review in last_reviews(client, pull.number) if review.state == "APPROVED"]
    others = [review for review in approving if review.by_person and review.by != pull.author]
    reviews = [review for review in others if review.commit == pull.head_sha]
    owners = _owners(client, pull, policy) if reviews else []
    notes: list[str] = []
    for review in reviews:
        owns = _owns(client, owners, review.by)
        if owns and may_write(client, review.by):
            return Approval("given", review.by, pull.head_sha, "review by a code owner")
        if owns is None:
            team = f"a team owns {policy}, and this token cannot see its members"
            notes.append(f"{review.by} approved; {team}: set `{LABEL}`")
    return Approval("needed", notes=tuple(notes))


def _owners(client: Client, pull: Pull, policy: str) -> list[str]:
    """Owners of params.yaml by the base's CODEOWNERS; the pull request's own copy is a wish."""
    for place in PLACES:
        content = read_file(client, place, pull.base_ref)
        if content is not None:
            return owners_of(content.decode("utf-8", "replace"), policy)
    return []


def _owns(client: Client, owners: list[str], login: str) -> bool | None:
    """Whether a login is among the owners, None where only a team that cannot be looked into may hold it."""
    people = {owner[1:].lower() for owner in owners if owner.startswith("@") and "/" not in owner}
    if login.lower() in people:
        return True
    unknown = False
    for owner in owners:
        organization, slash, team = owner.removeprefix("@").partition("/")
        if not slash or not owner.startswith("@"):
            continue
        member = is_member(client, organization, team, login)
        if member:
            return True
        unknown = unknown or member is None
    return None if unknown else False
