"""Which repository on which GitHub a clone comes from, so that nobody has to type it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from hilgate.errors import UsageError
from hilgate.github.access import Access, access_from
from hilgate.tools import run_git

FORMS = (  # https://host/owner/name.git, ssh://git@host[:port]/owner/name, git@host:owner/name
    re.compile(r"https?://(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+)?/(?P<name>[^/]+/[^/]+)"),
    re.compile(r"ssh://(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+)?/(?P<name>[^/]+/[^/]+)"),
    re.compile(r"(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<name>[^/]+/[^/]+)"),
)


def access_of_clone(environment: Mapping[str, str], repository: str, folder: Path) -> Access:
    """Access from the environment, where it is silent from the clone. Raises UsageError, GitHubError."""
    told = {key: value for key, value in environment.items() if value}
    if not repository and "GITHUB_REPOSITORY" not in told:
        host, name = origin(folder)
        if host:
            told |= {"GITHUB_REPOSITORY": name, "GITHUB_API_URL": told.get("GITHUB_API_URL", api_url(host))}
    return access_from(told, repository)


def origin(folder: Path) -> tuple[str, str]:
    """Host and owner/name of the remote `origin`, ("", "") where there is none or it is no address of a GitHub."""
    return parse_address(_git(folder, "remote", "get-url", "origin"))


def path_in_clone(path: Path) -> str:
    """A file's path from the top of its clone, with slashes: in a larger repository the project lies in a folder."""
    return _git(path.parent, "rev-parse", "--show-prefix") + path.name


def _git(folder: Path, *arguments: str) -> str:
    """One line of git's, "" where it refuses."""
    try:
        answer = run_git(folder, *arguments, timeout_s=20)
    except (OSError, UsageError):
        return ""
    return answer.stdout.decode("utf-8", "replace").strip() if answer.returncode == 0 else ""


def parse_address(address: str) -> tuple[str, str]:
    """The same, of an address."""
    for form in FORMS:
        found = form.fullmatch(address.removesuffix("/").removesuffix(".git"))
        if found:
            return found["host"], found["name"]
    return "", ""


def api_url(host: str) -> str:
    """The REST interface of a host."""
    if host == "github.com":
        return "https://api.github.com"
    return f"https://api.{host}" if host.endswith(".ghe.com") else f"https://{host}/api/v3"
