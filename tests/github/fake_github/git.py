"""Files, branches, trees and commits."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fake_github import documents
from fake_github.contract import document
from fake_github.routes import DOCS, NOT_FOUND, REPO, Answer
from fake_github.world import Actor, World


def get_file(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    revision = call.query.get("ref", "main")
    content = world.files.get((revision, names["path"]))
    if f"heads/{revision}" in world.refs:
        tree = world.git[world.git[world.refs[f"heads/{revision}"]]["tree"]]
        content = tree[names["path"]].encode() if names["path"] in tree else None
    return NOT_FOUND if content is None else (200, documents.file(names["path"], content))


def get_ref(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    sha = world.refs.get(names["ref"])
    return NOT_FOUND if sha is None else (200, _ref(names["ref"], sha))


def _ref(name: str, sha: str) -> dict[str, Any]:
    target = {"type": "commit", "sha": sha, "url": "https://github.com/x"}
    return document("git-ref", ref=f"refs/{name}", object=target)


def get_commit(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    return 200, _commit(names["commit_sha"], world.git[names["commit_sha"]])


def _commit(sha: str, known: dict[str, Any]) -> dict[str, Any]:
    tree = {"sha": known["tree"], "url": "https://github.com/x"}
    return document("git-commit", sha=sha, tree=tree, message=known["message"], parents=[])


def _store(world: World, thing: Any) -> str:
    sha = hashlib.sha1(json.dumps(thing, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    world.git[sha] = thing
    return sha


def create_tree(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    files = dict(world.git[call.body["base_tree"]]) if "base_tree" in call.body else {}
    files |= {entry["path"]: entry["content"] for entry in call.body["tree"]}
    return 201, document("git-tree", sha=_store(world, files), tree=[], truncated=False)


def create_commit(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    known = {"tree": call.body["tree"], "message": call.body["message"], "parents": call.body["parents"]}
    return 201, _commit(_store(world, {**known, "at": world.clock.now()}), known)


def create_ref(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    name = call.body["ref"].removeprefix("refs/")
    if name in world.refs:
        return 422, {"message": "Reference already exists", "documentation_url": DOCS}
    world.refs[name] = call.body["sha"]
    return 201, _ref(name, call.body["sha"])


def update_ref(world: World, actor: Actor, names: dict[str, str], call: Any) -> Answer:
    assert call.body["force"], "a parentless commit replaces the branch only by force"
    world.refs[names["ref"]] = call.body["sha"]
    return 200, _ref(names["ref"], call.body["sha"])


HANDLERS = {
    ("GET", f"{REPO}/contents/{{path}}"): get_file,
    ("GET", f"{REPO}/git/ref/{{ref}}"): get_ref,
    ("GET", f"{REPO}/git/commits/{{commit_sha}}"): get_commit,
    ("POST", f"{REPO}/git/trees"): create_tree,
    ("POST", f"{REPO}/git/commits"): create_commit,
    ("POST", f"{REPO}/git/refs"): create_ref,
    ("PATCH", f"{REPO}/git/refs/{{ref}}"): update_ref,
}
