"""What a workflow's own token may do where a workflow does not say it: read, and approve nothing."""

from __future__ import annotations

from hilgate.github.client import Client
from hilgate.github.settings.setting import Setting, Wanted
from hilgate.github.shape import shaped

BODY = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False}


def setting(client: Client, wanted: Wanted, command: str) -> Setting:
    return Setting("workflow permissions", _look, command, _mend)


def _look(client: Client) -> str:
    with shaped("workflow permissions"):
        found = client.get(client.repo("actions", "permissions", "workflow"))
        wrong = [name for name, value in BODY.items() if found[name] != value]
    words = {
        "default_workflow_permissions": "a workflow that does not say what it needs may write",
        "can_approve_pull_request_reviews": "workflows may approve pull requests",
    }
    return "; ".join(words[name] for name in wrong)


def _mend(client: Client) -> None:
    client.call("PUT", client.repo("actions", "permissions", "workflow"), BODY)
