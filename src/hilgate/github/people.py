"""Who may write. Asked of GitHub each time: words in an event or a comment are no proof."""

from __future__ import annotations

import re
from urllib.parse import quote

from hilgate.github.client import Client
from hilgate.github.shape import shaped

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?")
WRITERS = frozenset({"admin", "write"})  # GitHub reports maintain as write, triage as read


def may_write(client: Client, login: str) -> bool:
    """Whether this user has write access to the repository. Raises RefusedError, GitHubError."""
    if not LOGIN.fullmatch(login):
        return False
    found = client.find(client.repo("collaborators", login, "permission"))
    if found is None:
        return False
    with shaped("a permission"):
        return str(found["permission"]) in WRITERS


def is_member(client: Client, organization: str, team: str, login: str) -> bool | None:
    """Whether a user is in a team; None when this token may not know (a workflow's own token never may)."""
    names = [quote(name, safe="") for name in (organization, team, login)]
    path = "/orgs/{}/teams/{}/memberships/{}".format(*names)
    answer = client.call("GET", path, allow=(403, 404))
    if answer.status in (403, 404):
        return None
    with shaped("a membership"):
        return bool(answer.json()["state"] == "active")
