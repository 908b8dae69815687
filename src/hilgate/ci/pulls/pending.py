"""pending: the check stands on the head from the first minute, so that no merge slips through unjudged."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.ci.pulls.approval import POLICY, QUEUE, budget_approval
from hilgate.ci.pulls.event import Event
from hilgate.errors import GitHubError
from hilgate.github.checks import Check, put_check
from hilgate.github.client import Client
from hilgate.github.pulls import Pull, pull_request, pulls_with_head
from hilgate.github.refusal import RefusedError
from hilgate.github.stamp import Stamp
from hilgate.github.statuses import put_status

KINDS = frozenset({"pull_request", "merge_group"})  # events whose commit somebody wants to merge


@dataclass(frozen=True)
class Started:
    """What pending found: the pull request (None: a merge queue's commit, or nobody wants it now), and in words.

    approved_by: who approved that this head's own policy judges, as it stands now; post looks again.
    """

    pull: Pull | None
    note: str
    approved_by: str = ""

    def as_outputs(self, event: Event) -> dict[str, str]:
        """For $GITHUB_OUTPUT: what later jobs may believe about the pull request, because GitHub said it just now."""
        pull = self.pull
        return {
            "event": event.kind,
            "head_sha": event.head_sha,
            "pull_request": str(pull.number) if pull else "",
            "base_ref": pull.base_ref if pull else "",
            "base_sha": pull.base_sha if pull else "",
            "author": pull.author if pull else "",
            "approved_by": self.approved_by,
            "fork": str(pull.is_fork if pull else event.is_fork).lower(),
        }


def execute(client: Client, event: Event, policy: str = POLICY, author_may: bool = False) -> Started:
    """Start the check on the head that the event names. policy, author_may: see approval.budget_approval."""
    if event.kind not in KINDS:
        return Started(None, f"a {event.kind} wants no merge: no check")
    pull = find_pull(client, event) if event.kind == "pull_request" else None
    if event.kind == "pull_request" and pull is None:
        return Started(None, f"no open pull request has the head {event.head_sha[:10]} any more: no check")
    summary = "The verdict is being computed from this commit by the default branch's own workflow."
    stamp = Stamp(event.run_id, event.attempt, event.head_sha)
    told = put_verdict(client, Check(stamp, "no verdict yet", summary, event.run_url))
    by = budget_approval(client, pull, policy=policy, author_may=author_may).by if pull else QUEUE
    return Started(pull, f"check `hilgate` on {event.head_sha[:10]}: in progress ({told})", by)


def find_pull(client: Client, event: Event, base_ref: str = "") -> Pull | None:
    """The open pull request of this head; of several (one branch to two bases) the one to base_ref, else the first."""
    if event.pull_request is not None:
        pull = pull_request(client, event.pull_request)
        return pull if pull and pull.is_open and pull.head_sha == event.head_sha else None
    found = [pull for pull in pulls_with_head(client, event.head_sha) if pull.is_open]
    ours = [pull for pull in found if not event.head_repository or _same(pull.head_repository, event.head_repository)]
    return next((pull for pull in ours if pull.base_ref == base_ref), ours[0] if ours else None)


def put_verdict(client: Client, check: Check) -> str:
    """As a check run; as a commit status where check runs cannot be had, which is said."""
    if not client.access.app_slug:
        put_status(client, check)
        return "as a commit status: this is a person's token, and only apps can write check runs"
    try:
        return put_check(client, check)
    except RefusedError as error:
        if not client.access.is_enterprise or error.status not in (403, 404):
            raise
        try:
            put_status(client, check)
        except GitHubError:
            raise error from None  # the first refusal says more
        return "as a commit status: this Enterprise Server has no check runs for this token"


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
