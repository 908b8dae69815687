"""What a plan has: a refusal for want of money is nobody's fault, and no other token helps against it."""

from __future__ import annotations

from hilgate.errors import GitHubError
from hilgate.github.client import Client
from hilgate.github.refusal import RefusedError

UPGRADE = ("upgrade to", "billing plan", "not available for your plan", "not supported for private")


def is_lacking(error: GitHubError) -> bool:
    """Whether GitHub refused because of the plan."""
    message = error.message.lower() if isinstance(error, RefusedError) else ""
    return any(words in message for words in UPGRADE)


def refusal(client: Client) -> RefusedError | None:
    """GitHub's words where the plan has no environments that protect anything, else None.

    They come with the same plans as rulesets, whose list is the only call that tells without changing anything.
    """
    try:
        client.get(client.repo("rulesets"), {"includes_parents": "false", "per_page": 1})
    except RefusedError as error:
        return error if is_lacking(error) else None
    return None
