"""What a change asks beyond budgets: paths of a repository that decide verdicts, and that git says it changes.

The verdict on such a change is made by main's version of them; merged, the new ones judge everybody. So they are
requests, which pass only with an approval.
"""

from __future__ import annotations

import re

from hilgate.gate.verdict import Request

PRODUCT = r"(?:compile(?!/arithmetic\.py)|export|quantize|train|history)/"  # of the engine, what no judging job imports
JUDGES = (  # kind -> paths; the first kind that fits
    ("test set", re.compile(r"src/tasks/[^/]+/data\.py|artifacts/data/[^/]+/facts\.json")),
    ("metric code", re.compile(r"src/tasks/(?![^/]+/network(?:\.py|/)).*\.py")),  # metric.py and whatever it may import
    ("board facts", re.compile(r"firmware/boards/[^/]+/board\.toml")),
    ("pipeline", re.compile(r"dvc\.yaml")),
    (
        "workflows",
        re.compile(r"\.github/.*|scripts/(?:base_build|fetch_head|in_container|install_engine|lib\.sh|setup)"),
    ),
    ("workflows", re.compile(r"scripts/(?:bench|with_token)|scripts/hook/.*")),
    ("judging code", re.compile(rf"src/hilgate/(?!{PRODUCT}).*")),
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
