"""The repository's settings, and who is asking."""

from __future__ import annotations

from typing import Any

from fake_github import documents
from fake_github.routes import Answer
from fake_github.world import Actor, World


def get_user(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if actor.app:
        return 403, {"message": "Resource not accessible by integration"}
    return 200, documents.actor_user(actor)


HANDLERS = {
    ("GET", "/user"): get_user,
}
