"""Commits that part, runs, and the artifacts that runs keep."""

from __future__ import annotations

from typing import Any

from fake_github import documents
from fake_github.contract import document
from fake_github.routes import NOT_FOUND, REPO, Answer, may, needs
from fake_github.world import Actor, World


def compare(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    """By what the world knows as `git`: "base...head" -> SHA of the merge-base."""
    found = world.git.get(names["basehead"])
    if found is None:
        return NOT_FOUND
    base = document("commit", sha=found)
    return 200, document("commit-comparison", merge_base_commit=base, base_commit=base, commits=[], files=[])


def list_artifacts(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    """Artifacts hang on runs: run["artifacts"] is {name: expired}."""
    if not may(actor, "actions: read"):
        return needs("actions: read")
    found = []
    for run in world.runs:
        for name, expired in run.get("artifacts", {}).items():
            if call.query.get("name", name) == name:
                about = {"id": run["id"], "head_sha": run["head_sha"], "head_branch": run["head_branch"]}
                found.append(document("artifact", name=name, expired=expired, workflow_run=about))
    return 200, {"total_count": len(found), "artifacts": found}


def get_run(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    run = next((run for run in world.runs if run["id"] == int(names["run_id"])), None)
    return NOT_FOUND if run is None else (200, documents.run({k: v for k, v in run.items() if k != "artifacts"}))


HANDLERS = {
    ("GET", f"{REPO}/compare/{{basehead}}"): compare,
    ("GET", f"{REPO}/actions/artifacts"): list_artifacts,
    ("GET", f"{REPO}/actions/runs/{{run_id}}"): get_run,
}
