"""Reviews of a pull request, and who owns a file by CODEOWNERS."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.github.client import Client
from hilgate.github.pages import items
from hilgate.github.shape import shaped


@dataclass(frozen=True)
class Review:
    """One person's last word. commit: the head that was looked at."""

    by: str
    by_person: bool
    state: str
    commit: str


def last_reviews(client: Client, number: int) -> list[Review]:
    """Of each reviewer the last review that decides something (mere comments do not take an approval back)."""
    last: dict[str, Review] = {}
    for document in items(client, client.repo("pulls", number, "reviews")):
        with shaped("a list of reviews"):
            user = document["user"] or {}
            login, state = str(user.get("login", "ghost")), str(document["state"]).upper()
            if state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
                last[login] = Review(login, user.get("type") == "User", state, str(document["commit_id"] or ""))
    return list(last.values())
