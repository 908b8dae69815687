"""What the fake GitHub remembers, and its clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

REPOSITORY = "acme/widget"
APPS = {"github-actions": 15368, "hilgate-acme": 4711, "evil-app": 666}


@dataclass
class Actor:
    """Whoever a token belongs to. app: slug, "" for a person; may: permissions, such as `checks: write`."""

    login: str
    app: str = ""
    may: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        return "Bot" if self.app else "User"


@dataclass
class Clock:
    """Seconds since 1970 that pass only when somebody sleeps."""

    seconds: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.seconds += seconds

    def text(self, ago_s: float = 0.0) -> str:
        return datetime.fromtimestamp(self.seconds - ago_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class World:
    """One repository and all that hangs on it; plain data, which tests read and change as they like."""

    repository: str = REPOSITORY
    old_name: str = ""  # the repository was renamed
    owner_kind: str = "User"
    default_branch: str = "main"
    clock: Clock = field(default_factory=Clock)
    tokens: dict[str, Actor] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)  # login -> admin, write, read
    teams: dict[str, set[str]] = field(default_factory=dict)  # org/team -> logins
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    timeline: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    approvals: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)  # (revision, path)
    git: dict[str, Any] = field(default_factory=dict)  # SHA -> tree or commit
    refs: dict[str, str] = field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)  # names, of the repository; an environment's are in it
    organization_secrets: set[str] = field(default_factory=set)
    rulesets: dict[int, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    workflow: dict[str, Any] = field(
        default_factory=lambda: {"default_workflow_permissions": "write", "can_approve_pull_request_reviews": True}
    )
    fork_policy: str = "first_time_contributors"
    pages: dict[str, Any] | None = None
    is_private: bool = False
    is_paid: bool = True
    enterprise: str = ""  # version of an Enterprise Server
    without: set[str] = field(default_factory=set)  # features that an older server lacks, by a part of the path
    next_id: int = 1000

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id
