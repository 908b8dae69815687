"""Lists that come in pages: follow the Link header to the end, but never without end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hilgate.errors import GitHubError
from hilgate.github.client import Client, Query, asking

PER_PAGE = 100
MOST_PAGES = 50
NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="next"')


def items(client: Client, path: str, query: Query | None = None, *, key: str = "") -> Iterator[dict[str, Any]]:
    """Every item of a list. key: where the list is inside the document, "" when the document is the list.

    Raises RefusedError, GitHubError (also after 50 pages of 100: more than any honest pull request has).
    """
    url = asking(path, {**(query or {}), "per_page": PER_PAGE})
    for _ in range(MOST_PAGES):
        answer = client.call("GET", url)
        document = answer.json()
        found = document.get(key) if key and isinstance(document, dict) else document
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise GitHubError("the answer is not the list that it should be", where=f"GET {path}")
        yield from found
        following = NEXT.search(answer.headers.get("link", ""))
        if following is None:
            return
        url = following.group(1)
    raise GitHubError(f"more than {MOST_PAGES * PER_PAGE} entries", where=f"GET {path}")
