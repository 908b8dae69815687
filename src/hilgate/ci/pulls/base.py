"""base: where a change left its base branch, and which run of main still keeps that commit's own build.

An artifact's name proves nothing: any workflow of a branch may make one. It counts when GitHub says that its run was
main.yml, pushed or started by hand, in this repository, of that very commit: then the commit itself, which lies on the
base branch, said what the run did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hilgate.ci.pulls.event import Event
from hilgate.ci.pulls.pending import KINDS, find_pull
from hilgate.errors import UsageError
from hilgate.github.access import SHA
from hilgate.github.client import Client
from hilgate.github.pages import items
from hilgate.github.shape import shaped

WORKFLOW = ".github/workflows/main.yml"
EVENTS = ("push", "workflow_dispatch")  # of both GitHub takes the workflow from the run's own commit
QUEUE = re.compile(r"gh-readonly-queue/(?P<base>.+)/pr-\d+-[0-9a-f]{40}")  # branch of a merge group
MOST_ARTIFACTS = 50


@dataclass(frozen=True)
class Base:
    """sha: the merge-base; ref: its branch; run_id: of main's run whose artifact holds its build, None: to be built."""

    sha: str
    ref: str
    run_id: int | None

    def as_outputs(self) -> dict[str, str]:
        return {"base_sha": self.sha, "base_ref": self.ref, "base_run": str(self.run_id or "")}


def find_base(client: Client, event: Event) -> Base | None:
    """The base of the event's head, None where nobody wants to merge it. Raises UsageError, GitHubError."""
    if event.kind not in KINDS:
        return None
    ref = _base_ref(client, event)
    if not ref:
        return None
    document = client.get(client.repo("compare", f"{ref}...{event.head_sha}"), {"per_page": 1})
    with shaped("a comparison of two commits"):
        sha = str(document["merge_base_commit"]["sha"])
    if not SHA.fullmatch(sha):
        raise UsageError(f"the merge-base is {sha[:50]!r}", where="GitHub's comparison")
    return Base(sha, ref, _run_of(client, sha))


def _base_ref(client: Client, event: Event) -> str:
    if event.kind == "merge_group":
        queue = QUEUE.fullmatch(event.head_branch)
        if queue is None:
            raise UsageError(f"{event.head_branch[:100]!r} is no branch of a merge queue", where="the event")
        return queue["base"]
    pull = find_pull(client, event)
    return pull.base_ref if pull else ""


def _run_of(client: Client, sha: str) -> int | None:
    name = f"hilgate-base-{sha}"
    found = items(client, client.repo("actions", "artifacts"), {"name": name}, key="artifacts")
    for artifact, _ in zip(found, range(MOST_ARTIFACTS), strict=False):
        with shaped("a list of artifacts"):
            run = artifact["workflow_run"] or {}
            usable = artifact["name"] == name and not artifact["expired"] and run.get("head_sha") == sha
        if usable and _is_mains(client, int(run["id"]), sha):
            return int(run["id"])
    return None


def _is_mains(client: Client, run_id: int, sha: str) -> bool:
    document = client.find(client.repo("actions", "runs", run_id))
    if document is None:
        return False
    with shaped("a workflow run"):
        facts = (document["event"] in EVENTS, str(document["path"]).partition("@")[0], document["head_sha"])
        ours = str((document["head_repository"] or {}).get("full_name", "")).lower()
    return facts == (True, WORKFLOW, sha) and ours == client.access.repository.lower()
