"""Workflow runs: when GitHub first and last saw a commit as a head, and who approved an environment."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.github.client import Client
from hilgate.github.pages import items
from hilgate.github.shape import shaped


@dataclass(frozen=True)
class Nod:
    """One decision about an environment of a run."""

    by: str
    by_person: bool
    state: str


def head_seen_at(client: Client, head_sha: str) -> str:
    """The latest moment at which a pull request's run began for this commit (GitHub's own clock), "" when none did."""
    query = {"head_sha": head_sha, "event": "pull_request"}
    moments = []
    for run in items(client, client.repo("actions", "runs"), query, key="workflow_runs"):
        with shaped("a list of workflow runs"):
            if run["head_sha"] == head_sha:
                moments.append(str(run["created_at"]))
    return max(moments, default="")


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
