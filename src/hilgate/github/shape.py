"""GitHub's documents read with a net below: what lacks a field is an error in words, not a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hilgate.errors import GitHubError


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """Around code that reads a document of GitHub's. Raises GitHubError where it lacks something."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        hint = "is GITHUB_API_URL really GitHub's REST interface, and new enough?"
        raise GitHubError(f"the answer lacks something: {error!r}"[:300], where=what, hint=hint) from error
