"""The world as GitHub's documents: the smallest that the description takes, with what the world knows in them."""

from __future__ import annotations

import base64
from typing import Any

from fake_github.contract import document
from fake_github.world import APPS, Actor, World


def user(login: str, kind: str = "User") -> dict[str, Any]:
    return document("simple-user", login=login, type=kind, id=sum(map(ord, login)))


def app(slug: str) -> dict[str, Any]:
    return document("nullable-integration", id=APPS[slug], slug=slug, name=slug, owner=user("acme"))


def repository(full_name: str) -> dict[str, Any]:
    owner, _, name = full_name.partition("/")
    return document("repository", full_name=full_name, name=name, owner=user(owner))


def pull(world: World, number: int, simple: bool = False) -> dict[str, Any]:
    """As a list holds it (simple) or alone."""
    known = world.pulls[number]
    kind = "pull-request-simple" if simple else "pull-request"
    head_repo = known["head_repository"]
    sides = {
        "head": {"sha": known["head_sha"], "ref": known["head_ref"], "repo": head_repo and repository(head_repo)},
        "base": {"sha": known["base_sha"], "ref": known["base_ref"], "repo": repository(world.repository)},
    }
    for side, owner in (("head", head_repo or "ghost/x"), ("base", world.repository)):
        login = owner.partition("/")[0]
        sides[side] |= {"label": f"{login}:{sides[side]['ref']}", "user": user(login)}
    fields = {
        "number": number,
        "title": known.get("title", "x"),
        "state": known["state"],
        "locked": known.get("locked", False),
        "merged_at": known.get("merged_at"),
        "user": user(known["author"], "Bot" if known["author"].endswith("[bot]") else "User"),
        **sides,
    }
    return document(kind, **fields)


def comment(known: dict[str, Any]) -> dict[str, Any]:
    fields = {key: known[key] for key in ("id", "body", "created_at", "updated_at")}
    slug = known.get("via_app")
    return document(
        "issue-comment",
        **fields,
        user=user(known["login"], known["kind"]),
        performed_via_github_app=app(slug) if slug else None,
    )


def check(known: dict[str, Any]) -> dict[str, Any]:
    fields = {key: value for key, value in known.items() if key not in ("app", "annotations", "output")}
    output = {**known["output"], "annotations_count": len(known["annotations"])}
    shown = {"title": output.get("title"), "summary": output.get("summary"), "text": None}
    return document(
        "check-run",
        **fields,
        app=app(known["app"]),
        output={**shown, "annotations_count": output["annotations_count"], "annotations_url": "https://github.com/x"},
        html_url=f"https://github.com/x/runs/{known['id']}",
    )


def event(known: dict[str, Any]) -> dict[str, Any]:
    """One entry of a timeline."""
    if known["event"] == "committed":
        person = {"name": "x", "email": "x@example.com", "date": known["created_at"]}
        return document(
            "timeline-committed-event", event="committed", sha=known["sha"], author=person, committer=person
        )
    if known["event"] in ("labeled", "unlabeled"):
        slug = known.get("via_app")
        return document(
            f"{known['event']}-issue-event",
            event=known["event"],
            actor=user(known["actor"], known.get("kind", "User")),
            created_at=known["created_at"],
            label={"name": known["label"], "color": "ffffff"},
            performed_via_github_app=app(slug) if slug else None,
        )
    return document("state-change-issue-event", event=known["event"], created_at=known["created_at"])


def run(known: dict[str, Any]) -> dict[str, Any]:
    owner = known.get("head_repository")
    fields = {key: value for key, value in known.items() if key not in ("head_repository", "workflow")}
    return document(
        "workflow-run", **fields, head_repository=document("minimal-repository", full_name=owner) if owner else None
    )


def file(path: str, content: bytes) -> dict[str, Any]:
    text = base64.encodebytes(content).decode()
    return document("content-file", type="file", encoding="base64", size=len(content), path=path, content=text)


def actor_user(actor: Actor) -> dict[str, Any]:
    return document("private-user", user_view_type="private", login=actor.login, id=sum(map(ord, actor.login)))
