"""The repository's settings, and who is asking."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fake_github import documents
from fake_github.contract import document
from fake_github.routes import DOCS, NOT_FOUND, REPO, Answer
from fake_github.world import APPS, Actor, World

ENVIRONMENT = f"{REPO}/environments/{{environment_name}}"
UPGRADE: Answer = (403, {"message": "Upgrade to GitHub Pro or make this repository public to enable this feature."})
NO_PLAN = {"message": "Please ensure the billing plan supports the required reviewers protection rule."}


def is_admin(world: World, actor: Actor) -> bool:
    return not actor.app and world.people.get(actor.login) == "admin"


def refused(world: World, actor: Actor) -> Answer | None:
    """What everybody but an administrator hears."""
    return None if is_admin(world, actor) else (403, {"message": "Must have admin rights to Repository."})


def get_repo(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    known = documents.repository(world.repository)
    owner = {**known["owner"], "type": world.owner_kind}
    return 200, document(
        "full-repository",
        full_name=known["full_name"],
        name=known["name"],
        owner=owner,
        default_branch=world.default_branch,
    )


def get_user(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if actor.app:
        return 403, {"message": "Resource not accessible by integration"}
    return 200, documents.actor_user(actor)


def get_other_user(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if names["username"] not in world.people:
        return NOT_FOUND
    return 200, documents.actor_user(Actor(names["username"]))


def get_app(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    return (200, documents.app(names["app_slug"])) if names["app_slug"] in APPS else NOT_FOUND


def get_meta(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    meta = document("api-overview")
    return 200, {**meta, "installed_version": world.enterprise} if world.enterprise else meta


def get_label(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = world.labels.get(names["name"])
    return NOT_FOUND if found is None else (200, document("label", **found))


def create_label(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if world.people.get(actor.login) not in ("admin", "write"):
        return 403, {"message": "Resource not accessible by personal access token"}
    assert len(call.body["description"]) <= 100
    if call.body["name"] in world.labels:
        return 422, {"message": "Validation Failed", "errors": [{"code": "already_exists"}], "documentation_url": DOCS}
    world.labels[call.body["name"]] = call.body
    return 201, document("label", **call.body)


def get_workflow(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    return refused(world, actor) or (200, world.workflow)


def put_workflow(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    answer = refused(world, actor)
    if answer is None:
        world.workflow |= call.body
    return answer or (204, None)


def get_environment(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = world.environments.get(names["environment_name"])
    if found is None:
        return NOT_FOUND
    rules: list[dict[str, Any]] = []
    if found.get("reviewers"):
        people = [{"type": "User", "reviewer": documents.user(login)} for login in found["reviewers"]]
        rules.append({"id": 1, "node_id": "x", "type": "required_reviewers", "reviewers": people})
    if found.get("wait_timer"):
        rules.append({"id": 2, "node_id": "x", "type": "wait_timer", "wait_timer": found["wait_timer"]})
    policy = found.get("policy")
    if policy:
        rules.append({"id": 3, "node_id": "x", "type": "branch_policy"})
    name = names["environment_name"]
    return 200, document("environment", name=name, protection_rules=rules, deployment_branch_policy=policy)


def put_environment(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    answer = refused(world, actor)
    if answer:
        return answer
    if world.is_private and not world.is_paid:
        return 422, {**NO_PLAN, "documentation_url": DOCS}
    ids = {sum(map(ord, login)): login for login in world.people}
    known = world.environments.setdefault(names["environment_name"], {})
    known["reviewers"] = [ids[one["id"]] for one in call.body.get("reviewers") or []]  # what is not named goes
    known["wait_timer"] = call.body.get("wait_timer", 0)
    known["policy"] = call.body.get("deployment_branch_policy")
    if not (known["policy"] or {}).get("custom_branch_policies"):
        known.pop("branches", None)
    return get_environment(world, actor, names, call)


def list_policies(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = _branches(world, names)
    if found is None:
        return NOT_FOUND
    policies = [_policy(number, kind, name) for number, (kind, name) in found.items()]
    return 200, {"total_count": len(policies), "branch_policies": policies}


def create_policy(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    answer, found = refused(world, actor), _branches(world, names)
    if answer or found is None:
        return answer or NOT_FOUND
    wanted = (call.body.get("type", "branch"), call.body["name"])
    if wanted in found.values():
        return 303, None
    found[world.new_id()] = wanted
    return 200, _policy(world.next_id, *wanted)


def delete_policy(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    answer, found = refused(world, actor), _branches(world, names)
    if answer or found is None or int(names["branch_policy_id"]) not in found:
        return answer or NOT_FOUND
    del found[int(names["branch_policy_id"])]
    return 204, None


def _branches(world: World, names: dict[str, str]) -> dict[int, tuple[str, str]] | None:
    """Number -> (branch or tag, pattern); None where GitHub keeps no such list."""
    known = world.environments.get(names["environment_name"], {})
    return known.setdefault("branches", {}) if (known.get("policy") or {}).get("custom_branch_policies") else None


def _policy(number: int, kind: str, name: str) -> dict[str, Any]:
    return document("deployment-branch-policy", id=number, name=name, type=kind)


def list_environment_secrets(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    known = world.environments.get(names["environment_name"])
    return NOT_FOUND if known is None else _secrets(world, actor, known.get("secrets", []))


def list_rulesets(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if world.is_private and not world.is_paid:
        return UPGRADE
    return 200, [_ruleset(number, brief=True) | {"name": one["name"]} for number, one in world.rulesets.items()]


def _ruleset(number: int, brief: bool = False, **known: Any) -> dict[str, Any]:
    assert not (brief and known), "GitHub's list does not hold the rules"
    return document("repository-ruleset", id=number, **known)


def get_ruleset(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    number = int(names["ruleset_id"])
    return 200, _ruleset(number, **world.rulesets[number])


def create_ruleset(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    answer = refused(world, actor)
    if answer:
        return answer
    number = world.new_id()
    world.rulesets[number] = call.body
    return 201, _ruleset(number, **call.body)


def update_ruleset(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    answer = refused(world, actor)
    if answer:
        return answer
    world.rulesets[int(names["ruleset_id"])] |= call.body
    return get_ruleset(world, actor, names, call)


def get_variable(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    value = world.variables.get(names["name"])
    return NOT_FOUND if value is None else (200, document("actions-variable", name=names["name"], value=value))


def create_variable(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    world.variables[call.body["name"]] = call.body["value"]
    return 201, {}


def update_variable(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    world.variables[names["name"]] = call.body["value"]
    return 204, None


def list_secrets(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    return _secrets(world, actor, world.secrets)


def list_organization_secrets(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    assert world.owner_kind == "Organization"
    return _secrets(world, actor, world.organization_secrets)


def _secrets(world: World, actor: Actor, names: Iterable[str]) -> Answer:
    found = [document("actions-secret", name=name) for name in names]
    return refused(world, actor) or (200, {"total_count": len(found), "secrets": found})


def get_pages(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    return NOT_FOUND if world.pages is None else (200, document("page", **world.pages))


def put_pages(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    answer = refused(world, actor)
    if answer:
        return answer
    if call.method == "POST" and world.pages is not None:
        return 409, {"message": "GitHub Pages is already enabled.", "documentation_url": DOCS}
    world.pages = dict(call.body)
    return (201, document("page", **world.pages)) if call.method == "POST" else (204, None)


HANDLERS = {
    ("GET", REPO): get_repo,
    ("GET", "/user"): get_user,
    ("GET", "/users/{username}"): get_other_user,
    ("GET", "/apps/{app_slug}"): get_app,
    ("GET", "/meta"): get_meta,
    ("GET", f"{REPO}/labels/{{name}}"): get_label,
    ("POST", f"{REPO}/labels"): create_label,
    ("GET", f"{REPO}/actions/permissions/workflow"): get_workflow,
    ("PUT", f"{REPO}/actions/permissions/workflow"): put_workflow,
    ("GET", ENVIRONMENT): get_environment,
    ("PUT", ENVIRONMENT): put_environment,
    ("GET", f"{ENVIRONMENT}/deployment-branch-policies"): list_policies,
    ("POST", f"{ENVIRONMENT}/deployment-branch-policies"): create_policy,
    ("DELETE", f"{ENVIRONMENT}/deployment-branch-policies/{{branch_policy_id}}"): delete_policy,
    ("GET", f"{ENVIRONMENT}/secrets"): list_environment_secrets,
    ("GET", f"{REPO}/rulesets"): list_rulesets,
    ("POST", f"{REPO}/rulesets"): create_ruleset,
    ("GET", f"{REPO}/rulesets/{{ruleset_id}}"): get_ruleset,
    ("PUT", f"{REPO}/rulesets/{{ruleset_id}}"): update_ruleset,
    ("GET", f"{REPO}/actions/variables/{{name}}"): get_variable,
    ("POST", f"{REPO}/actions/variables"): create_variable,
    ("PATCH", f"{REPO}/actions/variables/{{name}}"): update_variable,
    ("GET", f"{REPO}/actions/secrets"): list_secrets,
    ("GET", f"{REPO}/actions/organization-secrets"): list_organization_secrets,
    ("GET", f"{REPO}/pages"): get_pages,
    ("POST", f"{REPO}/pages"): put_pages,
    ("PUT", f"{REPO}/pages"): put_pages,
}
