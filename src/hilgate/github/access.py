"""Which GitHub, which repository, and as whom: all of it from the environment, the token from nowhere else.

Variables: GITHUB_API_URL and GITHUB_SERVER_URL (GitHub Enterprise Server sets its own), GITHUB_REPOSITORY,
GITHUB_TOKEN or GH_TOKEN, and HILGATE_APP_SLUG when the token is that of a GitHub App's installation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hilgate.errors import GitHubError, UsageError

PUBLIC_API = "https://api.github.com"
WORKFLOW_APP = "github-actions"  # the app that every workflow token belongs to
REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})/[A-Za-z0-9._-]{1,100}")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
SHA = re.compile(r"[0-9a-f]{40}")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Access:
    """Where calls go and who makes them. token: never shown; app_slug: "" when a person's token is used."""

    repository: str
    token: str = field(repr=False)
    api_url: str = PUBLIC_API
    web_url: str = "https://github.com"
    app_slug: str = ""

    @property
    def is_enterprise(self) -> bool:
        """Whether this is GitHub Enterprise Server, which lacks some of what github.com has."""
        host = urlsplit(self.api_url).hostname or ""
        return host != "api.github.com" and not host.endswith(".ghe.com")

    @property
    def login(self) -> str:
        """The name that GitHub gives to what an app writes; "" when a person's token is used."""
        return f"{self.app_slug}[bot]" if self.app_slug else ""

    def page(self, *parts: str) -> str:
        """A web address of the repository, for people: page("settings", "rules")."""
        return "/".join([self.web_url, self.repository, *parts])


def access_from(environment: Mapping[str, str], repository: str = "") -> Access:
    """Read the environment. Raises UsageError (repository, address), GitHubError (no token)."""
    name = repository or environment.get("GITHUB_REPOSITORY", "")
    if not REPOSITORY.fullmatch(name) or name.endswith(("/.", "/..")):
        hint = "give owner/name, or set GITHUB_REPOSITORY"
        raise UsageError(f"{name[:200]!r} is no repository", where="--repo", hint=hint)
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    if not token.strip() or not token.isascii() or not token.isprintable():
        hint = "set GITHUB_TOKEN; on your own computer: GITHUB_TOKEN=$(gh auth token) hilgate ..."
        raise GitHubError("there is no usable token in the environment", where="GITHUB_TOKEN", hint=hint)
    api_url = _address(environment.get("GITHUB_API_URL") or PUBLIC_API, "GITHUB_API_URL")
    web_url = _address(environment.get("GITHUB_SERVER_URL") or _web_of(api_url), "GITHUB_SERVER_URL")
    return Access(name, token.strip(), api_url, web_url, _slug(environment))


def _slug(environment: Mapping[str, str]) -> str:
    """HILGATE_APP_SLUG, else the workflow's own app inside GitHub Actions, else nobody's."""
    slug = environment.get("HILGATE_APP_SLUG", "")
    if slug and not SLUG.fullmatch(slug):
        raise UsageError(f"{slug[:100]!r} is no name of a GitHub App", where="HILGATE_APP_SLUG")
    return slug or (WORKFLOW_APP if environment.get("GITHUB_ACTIONS") == "true" else "")


def _address(url: str, where: str) -> str:
    """An https address without a trailing slash; plain http would send the token in the clear, so only to this host."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise UsageError(f"{url[:200]!r} is no address", where=where) from None
    good = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not good or not host or parts.query or parts.fragment or "@" in parts.netloc or not url.isprintable():
        hint = "an https address such as https://github.example.com/api/v3"
        raise UsageError(f"{url[:200]!r} cannot be used", where=where, hint=hint)
    return url.rstrip("/")


def _web_of(api_url: str) -> str:
    if api_url == PUBLIC_API:
        return "https://github.com"
    return api_url.removesuffix("/api/v3")
