"""The check `hilgate` on a commit: one check run of ours, found by name and app, updated in place.

A check run of that name by another app is not ours and is never touched; a ruleset that requires the check binds it to
our app. GitHub adds annotations to those that are there, so only new ones are sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hilgate.errors import GitHubError
from hilgate.github.client import Client
from hilgate.github.once import create_once
from hilgate.github.pages import items
from hilgate.github.shape import shaped
from hilgate.github.stamp import Stamp, parse_stamp

NAME = "hilgate"
PER_CALL = 50  # annotations
LONGEST = 65_535  # characters of summary; ours are counted as UTF-8 bytes
LONGEST_TITLE = 250
SUCCESS, FAILURE, ACTION = "success", "failure", "action_required"
CONCLUSIONS = {  # outcome of the gate -> conclusion; docs/decisions/0012-what-the-check-says.md
    "pass": SUCCESS,
    "warn": SUCCESS,
    "fail": FAILURE,
    "inconclusive": ACTION,
    "waiting": ACTION,
}


@dataclass(frozen=True)
class Check:
    """What a check run shall say. outcome: of the gate, "" while it is undecided (which blocks a merge as well)."""

    stamp: Stamp
    title: str
    summary: str
    details_url: str
    outcome: str = ""
    annotations: tuple[dict[str, Any], ...] = ()

    @property
    def head_sha(self) -> str:
        return self.stamp.head_sha

    @property
    def conclusion(self) -> str:
        """Whatever is not known to be good blocks."""
        return CONCLUSIONS.get(self.outcome, FAILURE) if self.outcome else ""


def put_check(client: Client, check: Check) -> str:
    """Make the commit's check run say this: made, updated or outdated (a newer run was here).

    Raises RefusedError, GitHubError.
    """
    document = _content(check, client.clock.now())

    def find() -> dict[str, Any] | None:
        return next(iter(_ours(client, check.head_sha)), None)

    def create() -> dict[str, Any]:
        path = client.repo("check-runs")
        made: dict[str, Any] = client.call("POST", path, {"head_sha": check.head_sha, **document}).json()
        return made

    newest, made = create_once(client, find, create)
    if not made and check.stamp.is_older_than(parse_stamp(str(newest.get("external_id") or ""))):
        return "outdated"
    for run in _ours(client, check.head_sha) or [newest]:  # two starts at once made two: both say the same from now on
        if not made or run["id"] != newest["id"]:
            client.call("PATCH", client.repo("check-runs", run["id"]), document)
    path = client.repo("check-runs", newest["id"])
    _annotate(client, path, document["output"], check.annotations, fresh=made)
    return "made" if made else "updated"


def _content(check: Check, now: float) -> dict[str, Any]:
    """Body of the call that makes or updates; annotations follow on their own."""
    if len(check.summary.encode()) > LONGEST:
        raise GitHubError(f"a summary of {len(check.summary.encode())} bytes, GitHub takes {LONGEST}", where="check")
    output = {"title": check.title[:LONGEST_TITLE], "summary": check.summary}
    content: dict[str, Any] = {
        "name": NAME,
        "external_id": str(check.stamp),
        "details_url": check.details_url,
        "output": output,
    }
    if not check.outcome:
        return {**content, "status": "in_progress"}
    when = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**content, "status": "completed", "conclusion": check.conclusion, "completed_at": when}


def _ours(client: Client, head_sha: str) -> list[dict[str, Any]]:
    """Check runs of that name that our own app made, newest first."""
    query = {"check_name": NAME, "filter": "all"}
    runs = items(client, client.repo("commits", head_sha, "check-runs"), query, key="check_runs")
    found = []
    for run in runs:
        with shaped("a list of check runs"):
            ours = run["name"] == NAME and (run["app"] or {}).get("slug") == client.access.app_slug
            if ours and run["head_sha"] == head_sha:
                found.append({**run, "id": int(run["id"])})
    return sorted(found, key=lambda run: -run["id"])


def _annotate(
    client: Client, path: str, output: dict[str, Any], wanted: Sequence[dict[str, Any]], *, fresh: bool
) -> None:
    """Send those that are not there yet, fifty at a time. GitHub appends, so a lost answer means: look again."""
    there: set[tuple[Any, ...]] = set() if fresh else _shown(client, path)
    missing = [item for item in wanted if _key(item) not in there]
    for start in range(0, len(missing), PER_CALL):
        batch = missing[start : start + PER_CALL]

        def find(batch: list[dict[str, Any]] = batch) -> dict[str, Any] | None:
            return {} if _key(batch[-1]) in _shown(client, path) else None

        def create(batch: list[dict[str, Any]] = batch) -> dict[str, Any]:
            client.call("PATCH", path, {"output": {**output, "annotations": batch}}, repeat=False)
            return {}

        create_once(client, find, create)


def _shown(client: Client, path: str) -> set[tuple[Any, ...]]:
    return {_key(item) for item in items(client, f"{path}/annotations")}


def _key(annotation: dict[str, Any]) -> tuple[Any, ...]:
    fields = ("path", "start_line", "end_line", "annotation_level", "message", "title")
    return tuple(annotation.get(field) for field in fields)
