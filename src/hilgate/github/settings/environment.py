"""The environment whose reviewers let a fork's commit onto the bench. Without reviewers it lets everybody through."""

from __future__ import annotations

from typing import Any

from hilgate.errors import GitHubError
from hilgate.github.client import Client
from hilgate.github.refusal import RefusedError
from hilgate.github.settings.setting import Setting, Wanted
from hilgate.github.shape import shaped

NAME = "hilgate-hardware"


def setting(client: Client, wanted: Wanted, command: str) -> Setting:
    without = "forks reach the bench by a `/hardware` comment instead"
    return Setting(f"environment {NAME}", _look, command, lambda client: _mend(client, wanted), without=without)


def reviewers_of(client: Client, name: str) -> list[str] | None:
    """Logins and teams who must approve an environment; None: there is no such environment."""
    document = client.find(client.repo("environments", name))
    if document is None:
        return None
    with shaped("an environment"):
        rules = [rule for rule in document.get("protection_rules", []) if rule["type"] == "required_reviewers"]
        people = [entry["reviewer"] for rule in rules for entry in rule["reviewers"]]
        return [str(one.get("login") or one.get("slug") or one["id"]) for one in people]


def _look(client: Client) -> str:
    reviewers = reviewers_of(client, NAME)
    if reviewers is None:
        return "there is no such environment"
    return "" if reviewers else "it has no required reviewers, so it holds nobody back"


def _mend(client: Client, wanted: Wanted) -> None:
    """Reviewers that are there stay as they are: this is called only where there are none."""
    people = [{"type": "User", "id": _id(client, login)} for login in wanted.reviewers] or [_myself(client)]
    client.call("PUT", client.repo("environments", NAME), {"reviewers": people, "prevent_self_review": False})


def _myself(client: Client) -> dict[str, Any]:
    try:
        document = client.get("/user")
    except RefusedError as error:
        hint = "an App has no person to ask: name one with --reviewer LOGIN"
        raise GitHubError("who shall review is not known", where=f"environment {NAME}", hint=hint) from error
    with shaped("GET /user"):
        return {"type": "User", "id": int(document["id"])}


def _id(client: Client, login: str) -> int:
    from urllib.parse import quote

    document = client.find(f"/users/{quote(login, safe='')}")
    if document is None:
        raise GitHubError(f"there is no user {login[:100]!r}", where="--reviewer")
    with shaped("a user"):
        return int(document["id"])
