"""Labels on a pull request: is one set, by whom, and when. The timeline is GitHub's own record; nobody can edit it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hilgate.github.client import Client
from hilgate.github.pages import items
from hilgate.github.shape import shaped

PUSHES = frozenset({"committed", "head_ref_force_pushed", "head_ref_restored", "base_ref_changed"})


@dataclass(frozen=True)
class Labelled:
    """The last time that a label was set.

    at: GitHub's time as its text; forced_at: when the head was last moved by force before that, "" for never;
    pushed_after: the head moved since.
    """

    by: str
    by_person: bool
    at: str
    forced_at: str
    pushed_after: bool = False


def label_setting(client: Client, number: int, label: str) -> Labelled | None:
    """Who set a label that is still on, None when it is not. Raises RefusedError, GitHubError.

    The timeline is in GitHub's order. A commit has no time of GitHub's there (its own dates are the author's to
    choose), so a commit that stands behind the label counts as pushed after it, whatever date it bears.
    """
    found: Labelled | None = None
    forced_at = ""
    for event in items(client, client.repo("issues", number, "timeline")):
        kind = event.get("event")
        with shaped("a timeline"):
            if kind in ("labeled", "unlabeled") and str(event["label"]["name"]).lower() == label.lower():
                actor = event["actor"] or {}
                person = actor.get("type") == "User" and event.get("performed_via_github_app") is None
                by = str(actor.get("login", "ghost"))
                found = Labelled(by, person, str(event["created_at"]), forced_at) if kind == "labeled" else None
            if kind == "head_ref_force_pushed":
                forced_at = max(forced_at, str(event["created_at"]))
        if found is not None and kind in PUSHES:
            found = replace(found, pushed_after=True)
    return found
