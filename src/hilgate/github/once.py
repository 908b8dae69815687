"""Create a thing once, though a call that creates may be lost on its way, or its answer may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilgate.github.client import Client
from hilgate.github.patience import backoff_s
from hilgate.github.refusal import UncertainError


def create_once(
    client: Client, find: Callable[[], dict[str, Any] | None], create: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """The thing, and whether this call made it. Before every attempt to create it, it is looked for.

    Raises UncertainError when patience ends, and whatever find and create raise.
    """
    for attempt in range(client.patience.attempts):
        found = find()
        if found is not None:
            return found, attempt > 0
        try:
            return create(), True
        except UncertainError as error:
            last = error
            client.clock.sleep(backoff_s(attempt, client.clock))
    found = find()
    if found is None:
        raise last
    return found, True
