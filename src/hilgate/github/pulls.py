"""Pull requests: the one that a commit is the head of, also when it comes from a fork."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hilgate.github.client import Client, asking
from hilgate.github.pages import items
from hilgate.github.shape import shaped

NEWEST = 200  # open pull requests looked through when nothing quicker finds the one


@dataclass(frozen=True)
class Pull:
    """What hilgate needs to know of a pull request. head_repository: "" when the fork is gone."""

    number: int
    state: str
    merged: bool
    author: str
    head_sha: str
    head_ref: str
    head_repository: str
    base_ref: str
    base_sha: str
    is_fork: bool

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @classmethod
    def of(cls, document: dict[str, Any]) -> Pull:
        """From GitHub's document. Raises GitHubError where it lacks something."""
        with shaped("a pull request"):
            head, base = document["head"], document["base"]
            owner = (head["repo"] or {}).get("full_name", "")
            return cls(
                number=int(document["number"]),
                state=str(document["state"]),
                merged=document.get("merged_at") is not None,
                author=str((document["user"] or {}).get("login", "ghost")),
                head_sha=str(head["sha"]),
                head_ref=str(head["ref"]),
                head_repository=str(owner),
                base_ref=str(base["ref"]),
                base_sha=str(base["sha"]),
                is_fork=str(owner).lower() != str(base["repo"]["full_name"]).lower(),
            )


def pull_request(client: Client, number: int) -> Pull | None:
    """One pull request as it is now, None where there is none of that number."""
    document = client.find(client.repo("pulls", number))
    return None if document is None else Pull.of(document)


def pulls_with_head(client: Client, head_sha: str) -> list[Pull]:
    """Pull requests of this repository whose head is this commit, open ones first, then by number.

    The quick way knows nothing of a fork's commits on some servers; then the newest open ones are looked through.
    """
    path = asking(client.repo("commits", head_sha, "pulls"), {"per_page": 100})
    quick = client.call("GET", path, allow=(404, 409, 422))  # three ways to say: no such commit here
    with shaped("a list of pull requests"):
        known: list[dict[str, Any]] = list(quick.json()) if quick.status == 200 else []
    found = _matching(client, iter(known), head_sha)
    if not any(pull.is_open for pull in found):
        query = {"state": "open", "sort": "updated", "direction": "desc"}
        newest = (item for item, _ in zip(items(client, client.repo("pulls"), query), range(NEWEST), strict=False))
        found += _matching(client, newest, head_sha)
    return sorted({pull.number: pull for pull in found}.values(), key=lambda pull: (not pull.is_open, pull.number))


def _matching(client: Client, documents: Iterator[dict[str, Any]], head_sha: str) -> list[Pull]:
    """Those that point into this repository (a fork's own pull requests hold the same commits) and have that head."""
    found = []
    for document in documents:
        with shaped("a list of pull requests"):
            into, fits = str(document["base"]["repo"]["full_name"]), document["head"]["sha"] == head_sha
        if fits and _is_ours(client, into):
            found.append(Pull.of(document))
    return found


def _is_ours(client: Client, name: str) -> bool:
    """Whether a name is this repository's; one that was renamed answers to its old name and calls itself by the new."""
    if name.lower() == client.access.repository.lower():
        return True
    with shaped("a repository"):
        return name.lower() == str(client.get(client.repo())["full_name"]).lower()
