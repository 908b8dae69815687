"""One setting: how to see whether it is as wanted, how to make it so, and what a person does where no program can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hilgate.github.client import Client

OK, MADE, MISSING, UNSEEN, PAID, PERSON, OPTIONAL = (
    "ok",
    "made",
    "missing",
    "cannot look",
    "paid plan",
    "by hand",
    "optional",
)
OPEN = frozenset({MISSING, UNSEEN, PERSON})  # states after which the set-up is not complete


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    app_slug: "" for the workflow's own token; app_client_id: of the GitHub App; reviewers: logins who may let forks
    onto the bench, () for whoever runs this; pages: publish the trend page; policy: path of params.yaml.
    """

    app_slug: str = ""
    app_client_id: str = ""
    reviewers: tuple[str, ...] = ()
    pages: bool = False
    policy: str = "params.yaml"


@dataclass(frozen=True)
class Setting:
    """look: "" when all is as wanted, else what is not, None when it does not apply; mend: None: only a person can.

    todo: the command or the address that helps; optional: hilgate works without it, and why one may want it; without:
    what holds on a plan that does not have it.
    """

    name: str
    look: Callable[[Client], str | None]
    todo: str
    mend: Callable[[Client], None] | None = None
    optional: str = ""
    without: str = ""


@dataclass(frozen=True)
class Finding:
    """One row of `hilgate setup github`. todo: "" when nothing is to do."""

    name: str
    state: str
    words: str
    todo: str = field(default="")
