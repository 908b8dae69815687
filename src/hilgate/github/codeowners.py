"""CODEOWNERS: who owns a file. The last line that matches counts, as on GitHub."""

from __future__ import annotations

import re

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # in the order in which GitHub looks
LONGEST_LINE = 1000


def owners_of(text: str, path: str) -> list[str]:
    """Owners of a path (relative to the repository), as they are written: `@user`, `@org/team` or an address."""
    owners: list[str] = []
    for line in text.splitlines():
        words = line[:LONGEST_LINE].partition("#")[0].split()
        if words and _matches(words[0], path):
            owners = words[1:]
    return owners


def _matches(pattern: str, path: str) -> bool:
    """gitignore's rules as far as CODEOWNERS has them: no negation, no character ranges."""
    if pattern[0] == "!" or "[" in pattern:
        return False
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    start = "" if anchored else "(?:.*/)?"
    end = "/.*" if pattern.endswith("/") else "" if pattern.endswith("/*") else "(?:/.*)?"
    return re.fullmatch(start + _expression(body) + end, path) is not None


def _expression(pattern: str) -> str:
    pieces = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", pattern)
    return "".join(pieces.get(token, re.escape(token)) for token in tokens)
