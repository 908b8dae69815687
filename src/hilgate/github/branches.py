"""A branch that always holds one commit: what is written there is the present, and its past is of no use."""

from __future__ import annotations

from typing import Any

from hilgate.github.client import Client
from hilgate.github.shape import shaped


def replace_file(client: Client, branch: str, path: str, text: str, message: str) -> None:
    """Make `path` hold `text` on a branch of one parentless commit; other files there stay. Raises RefusedError.

    Two writers at once may lose one write, so this is for what is written again and again.
    """
    reference = client.find(client.repo("git", "ref") + f"/heads/{branch}")
    tree: dict[str, Any] = {"tree": [{"path": path, "mode": "100644", "type": "blob", "content": text}]}
    with shaped(f"the branch {branch}"):
        if reference is not None:
            tree["base_tree"] = client.get(client.repo("git", "commits", reference["object"]["sha"]))["tree"]["sha"]
        tree_sha = client.call("POST", client.repo("git", "trees"), tree, repeat=True).json()["sha"]
        commit = {"message": message, "tree": tree_sha, "parents": []}
        sha = client.call("POST", client.repo("git", "commits"), commit, repeat=True).json()["sha"]
    if reference is None:
        body = {"ref": f"refs/heads/{branch}", "sha": sha}
        client.call("POST", client.repo("git", "refs"), body, repeat=True, allow=(422,))  # 422: it is there by now
    client.call("PATCH", client.repo("git", "refs") + f"/heads/{branch}", {"sha": sha, "force": True})
