"""Pull requests, comments, checks, people, files: what the fake does when it is asked."""

from __future__ import annotations

from typing import Any

from fake_github import documents
from fake_github.contract import document
from fake_github.world import Actor, World

Answer = tuple[int, Any]
REPO = "/repos/{owner}/{repo}"
DOCS = "https://docs.github.com/rest"
NOT_FOUND: Answer = (
    404,
    {"message": "Not Found", "documentation_url": DOCS, "status": "404"},
)
LONGEST = 65_536


def needs(permission: str) -> Answer:
    """GitHub's refusal for a token without a permission."""
    return 403, {
        "message": "Resource not accessible by integration",
        "needs": permission.replace(": ", "=").replace("-", "_"),
    }


def may(actor: Actor, permission: str) -> bool:
    return not actor.app or permission in actor.may


def get_pull(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    number = int(names["pull_number"])
    return (200, documents.pull(world, number)) if number in world.pulls else NOT_FOUND


def list_pulls(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    wanted = call.query.get("state", "open")
    found = [n for n, pull in world.pulls.items() if wanted in ("all", pull["state"])]
    return 200, [documents.pull(world, number, simple=True) for number in reversed(found)]


def commit_pulls(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    """Knows only commits that lie in this repository, as GitHub does."""
    sha = names["commit_sha"]
    found = [n for n, pull in world.pulls.items() if pull["head_sha"] == sha and not pull.get("unknown_here")]
    return 200, [documents.pull(world, number, simple=True) for number in found]


def list_comments(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    number = int(names["issue_number"])
    return 200, [documents.comment(item) for item in world.comments if item["number"] == number]


def create_comment(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    number = int(names["issue_number"])
    if not may(actor, "pull_requests: write"):
        return needs("pull_requests: write")
    if number not in world.pulls:
        return NOT_FOUND
    if world.pulls[number].get("locked"):
        return 403, {"message": "Unable to create comment because issue is locked."}
    return 201, documents.comment(add_comment(world, number, actor.login, call.body["body"], actor.kind))


def add_comment(world: World, number: int, login: str, body: str, kind: str = "User", **fields: Any) -> dict[str, Any]:
    """As if somebody had written it."""
    assert len(body) <= LONGEST, "Body is too long (maximum is 65536 characters)"
    now = world.clock.text()
    made = {"id": world.new_id(), "number": number, "login": login, "kind": kind, "body": body}
    world.comments.append({**made, "created_at": now, "updated_at": now, **fields})
    return world.comments[-1]


def edit_comment(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = [item for item in world.comments if item["id"] == int(names["comment_id"])]
    if not found:
        return NOT_FOUND
    if not may(actor, "pull_requests: write"):
        return needs("pull_requests: write")
    assert len(call.body["body"]) <= LONGEST
    found[0] |= {"body": call.body["body"], "updated_at": world.clock.text()}
    return 200, documents.comment(found[0])


def delete_comment(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    kept = [item for item in world.comments if item["id"] != int(names["comment_id"])]
    if len(kept) == len(world.comments):
        return NOT_FOUND
    world.comments[:] = kept
    return 204, None


def list_checks(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = [item for item in world.checks if item["head_sha"] == names["ref"]]
    found = [item for item in found if item["name"] == call.query.get("check_name", item["name"])]
    return 200, {"total_count": len(found), "check_runs": [documents.check(item) for item in found]}


def create_check(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if not actor.app:
        return 403, {"message": "You must authenticate via a GitHub App."}
    if not may(actor, "checks: write"):
        return needs("checks: write")
    check = {"id": world.new_id(), "app": actor.app, "annotations": [], "output": {}, "status": "queued"}
    check |= {"conclusion": None, "completed_at": None, "external_id": ""}
    world.checks.append(check)
    return 201, _write_check(check, call.body)


def update_check(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    check = next((item for item in world.checks if item["id"] == int(names["check_run_id"])), None)
    if check is None:
        return NOT_FOUND
    if check["app"] != actor.app:
        return 403, {"message": "Invalid app_id - check run can only be modified by the GitHub App that created it."}
    return 200, _write_check(check, call.body)


def _write_check(check: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    output = body.get("output", {})
    added = output.get("annotations", [])
    assert len(added) <= 50, "at most 50 annotations per call"
    assert len(output.get("summary", "")) <= 65_535
    check |= {key: value for key, value in body.items() if key != "output"}
    check["annotations"] = [*check["annotations"], *added]  # GitHub appends
    check["output"] = {**check["output"], **{key: value for key, value in output.items() if key != "annotations"}}
    if body.get("conclusion"):
        check["status"] = "completed"
    elif body.get("status") == "in_progress":
        check["conclusion"] = None
    return documents.check(check)


def list_annotations(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    check = next(item for item in world.checks if item["id"] == int(names["check_run_id"]))
    return 200, [document("check-annotation", **item) for item in check["annotations"]]


def create_status(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if not may(actor, "statuses: write"):
        return needs("statuses: write")
    assert len(call.body["description"]) <= 140
    world.statuses.append({"sha": names["sha"], **call.body})
    return 201, document("status", context=call.body["context"], state=call.body["state"], creator=documents.user("x"))


def get_permission(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    level = world.people.get(names["username"])
    if level is None:
        return NOT_FOUND
    return 200, document("repository-collaborator-permission", permission=level, role_name=level, user=None)


def get_membership(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if not may(actor, "members: read"):
        return needs("members: read")
    members = world.teams.get(f"{names['org']}/{names['team_slug']}", set())
    if names["username"] not in members:
        return NOT_FOUND
    return 200, document("team-membership", state="active", role="member")


def get_timeline(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    return 200, [documents.event(item) for item in world.timeline.get(int(names["issue_number"]), [])]


def list_reviews(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = world.reviews.get(int(names["pull_number"]), [])
    return 200, [
        document("pull-request-review", state=item["state"], commit_id=item["commit"], user=documents.user(item["by"]))
        for item in found
    ]


def list_runs(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = [r for r in world.runs if call.query.get("branch", r["head_branch"]) == r["head_branch"]]
    found = [r for r in found if call.query.get("event", r["event"]) == r["event"]]
    newest = sorted(found, key=lambda item: item["created_at"], reverse=True)
    return 200, {"total_count": len(newest), "workflow_runs": [documents.run(item) for item in newest]}


def list_workflow_runs(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    """Runs of one workflow file, by the field `workflow` of what the world knows."""
    found = [run for run in world.runs if run.get("workflow") == names["workflow_id"]]
    found = [run for run in found if call.query.get("event", run["event"]) == run["event"]]
    return 200, {"total_count": len(found), "workflow_runs": [documents.run(run) for run in reversed(found)]}


def rerun(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    if not may(actor, "actions: write"):
        return needs("actions: write")
    run = next((run for run in world.runs if run["id"] == int(names["run_id"])), None)
    if run is None:
        return NOT_FOUND
    assert run["status"] == "completed", "The workflow run is already running"
    run |= {"status": "queued", "run_attempt": run.get("run_attempt", 1) + 1}
    return 201, {}


def list_approvals(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    found = world.approvals.get(int(names["run_id"]), [])
    return 200, [
        document(
            "environment-approvals",
            state=item["state"],
            user=documents.user(item["by"]),
            environments=[{"name": item["environment"]}],
        )
        for item in found
    ]


HANDLERS = {
    ("GET", f"{REPO}/pulls/{{pull_number}}"): get_pull,
    ("GET", f"{REPO}/pulls"): list_pulls,
    ("GET", f"{REPO}/commits/{{commit_sha}}/pulls"): commit_pulls,
    ("GET", f"{REPO}/issues/{{issue_number}}/comments"): list_comments,
    ("POST", f"{REPO}/issues/{{issue_number}}/comments"): create_comment,
    ("PATCH", f"{REPO}/issues/comments/{{comment_id}}"): edit_comment,
    ("DELETE", f"{REPO}/issues/comments/{{comment_id}}"): delete_comment,
    ("GET", f"{REPO}/commits/{{ref}}/check-runs"): list_checks,
    ("POST", f"{REPO}/check-runs"): create_check,
    ("PATCH", f"{REPO}/check-runs/{{check_run_id}}"): update_check,
    ("GET", f"{REPO}/check-runs/{{check_run_id}}/annotations"): list_annotations,
    ("POST", f"{REPO}/statuses/{{sha}}"): create_status,
    ("GET", f"{REPO}/collaborators/{{username}}/permission"): get_permission,
    ("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}"): get_membership,
    ("GET", f"{REPO}/issues/{{issue_number}}/timeline"): get_timeline,
    ("GET", f"{REPO}/pulls/{{pull_number}}/reviews"): list_reviews,
    ("GET", f"{REPO}/actions/runs"): list_runs,
    ("GET", f"{REPO}/actions/runs/{{run_id}}/approvals"): list_approvals,
    ("POST", f"{REPO}/actions/runs/{{run_id}}/rerun"): rerun,
    ("GET", f"{REPO}/actions/workflows/{{workflow_id}}/runs"): list_workflow_runs,
}
