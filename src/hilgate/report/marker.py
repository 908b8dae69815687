"""The two hidden lines on top of a comment: whose it is, and for which commit. Nobody sees them on GitHub."""

from __future__ import annotations

import json
import re
from typing import Any

MARKER = "<!-- hilgate:verdict -->"
STATE = re.compile(r"<!-- hilgate:state (\{[^<>]{0,500}\}) -->")
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def head_lines(verdict: dict[str, Any], context: dict[str, Any] | None) -> str:
    """MARKER, and under it the state as JSON: schema, version, outcome, SHA of head and base ("" where not known).

    Only hashes and fixed words get in, so nothing can end the HTML comment.
    """
    head, base = (context or {}).get("head_sha", ""), (context or {}).get("base_sha", "") or verdict["base"]["sha"]
    state = {
        "base_sha": base if SHA.fullmatch(base) else "",
        "head_sha": head if SHA.fullmatch(head) else "",
        "outcome": verdict["outcome"],
        "schema": "comment",
        "version": 1,
    }
    return f"{MARKER}\n<!-- hilgate:state {json.dumps(state, sort_keys=True, separators=(',', ':'))} -->"


def read_state(comment: str) -> dict[str, Any] | None:
    """The state of a comment that this program wrote; None: another text, or a state which nobody wrote like that."""
    lines = comment.replace("\r\n", "\n").split("\n", 2)
    found = STATE.fullmatch(lines[1].strip()) if len(lines) > 1 and lines[0].strip() == MARKER else None
    if found is None:
        return None
    try:
        state = json.loads(found[1])
    except (ValueError, RecursionError):
        return None
    known = isinstance(state, dict) and state.get("schema") == "comment" and state.get("version") == 1
    return state if known else None
