"""What a change asks beyond budgets: paths of a repository that decide verdicts, and that git says it changes.

The verdict on such a change is made by main's version of them; merged, the new ones judge everybody. So they are
requests, which pass only with an approval.
"""

from __future__ import annotations

import re

from hilgate.gate.verdict import Request

JUDGES = (  # kind -> paths; the first kind that fits
    ("metric code", re.compile(r"src/tasks/[^/]+/metric\.py")),
    ("test set", re.compile(r"src/tasks/[^/]+/data\.py|artifacts/data/[^/]+/facts\.json")),
    ("board facts", re.compile(r"firmware/boards/[^/]+/board\.toml")),
    ("pipeline", re.compile(r"dvc\.yaml")),
    ("workflows", re.compile(r"\.github/.*")),
    ("judging code", re.compile(r"src/hilgate/(artifacts|catalogue|hashing|params|task)\.py")),
    ("judging code", re.compile(r"src/hilgate/(bench|ci|gate|github|link|run|schemas|virtual)/.*")),
    ("protocol", re.compile(r"firmware/protocol\.toml")),
)
LONGEST = 200


def requests_of(paths: tuple[str, ...]) -> tuple[Request, ...]:
    """One request a kind: its first path, and how many more there are."""
    found: dict[str, list[str]] = {}
    for path in paths:
        kind = next((kind for kind, pattern in JUDGES if pattern.fullmatch(path)), None)
        if kind is not None:
            found.setdefault(kind, []).append(path)
    return tuple(_request(kind, names) for kind, names in found.items())


def _request(kind: str, names: list[str]) -> Request:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return Request(kind, "", f"{names[0][:LONGEST]}{more}", "as on the base", "changed", "changes")
