"""The environment that holds the App's key: only runs of the default branch can read it, and the verdict is one.

A secret of the repository is read by a workflow of any branch of it.
"""

from __future__ import annotations

from typing import Any

from hilgate.github.client import Client
from hilgate.github.once import create_once
from hilgate.github.pages import items
from hilgate.github.settings import plan
from hilgate.github.settings.setting import Setting, Wanted
from hilgate.github.shape import shaped

NAME = "hilgate-post"
ONLY_NAMED = {"protected_branches": False, "custom_branch_policies": True}
POLICIES = "deployment-branch-policies"


def setting(client: Client, wanted: Wanted, command: str, default_branch: str) -> Setting:
    """default_branch: the only one that is let in."""
    return Setting(
        f"environment {NAME}",
        lambda client: _look(client, default_branch),
        command,
        lambda client: _mend(client, default_branch),
        without="an App's key has to be a secret of the repository, which a workflow of any branch here can read",
    )


def find(client: Client) -> dict[str, Any] | None:
    """GitHub makes one without any rule when a job names it, so that it is there says nothing."""
    document: dict[str, Any] | None = client.find(client.repo("environments", NAME))
    return document


def _look(client: Client, default_branch: str) -> str:
    why = _wrong(client, default_branch)
    if why and (lacking := plan.refusal(client)):
        raise lacking
    return why


def _wrong(client: Client, default_branch: str) -> str:
    found = find(client)
    if found is None:
        return "there is no such environment"
    if not _is_closed(found):
        return "it lets other branches in, whose workflows can read the App's key"
    policies = _policies(client)
    strangers = [f"{kind} {name}"[:100] for kind, name in policies if (kind, name) != ("branch", default_branch)]
    if strangers:
        return f"it lets in more than {default_branch}: {', '.join(sorted(strangers))[:300]}"
    return "" if policies else f"it lets nothing in, not even {default_branch}, so no verdict can be posted"


def _is_closed(environment: dict[str, Any]) -> bool:
    """Whether only branches that are named may use it."""
    with shaped("an environment"):
        policy = environment.get("deployment_branch_policy") or {}
        return {name: policy.get(name) for name in ONLY_NAMED} == ONLY_NAMED


def _policies(client: Client) -> dict[tuple[str, str], int]:
    """(branch or tag, pattern) -> number."""
    found = items(client, client.repo("environments", NAME, POLICIES), key="branch_policies")
    with shaped("a list of branch policies"):
        return {(str(one.get("type") or "branch"), str(one["name"])): int(one["id"]) for one in found}


def _mend(client: Client, default_branch: str) -> None:
    """Close it, then let the default branch in, then everybody else out; reviewers and a wait that are there stay."""
    found = find(client)
    if found is None or not _is_closed(found):
        body = {**_kept(found or {}), "deployment_branch_policy": ONLY_NAMED}
        client.call("PUT", client.repo("environments", NAME), body)
    wanted, path = ("branch", default_branch), client.repo("environments", NAME, POLICIES)
    body = {"name": default_branch, "type": "branch"}

    def let_in() -> dict[str, Any]:
        client.call("POST", path, body)  # answers 303, without a document, where it is there
        return body

    create_once(client, lambda: body if wanted in _policies(client) else None, let_in)
    for key, number in _policies(client).items():
        if key != wanted:
            client.call("DELETE", client.repo("environments", NAME, POLICIES, number), allow=(404,))


def _kept(environment: dict[str, Any]) -> dict[str, Any]:
    """What a PUT would take away by not naming it."""
    body: dict[str, Any] = {}
    with shaped("an environment"):
        for rule in environment.get("protection_rules", []):
            if rule["type"] == "wait_timer":
                body["wait_timer"] = int(rule["wait_timer"])
            if rule["type"] == "required_reviewers":
                people = [{"type": one["type"], "id": int(one["reviewer"]["id"])} for one in rule["reviewers"]]
                body |= {"reviewers": people, "prevent_self_review": bool(rule.get("prevent_self_review"))}
    return body
