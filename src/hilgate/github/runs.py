"""Workflow runs: which commits GitHub saw as heads and when, and who approved an environment."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.github.client import Client
from hilgate.github.pages import PER_PAGE
from hilgate.github.shape import shaped


@dataclass(frozen=True)
class Nod:
    """One decision about an environment of a run."""

    by: str
    by_person: bool
    state: str


@dataclass(frozen=True)
class Head:
    """A commit that was the head of a pull request's branch when a run began. began_at: GitHub's time as its text."""

    sha: str
    began_at: str


def heads_of_branch(client: Client, repository: str, branch: str) -> list[Head]:
    """Heads of a branch (here or in a fork) by the pull request runs that GitHub began for it, newest first."""
    query = {"event": "pull_request", "branch": branch, "per_page": str(PER_PAGE)}
    with shaped("a list of workflow runs"):
        runs = client.get(client.repo("actions", "runs"), query)["workflow_runs"]
        found = [
            Head(str(run["head_sha"]), str(run["created_at"]))
            for run in runs
            if str((run["head_repository"] or {}).get("full_name", "")).lower() == repository.lower()
            and run["head_branch"] == branch
        ]
    return sorted(found, key=lambda head: head.began_at, reverse=True)


def environment_nods(client: Client, run_id: int, environment: str) -> list[Nod]:
    """Decisions by people about one environment of a run; none where the environment has no required reviewers."""
    found = []
    for document in client.get(client.repo("actions", "runs", run_id, "approvals")) or []:
        with shaped("a list of approvals"):
            names = {str(item["name"]) for item in document["environments"]}
            user = document["user"] or {}
            if environment in names:
                found.append(Nod(str(user.get("login", "ghost")), user.get("type") == "User", str(document["state"])))
    return found
