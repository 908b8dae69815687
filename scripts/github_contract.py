#!/usr/bin/env python3
"""Renew tests/github/contract/: what GitHub itself says about the few calls and events that hilgate uses.

Sources: the packages @octokit/openapi and @octokit/webhooks-schemas, whose names, versions and SHA-256 stand in the
files written. Both are fetched by `npm pack`, or taken unpacked from a folder (--openapi FOLDER, --webhooks FOLDER).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "tests" / "github" / "contract"
SOURCES = {  # package -> version, file inside, what is written
    "@octokit/openapi": ("23.0.2", "generated/api.github.com.json", "api.json"),
    "@octokit/webhooks-schemas": ("7.6.1", "schema.json", "events.json"),
}
REPO = "/repos/{owner}/{repo}"
CALLS = {
    "/apps/{app_slug}": "get",
    "/meta": "get",
    "/user": "get",
    "/users/{username}": "get",
    "/orgs/{org}/teams/{team_slug}/memberships/{username}": "get",
    REPO: "get",
    f"{REPO}/actions/artifacts": "get",
    f"{REPO}/actions/organization-secrets": "get",
    f"{REPO}/actions/permissions/workflow": "get put",
    f"{REPO}/actions/runs": "get",
    f"{REPO}/actions/runs/{{run_id}}": "get",
    f"{REPO}/actions/runs/{{run_id}}/approvals": "get",
    f"{REPO}/actions/runs/{{run_id}}/rerun": "post",
    f"{REPO}/actions/secrets": "get",
    f"{REPO}/actions/variables": "post",
    f"{REPO}/actions/variables/{{name}}": "get patch",
    f"{REPO}/actions/workflows/{{workflow_id}}/runs": "get",
    f"{REPO}/check-runs": "post",
    f"{REPO}/check-runs/{{check_run_id}}": "patch",
    f"{REPO}/check-runs/{{check_run_id}}/annotations": "get",
    f"{REPO}/collaborators/{{username}}/permission": "get",
    f"{REPO}/commits/{{commit_sha}}/pulls": "get",
    f"{REPO}/commits/{{ref}}/check-runs": "get",
    f"{REPO}/compare/{{basehead}}": "get",
    f"{REPO}/contents/{{path}}": "get",
    f"{REPO}/environments/{{environment_name}}": "get put",
    f"{REPO}/environments/{{environment_name}}/deployment-branch-policies": "get post",
    f"{REPO}/environments/{{environment_name}}/deployment-branch-policies/{{branch_policy_id}}": "delete",
    f"{REPO}/environments/{{environment_name}}/secrets": "get",
    f"{REPO}/git/commits": "post",
    f"{REPO}/git/commits/{{commit_sha}}": "get",
    f"{REPO}/git/ref/{{ref}}": "get",
    f"{REPO}/git/refs": "post",
    f"{REPO}/git/refs/{{ref}}": "patch",
    f"{REPO}/git/trees": "post",
    f"{REPO}/issues/comments/{{comment_id}}": "patch delete",
    f"{REPO}/issues/{{issue_number}}/comments": "get post",
    f"{REPO}/issues/{{issue_number}}/timeline": "get",
    f"{REPO}/labels": "post",
    f"{REPO}/labels/{{name}}": "get",
    f"{REPO}/pages": "get post put",
    f"{REPO}/pulls": "get",
    f"{REPO}/pulls/{{pull_number}}": "get",
    f"{REPO}/pulls/{{pull_number}}/reviews": "get",
    f"{REPO}/rulesets": "get post",
    f"{REPO}/rulesets/{{ruleset_id}}": "get put",
    f"{REPO}/statuses/{{sha}}": "post",
}
EVENTS = (
    "issue_comment$created",
    "merge_group$checks_requested",
    "pull_request$opened",
    "pull_request$synchronize",
    "push$event",
    "workflow_run$completed",
    "workflow_run$requested",
)
PROSE = ("description", "summary", "externalDocs", "title", "operationId", "tags", "x-github", "x-octokit")
EXAMPLES = ("example", "examples")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--openapi", type=Path)
    parser.add_argument("--webhooks", type=Path)
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for (package, (version, member, name)), given, extract in zip(
            SOURCES.items(), (options.openapi, options.webhooks), (calls, events), strict=True
        ):
            folder = given or fetched(package, version, Path(scratch) / name)
            content = (folder / member).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            source = {"package": package, "version": version, "file": member, "sha256": digest}
            document = {"x-source": source, **extract(json.loads(content), folder)}
            path = OUT / name
            path.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n", "utf-8")
            print(f"{path.name}: {path.stat().st_size:,} bytes, from {package} {version}")


def fetched(package: str, version: str, folder: Path) -> Path:
    """An unpacked package, as the registry that npm is set up for has it."""
    folder.mkdir()
    command = ["npm", "pack", "--silent", f"{package}@{version}"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.tgz"))) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def calls(source: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The OpenAPI description of CALLS and nothing else; x-enterprise: which of them a version of the Server lacks."""
    paths = {}
    for path, methods in CALLS.items():
        item = source["paths"][path]
        kept = {"parameters": item["parameters"]} if "parameters" in item else {}
        paths[path] = {**kept, **{method: item[method] for method in methods.split()}}
    document = {"openapi": source["openapi"], "info": source["info"], "servers": source["servers"]}
    document["info"] = {"title": "GitHub's REST interface, extract", "version": source["info"]["version"]}
    document["paths"] = lean(paths)
    document["components"] = referenced(document["paths"], source, "components")
    document["x-enterprise"] = {}
    for path in sorted((folder / "generated").glob("ghes-*.json")):
        if not path.name.endswith(".deref.json"):
            version = path.stem.removeprefix("ghes-")
            document["x-enterprise"][version] = lacking(json.loads(path.read_bytes())["paths"])
    return document


def lacking(paths: dict[str, Any]) -> list[str]:
    """Which of CALLS are not there."""
    wanted = [(method, path) for path, methods in CALLS.items() for method in methods.split()]
    return [f"{method.upper()} {path}" for method, path in wanted if method not in paths.get(path, {})]


def events(source: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The JSON schemas of EVENTS and nothing else."""
    wanted = {name: {"$ref": f"#/definitions/{name}"} for name in EVENTS}
    found = referenced(wanted, source, "definitions")
    return {"$schema": source["$schema"], "definitions": found}


def referenced(start: Any, source: dict[str, Any], top: str) -> dict[str, Any]:
    """Whatever `start` refers to, and what that refers to."""
    found: dict[str, Any] = {}
    waiting = [start]
    while waiting:
        for reference in re.findall(rf'"\$ref":"#/{top}/([^"]+)"', json.dumps(waiting.pop(), separators=(",", ":"))):
            node: Any = source[top]
            place = found
            *parents, name = reference.split("/")
            for parent in parents:
                node, place = node[parent], place.setdefault(parent, {})
            if name not in place:
                place[name] = lean(node[name])
                waiting.append(place[name])
    return found


def lean(node: Any, names: bool = False) -> Any:
    """Without prose and examples, which nobody checks. names: the keys of this mapping are names, not keywords."""
    if isinstance(node, list):
        return [lean(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if not names and (key in (*PROSE, *EXAMPLES) and not (key == "description" and "content" in node)):
            continue
        is_names = not names and key in ("properties", "schemas", "responses", "definitions", "patternProperties")
        kept[key] = lean(value, is_names)
    return kept


if __name__ == "__main__":
    main()
