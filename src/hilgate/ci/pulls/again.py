"""again: somebody approved something, so the verdict of that commit runs once more and asks who approved what.

What the event says only points to a commit. Whether the approval counts is decided by the verdict's own run, from what
GitHub says; starting it too often costs minutes and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hilgate.ci.pulls.approval import TRY
from hilgate.ci.pulls.event import LARGEST_BYTES, read_event
from hilgate.errors import UsageError
from hilgate.github.client import Client, Query, asking
from hilgate.github.pulls import pull_request
from hilgate.github.shape import shaped

WORKFLOW = "verdict.yml"
TITLE = "verdict on {sha}"  # run-name of verdict.yml
LOOKED_THROUGH = 100  # newest runs


def execute(client: Client, environment: Mapping[str, str]) -> str:
    """Run the newest verdict of the event's head again; gives what was done. Raises UsageError, GitHubError."""
    sha = _head_of(client, environment)
    if not sha:
        return "no open pull request asks for it: nothing to run again"
    run_id, status = _newest(client, sha)
    if run_id is None:
        return f"there is no verdict on {sha[:10]} yet: its own run will look for approvals"
    if status != "completed":
        return f"the verdict on {sha[:10]} is running: it looks for approvals itself"
    client.call("POST", client.repo("actions", "runs", run_id, "rerun"))
    return f"the verdict on {sha[:10]} runs again: {client.access.page('actions', 'runs', str(run_id))}"


def _head_of(client: Client, environment: Mapping[str, str]) -> str:
    """The commit: of a comment the head of its pull request now, of approval.yml that of its run."""
    if environment.get("GITHUB_EVENT_NAME") != "issue_comment":
        return read_event(environment).head_sha
    number, body = _comment(Path(environment.get("GITHUB_EVENT_PATH", "")))
    if not TRY.match(body.strip()):
        return ""
    pull = pull_request(client, number)
    return pull.head_sha if pull and pull.is_open else ""


def _comment(path: Path) -> tuple[int, str]:
    import json

    try:
        with path.open("rb") as file:
            document = json.loads(file.read(LARGEST_BYTES))
        number, body = document["issue"]["number"], document["comment"]["body"]
        if type(number) is not int or not isinstance(body, str):
            raise TypeError("number or body")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"no `issue_comment` event: {error!r}"[:200], where=str(path)) from error
    return number, body


def _newest(client: Client, sha: str) -> tuple[int | None, str]:
    """The newest run of verdict.yml on a commit, by the name that the default branch's copy gave it."""
    query: Query = {"event": "workflow_run", "per_page": LOOKED_THROUGH}
    document = client.get(asking(client.repo("actions", "workflows", WORKFLOW, "runs"), query))
    with shaped("a list of workflow runs"):
        runs = [run for run in document["workflow_runs"] if run["display_title"] == TITLE.format(sha=sha)]
        newest = max(runs, key=lambda run: int(run["id"]), default=None)
        return (int(newest["id"]), str(newest["status"])) if newest else (None, "")
