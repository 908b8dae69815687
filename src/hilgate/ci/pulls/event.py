"""Why this workflow runs, and for which commit: read from the file that GitHub gives to every job.

GitHub wrote the file, but strangers chose names in it: branches and titles may hold quotes, `$(...)` or newlines. So
only fields with a strict form are taken, and what is handed on to other steps is written so that no value can end its
own line.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.errors import UsageError
from hilgate.github.access import REPOSITORY, SHA

LARGEST_BYTES = 4 << 20
BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,255}")  # what git allows in the name of a branch


@dataclass(frozen=True)
class Event:
    """One event. pull_request: its number where the event says it (a fork's workflow_run does not).

    kind: the event that began it all (of a workflow_run: that of the first workflow); head_repository: owner/name the
    head lies in; run_id, attempt: of this workflow's own run, which order what several runs write.
    """

    kind: str
    repository: str
    head_sha: str
    head_branch: str
    head_repository: str
    pull_request: int | None
    run_id: int
    attempt: int
    run_url: str

    @property
    def is_fork(self) -> bool:
        return self.head_repository.lower() != self.repository.lower()


def read_event(environment: Mapping[str, str]) -> Event:
    """The event of this job. Raises UsageError: not in a workflow, or an event that hilgate has no part in."""
    name, path = environment.get("GITHUB_EVENT_NAME", ""), environment.get("GITHUB_EVENT_PATH", "")
    if not name or not path:
        hint = "this command is a step of a workflow; `hilgate ci` without more runs here what CI would run"
        raise UsageError("there is no event", where="GITHUB_EVENT_PATH", hint=hint)
    payload = _payload(Path(path))
    readers = {
        "pull_request": _pull_request,
        "merge_group": _merge_group,
        "workflow_run": _workflow_run,
        "push": _push,
        "schedule": _push,
        "workflow_dispatch": _push,
    }
    if name not in readers:
        raise UsageError(f"an event {name[:50]!r} is none of {', '.join(readers)}", where="GITHUB_EVENT_NAME")
    try:
        found = readers[name](payload, environment)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"no `{name}` event: {error!r}"[:200], where=path) from error
    return _checked(found, name, environment)


def write_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Hand values to later jobs ($GITHUB_OUTPUT). Each between marks that nobody can guess, so none can add another."""
    lines = []
    for name, value in values.items():
        mark = f"end-{secrets.token_hex(16)}"
        lines += [f"{name}<<{mark}", value, mark]
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write("".join(f"{line}\n" for line in lines))


def tell(environment: Mapping[str, str], values: Mapping[str, str]) -> None:
    """The same, where there are later jobs."""
    path = environment.get("GITHUB_OUTPUT", "")
    if path:
        write_outputs(Path(path), values)


def _payload(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        document = json.loads(content) if len(content) <= LARGEST_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot be read: {type(error).__name__}", where=str(path)) from error
    if not isinstance(document, dict):
        raise UsageError("is no event of GitHub", where=str(path))
    return document


def _pull_request(payload: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    pull = payload["pull_request"]
    head = pull["head"]
    repository = (head["repo"] or {}).get("full_name", "")
    return _fields("pull_request", head["sha"], head["ref"], repository, number=pull["number"])


def _merge_group(payload: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    group = payload["merge_group"]
    branch = str(group["head_ref"]).removeprefix("refs/heads/")
    return _fields("merge_group", group["head_sha"], branch, payload["repository"]["full_name"])


def _workflow_run(payload: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Whatever `pull_requests` says: it is empty for forks, so the pull request is found by its head."""
    run = payload["workflow_run"]
    repository = (run["head_repository"] or {}).get("full_name", "")
    return _fields(run["event"], run["head_sha"], run["head_branch"] or "", repository)


def _push(payload: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    repository = payload["repository"]["full_name"]
    kind = environment["GITHUB_EVENT_NAME"]
    sha = payload["after"] if kind == "push" else environment.get("GITHUB_SHA", "")
    return _fields(kind, sha, environment.get("GITHUB_REF_NAME", ""), repository)


def _fields(kind: str, sha: str, branch: str, repository: str, *, number: int | None = None) -> dict[str, Any]:
    return {"kind": kind, "head_sha": sha, "head_branch": branch, "head_repository": repository, "pull_request": number}


def _checked(found: dict[str, Any], name: str, environment: Mapping[str, str]) -> Event:
    repository = environment.get("GITHUB_REPOSITORY", "")
    run_id, attempt = environment.get("GITHUB_RUN_ID", ""), environment.get("GITHUB_RUN_ATTEMPT", "1")
    forms = (
        ("GITHUB_REPOSITORY", repository, REPOSITORY, False),
        ("kind", found["kind"], re.compile(r"[a-z_]{1,50}"), False),
        ("head_sha", found["head_sha"], SHA, False),
        ("head_branch", found["head_branch"], BRANCH, True),
        ("head_repository", found["head_repository"], REPOSITORY, True),  # "" when the fork is gone
        ("GITHUB_RUN_ID", run_id, re.compile(r"[0-9]{1,18}"), False),
        ("GITHUB_RUN_ATTEMPT", attempt, re.compile(r"[0-9]{1,9}"), False),
    )
    for field, value, form, may_be_empty in forms:
        if not isinstance(value, str) or not (form.fullmatch(value) or (may_be_empty and value == "")):
            raise UsageError(f"{field} is {value!r}"[:200], where=f"the event {name}")
    number = found["pull_request"]
    if number is not None and (type(number) is not int or not 0 < number < 2**31):
        raise UsageError(f"the pull request's number is {number!r}"[:200], where=f"the event {name}")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    run_url = f"{server}/{repository}/actions/runs/{run_id}"
    return Event(**found, repository=repository, run_id=int(run_id), attempt=int(attempt), run_url=run_url)
