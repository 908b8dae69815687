"""undecided: the verdict of a head for which none could be computed, so that its check says why instead of nothing.

For the case that the job which judges broke down or ran out of time. It is inconclusive, blocks, and blames nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hilgate.artifacts import write_json
from hilgate.ci.pulls.event import Event
from hilgate.ci.pulls.pending import find_pull
from hilgate.gate.verdict import Outcome
from hilgate.github.client import Client


def write_undecided(client: Client, event: Event, folder: Path, *, complete: bool = True) -> bool:
    """Write verdict.json and context.json where there is no verdict.json; gives whether it did.

    complete: all jobs before succeeded; else also a verdict that is there may lack what they would have added.
    """
    if complete and (folder / "verdict.json").is_file():
        return False
    pull = find_pull(client, event)
    base_ref, base_sha = (pull.base_ref, pull.base_sha) if pull else ("", "")
    why = f"no verdict could be computed: a job that judges failed or ran out of time. Its log: {event.run_url}"
    outcome = Outcome.INCONCLUSIVE
    verdict = {
        "outcome": outcome.value,
        "exit_code": outcome.exit_code,
        "base": {"label": base_ref or "main", "kind": "none", "origin": "not read", "sha": base_sha},
        "head": {"label": "this PR", "kind": "none", "origin": "not read", "sha": event.head_sha},
        "policy": f"{base_ref or 'main'}'s",
        "approved_by": "",
        "requests": [],
        "notes": [why[:1000]],
        "cells": [],
        "params": [],
    }
    context: dict[str, Any] = {
        "repository": event.repository,
        "pull_request": pull.number if pull else None,
        "head_sha": event.head_sha,
        "base_ref": base_ref,
        "base_sha": base_sha,
        "run_url": event.run_url,
        "author": pull.author if pull else "",
        "fork": pull.is_fork if pull else event.is_fork,
        "event": event.kind,
        "missing": [],
        "hardware": [],
        "approval": {"state": "none", "by": "", "sha": ""},
    }
    write_json(folder / "verdict.json", "verdict", verdict)
    write_json(folder / "context.json", "context", context)
    return True
