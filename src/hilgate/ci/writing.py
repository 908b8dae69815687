"""The jobs that talk to GitHub, as their commands call them: environment in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hilgate.ci.benches import heartbeat
from hilgate.ci.pulls import approval, pending, post
from hilgate.ci.pulls.event import read_event, tell
from hilgate.ci.pulls.now import Options
from hilgate.errors import GitHubError, UsageError
from hilgate.github.access import access_from
from hilgate.github.client import Client
from hilgate.github.remote import access_of_clone, path_in_clone
from hilgate.github.settings.setting import Wanted
from hilgate.project import find_root

Environment = Mapping[str, str]


def run_pending(environment: Environment) -> list[str]:
    """`hilgate ci pending`: start the check, tell later jobs which pull request it is."""
    event = read_event(environment)
    started = pending.execute(Client(access_from(environment)), event, _policy(environment), _author_may(environment))
    tell(environment, started.as_outputs(event))
    return [started.note]


def run_post(environment: Environment, folder: Path, title: str) -> list[str]:
    """`hilgate ci post`: check and comment."""
    options = Options(title, _policy(environment), _author_may(environment))
    posted = post.execute(Client(access_from(environment)), read_event(environment), folder, options)
    tell(environment, {"outcome": posted.outcome})
    return [f"verdict: {posted.outcome or 'not written'}", *posted.notes]


def run_approve(environment: Environment, kind: str) -> list[str]:
    """`hilgate ci approve hardware|budgets`: who has approved this head, for later jobs and for people."""
    client, event = Client(access_from(environment)), read_event(environment)
    pull = pending.find_pull(client, event)
    if kind not in ("hardware", "budgets"):
        raise UsageError(f"{kind[:50]!r} is neither hardware nor budgets", where="hilgate ci approve")
    if pull is None:
        found = approval.Approval("none", sha=event.head_sha, notes=("no open pull request has this head",))
    elif kind == "hardware":
        found = approval.hardware_approval(client, pull, event.run_id)
    else:
        policy, author_may = _policy(environment), _author_may(environment)
        found = approval.budget_approval(client, pull, policy=policy, author_may=author_may)
    tell(environment, {**found.as_context(), "how": found.how})
    by = f" by {found.by} ({found.how})" if found.by else ""
    return [f"{kind}: {found.state}{by} for {found.sha[:10]}", *found.notes]


def run_heartbeat(environment: Environment, boards: list[str], beat: bool) -> list[str]:
    """`hilgate ci heartbeat`: look for the bench of each board, or be it."""
    client = Client(access_from(environment))
    if beat:
        for board in boards:
            heartbeat.beat(client, board)
        return [f"{board}: reported" for board in boards]
    pulses = [heartbeat.pulse(client, board) for board in boards]
    tell(environment, {f"{pulse.board}": pulse.state for pulse in pulses})
    return [f"{pulse.board}: {pulse.state}, {pulse.reason}" for pulse in pulses]


def _policy(environment: Environment) -> str:
    """Path of params.yaml in the repository: in a larger repository the project lies in a folder of it."""
    root, workspace = find_root(), environment.get("GITHUB_WORKSPACE", "")
    if root is None or not workspace or not root.is_relative_to(Path(workspace).resolve()):
        return approval.POLICY
    return (root.relative_to(Path(workspace).resolve()) / approval.POLICY).as_posix()


def _author_may(environment: Environment) -> bool:
    """A variable of the repository, which only those who may write can set: one maintainer has nobody else to ask."""
    return environment.get("HILGATE_SELF_APPROVAL") == "true"


def run_setup(environment: Environment, repository: str, wanted: Wanted, check: bool) -> None:
    """`hilgate setup github`: print the table. Raises GitHubError when something is missing in the end."""
    from hilgate.github.settings import setup, table

    client = Client(access_of_clone(environment, repository, Path.cwd()))
    root = find_root()
    if root is not None and not repository:
        wanted = replace(wanted, policy=path_in_clone(root / approval.POLICY))
    command = "hilgate setup github" + (f" --repo {repository}" if repository else "")
    findings = setup.execute(client, wanted, check=check, command=command)
    table.show(client.access.repository, findings)
    missing = setup.left(findings)
    if missing:
        what = f"{len(missing)} of {len(findings)} settings are missing: {', '.join(missing)}"
        raise GitHubError(what, where=client.access.repository, hint="the table says what helps")
