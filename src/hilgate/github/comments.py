"""One sticky comment per pull request: found by author and marker, edited in place, never a second one."""

from __future__ import annotations

from typing import Any

from hilgate.errors import GitHubError
from hilgate.github.client import Client
from hilgate.github.once import create_once
from hilgate.github.pages import items
from hilgate.github.refusal import RefusedError
from hilgate.github.shape import shaped
from hilgate.github.stamp import Stamp, stamp_in

MARKER = "<!-- hilgate:verdict -->"
LONGEST = 65_536  # GitHub refuses more characters; ours are counted as UTF-8 bytes, which are never fewer


def marked(body: str, stamp: Stamp) -> str:
    """The text with the two lines that find it again. Raises GitHubError when GitHub would refuse its length."""
    text = "\n".join([MARKER, body.removeprefix(MARKER).strip("\n"), "", stamp.line()])
    if len(text.encode()) > LONGEST:
        raise GitHubError(f"a comment of {len(text.encode())} bytes, GitHub takes {LONGEST}", where="comment")
    return text


def stick(client: Client, number: int, body: str, stamp: Stamp) -> str:
    """Write the comment: made, edited, unchanged or outdated (a newer run was here).

    Raises RefusedError, GitHubError.
    """
    text = marked(body, stamp)
    login = client.access.login or _own_login(client)
    mine = _mine(client, number, login)
    path = client.repo("issues", number, "comments")

    def find() -> dict[str, Any] | None:
        return next(iter(_mine(client, number, login)), None)

    def create() -> dict[str, Any]:
        return _document(client.call("POST", path, {"body": text}).json())

    if mine:
        told = _settle(client, mine, text, stamp)
    else:
        made, _ = create_once(client, find, create)
        with shaped("a comment"):
            login = str(made["user"]["login"])  # what GitHub says that we are
        told = _settle(client, _mine(client, number, login) or [made], text, stamp)
        told = "made" if told == "unchanged" else told
    return told or stick(client, number, body, stamp)  # "": somebody deleted it in between


def _settle(client: Client, mine: list[dict[str, Any]], text: str, stamp: Stamp) -> str:
    """Leave one: the oldest. Two posts at once each make one, and each then sees both. "": it is gone."""
    keep, spare = mine[0], mine[1:]
    for other in spare:
        client.call("DELETE", client.repo("issues", "comments", other["id"]), allow=(404,))
    body = str(keep.get("body", ""))
    if stamp.is_older_than(stamp_in(body)):
        return "outdated"
    if body == text:
        return "unchanged"
    path = client.repo("issues", "comments", keep["id"])
    return "" if client.call("PATCH", path, {"body": text}, allow=(404,)).status == 404 else "edited"


def _mine(client: Client, number: int, login: str) -> list[dict[str, Any]]:
    """Comments of ours with the marker as their first line, oldest first. One by another author is not ours."""
    found = []
    for comment in items(client, client.repo("issues", number, "comments")):
        with shaped("a list of comments"):
            author = (comment["user"] or {}).get("login", "")
            first = str(comment.get("body") or "").lstrip().partition("\n")[0].rstrip()
            if author == login and first == MARKER:
                found.append({**comment, "id": int(comment["id"])})
    return sorted(found, key=lambda comment: int(comment["id"]))


def _own_login(client: Client) -> str:
    """The name of the person whose token this is."""
    try:
        document = client.get("/user")
    except RefusedError as error:
        hint = "set HILGATE_APP_SLUG to the App's name (actions/create-github-app-token gives it as app-slug)"
        raise GitHubError("this token does not say whose it is", where="GET /user", hint=hint) from error
    with shaped("GET /user"):
        return str(document["login"])


def _document(found: Any) -> dict[str, Any]:
    with shaped("a comment"):
        return {**found, "id": int(found["id"])}
