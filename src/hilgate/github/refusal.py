"""A refusal by GitHub in words that help: what, where, and which permission is missing."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from hilgate.errors import GitHubError
from hilgate.github.answer import Answer

# Part of the address -> the permission of a workflow (or App) that the call needs. The first match counts.
PERMISSIONS = (
    ("/check-runs", "checks: write"),
    ("/statuses/", "statuses: write"),
    ("/comments", "pull-requests: write"),
    ("/timeline", "pull-requests: read"),
    ("/pulls", "pull-requests: read"),
    ("/labels", "issues: write"),
    ("/environments", "administration: write"),
    ("/rulesets", "administration: write"),
    ("/actions/permissions", "administration: write"),
    ("/actions/variables", "variables: write"),
    ("/actions/runs", "actions: read"),
    ("/pages", "pages: write and administration: write"),
    ("/git/", "contents: write"),
    ("/contents", "contents: read"),
    ("/collaborators", "metadata: read"),
)


class RefusedError(GitHubError):
    """An answer that is neither success nor worth another try. status: HTTP; message: GitHub's own words."""

    def __init__(self, what: str, *, where: str, hint: str, status: int, message: str) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status, self.message = status, message


class UncertainError(GitHubError):
    """The call may or may not have been carried out: look before sending it again."""


def refused(answer: Answer, method: str, path: str) -> RefusedError:
    """The error for an answer of 400 and above."""
    message = answer.message()
    what = f"GitHub answered {answer.status}" + (f": {message}" if message else "")
    hint = _hint(answer.status, answer.headers, method, urlsplit(path).path)
    return RefusedError(what, where=answer.where, hint=hint, status=answer.status, message=message)


def _hint(status: int, headers: Mapping[str, str], method: str, path: str) -> str:
    if status == 401:
        return "the token is wrong, expired or revoked: make a new one"
    if status in (403, 404):
        needed = headers.get("x-accepted-github-permissions", "")[:200] or permission(method, path)
        also = "" if status == 403 else ", or the thing does not exist: GitHub answers 404 for both"
        return f"the token may lack the permission {needed}{also}"
    if status == 410:
        return "this feature is switched off in the repository's settings"
    if status == 422:
        return "GitHub read the request and refuses what it says"
    return ""


def permission(method: str, path: str) -> str:
    """Which permission a call needs, in the words of a workflow file."""
    found = next((words for part, words in PERMISSIONS if part in path), "metadata: read")
    return found.replace("write", "read") if method == "GET" else found
