"""The ruleset that requires the check `hilgate` on the default branch, posted by the right app and no other.

Without the app's id any app, and so any workflow of a branch, could post a check of that name.
"""

from __future__ import annotations

from typing import Any

from hilgate.errors import GitHubError
from hilgate.github.access import WORKFLOW_APP
from hilgate.github.checks import NAME
from hilgate.github.client import Client
from hilgate.github.once import create_once
from hilgate.github.pages import items
from hilgate.github.settings.setting import Setting, Wanted
from hilgate.github.shape import shaped


def setting(client: Client, wanted: Wanted, command: str) -> Setting:
    return Setting(
        f"ruleset {NAME}",
        lambda client: _look(client, wanted),
        command,
        lambda client: _mend(client, wanted),
        without="no check can be required, so people must look at it before they merge",
    )


def wanted_ruleset(app_id: int) -> dict[str, Any]:
    """As GitHub's interface takes it."""
    check = {"context": NAME, "integration_id": app_id}
    parameters = {
        "required_status_checks": [check],
        "strict_required_status_checks_policy": False,  # a merge queue tests the merge itself; else rebase by taste
        "do_not_enforce_on_create": True,
    }
    return {
        "name": NAME,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "required_status_checks", "parameters": parameters}],
    }


def app_id(client: Client, slug: str) -> int:
    """Number of the app whose check counts. Raises GitHubError where GitHub knows no such app."""
    document = client.find(f"/apps/{slug or WORKFLOW_APP}")
    if document is None:
        hint = "the name in the App's address, as in https://github.com/apps/NAME; and the App must not be private"
        raise GitHubError(f"GitHub knows no App {slug[:100]!r}", where="--app", hint=hint)
    with shaped("an app"):
        return int(document["id"])


def _look(client: Client, wanted: Wanted) -> str:
    found = _find(client)
    if found is None:
        return f"nothing requires the check `{NAME}`: a pull request merges whatever it says"
    with shaped("a ruleset"):
        if found["enforcement"] != "active":
            return f"it is {found['enforcement']}, so it holds nothing back"
        if "~DEFAULT_BRANCH" not in found["conditions"]["ref_name"]["include"]:
            return "it is not for the default branch"
        rules = [rule for rule in found["rules"] if rule["type"] == "required_status_checks"]
        checks = [check for rule in rules for check in rule["parameters"]["required_status_checks"]]
        mine = [check.get("integration_id") for check in checks if check["context"] == NAME]
    if not mine:
        return f"it does not require the check `{NAME}`"
    if app_id(client, wanted.app_slug) not in mine:
        return f"the check counts whoever posts it, or of another app than {wanted.app_slug or WORKFLOW_APP}"
    return ""


def _find(client: Client) -> dict[str, Any] | None:
    for ruleset in items(client, client.repo("rulesets"), {"includes_parents": "false"}):
        if ruleset.get("name") == NAME:
            document: dict[str, Any] = client.get(client.repo("rulesets", int(ruleset["id"])))
            return document
    return None


def _mend(client: Client, wanted: Wanted) -> None:
    """Make it, or put back what was changed; who may bypass it and further rules in it stay."""
    target = wanted_ruleset(app_id(client, wanted.app_slug))
    found = _find(client)
    if found is None:
        path = client.repo("rulesets")
        create_once(client, lambda: _find(client), lambda: dict(client.call("POST", path, target).json()))
        return
    others = [rule for rule in found.get("rules", []) if rule["type"] != "required_status_checks"]
    checks = [check for check in _checks(found) if check["context"] != NAME]
    target["rules"][0]["parameters"]["required_status_checks"] += checks
    body = {**target, "rules": [*target["rules"], *others]}
    client.call("PUT", client.repo("rulesets", int(found["id"])), body)


def _checks(ruleset: dict[str, Any]) -> list[dict[str, Any]]:
    rules = [rule for rule in ruleset.get("rules", []) if rule["type"] == "required_status_checks"]
    return [check for rule in rules for check in rule["parameters"]["required_status_checks"]]
