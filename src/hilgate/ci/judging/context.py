"""context.json: what the pull request is and where it stands, beside the verdict (schema `context`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgate.ci.claims.claim import printable
from hilgate.ci.judging.baseline import Baseline
from hilgate.ci.judging.settle import Settled

MOST_CLAIMS = 1000
BUILD_MAIN = "gh workflow run main.yml"


@dataclass(frozen=True)
class Asked:
    """Who asks for a verdict on what: from the event, never from a claim. head_sha: 40 hex digits.

    approved_by: who approved the requests, which the caller has checked. working_tree: judge the files of the checkout
    (locally). The rest is told to readers.
    """

    head_sha: str
    base_ref: str = "main"
    repository: str = ""
    pull_request: int | None = None
    run_url: str = ""
    author: str = ""
    fork: bool = False
    event: str = "local"
    approved_by: str = ""
    working_tree: bool = False


def context_of(
    asked: Asked,
    base_sha: str,
    settled: dict[str, Settled],
    baseline: Baseline,
) -> dict[str, Any]:
    """The content of context.json. The hardware job adds to `hardware` and `approval`, which is about hardware alone;
    the last one to `missing`.
    """
    return {
        "repository": asked.repository,
        "pull_request": asked.pull_request,
        "head_sha": asked.head_sha,
        "base_ref": asked.base_ref,
        "base_sha": base_sha,
        "run_url": asked.run_url,
        "author": asked.author,
        "fork": asked.fork,
        "event": asked.event,
        "missing": _missing(baseline),  # not what the claim says is needed: a stranger's commands are no advice of ours
        "hardware": [],
        "approval": {"state": "none", "by": "", "sha": ""},
        "cells": [
            {"cell": name, "state": one.state, "error": printable(one.error), "by_author": one.by_author}
            for name, one in settled.items()
        ],
        "claims": [row for one in settled.values() for row in one.claims][:MOST_CLAIMS],
    }


def _missing(baseline: Baseline) -> list[dict[str, str]]:
    """Each reason once, however many cells it concerns."""
    reasons: dict[str, list[str]] = {}
    for name, why in baseline.missing.items():
        reasons.setdefault(why, []).append(name)
    return [
        {"what": f"base missing: {why} ({', '.join(names)})"[:300], "command": BUILD_MAIN}
        for why, names in list(reasons.items())[:20]
    ]
