"""setup: look at every setting, put right what is not as wanted, say what is left. Twice is the same as once."""

from __future__ import annotations

from dataclasses import replace

from hilgate.errors import GitHubError, UsageError
from hilgate.github.client import Client
from hilgate.github.refusal import RefusedError
from hilgate.github.settings import (
    by_hand,
    environment,
    key_environment,
    label,
    plan,
    ruleset,
    server,
    site,
    token,
    variable,
)
from hilgate.github.settings.setting import (
    MADE,
    MISSING,
    OK,
    OPEN,
    OPTIONAL,
    PAID,
    PERSON,
    UNSEEN,
    Finding,
    Setting,
    Wanted,
)
from hilgate.github.shape import shaped


def execute(client: Client, wanted: Wanted, *, check: bool, command: str = "hilgate setup github") -> list[Finding]:
    """Every setting with its state, in the order of the table. check: change nothing.

    Raises UsageError (half an App), GitHubError (no access at all).
    """
    with shaped("the repository"):
        repository = client.get(client.repo())
        is_organization = repository["owner"]["type"] == "Organization"
        default_branch = str(repository["default_branch"])
    wanted = _remembered(client, wanted)
    settings = [
        label.setting(client, wanted, command),
        token.setting(client, wanted, command),
        environment.setting(client, wanted, command),
        key_environment.setting(client, wanted, command, default_branch),
        ruleset.setting(client, wanted, command),
        *variable.settings(client, wanted, command),
        site.setting(client, wanted, command),
        *by_hand.settings(client, wanted, command, is_organization),
    ]
    findings = [_treat(client, setting, check) for setting in settings]
    return [*_server(client), *(finding for finding in findings if finding is not None)]


def _remembered(client: Client, wanted: Wanted) -> Wanted:
    """With the App of an earlier run. Half an App would be required by the ruleset and post nothing, or the reverse."""
    try:
        known = {name: variable.value_of(client, name) for name in (variable.APP_SLUG, variable.APP_CLIENT_ID)}
    except RefusedError:
        known = {}  # this token may not see variables; each setting says so itself
    slug = wanted.app_slug or known.get(variable.APP_SLUG, "")
    client_id = wanted.app_client_id or known.get(variable.APP_CLIENT_ID, "")
    if bool(slug) != bool(client_id) and known:
        missing = "--app-client-id ID" if slug else "--app NAME"
        what = f"there is an App's {'name' if slug else 'client id'}, but not its {'client id' if slug else 'name'}"
        raise UsageError(what, where=client.access.repository, hint=f"add {missing}; both stand on the App's page")
    return replace(wanted, app_slug=slug, app_client_id=client_id)


def left(findings: list[Finding]) -> list[str]:
    """Names of what hilgate needs and what is still missing."""
    return [finding.name for finding in findings if finding.state in OPEN]


def _server(client: Client) -> list[Finding]:
    """Of an Enterprise Server one row, which says what it lacks; nothing can be done about it."""
    if not client.access.is_enterprise:
        return []
    version, missing = server.lacks(client)
    return [Finding(f"Enterprise Server {version or 'of unknown version'}", OK, f"it has no {', no '.join(missing)}")]


def _treat(client: Client, setting: Setting, check: bool) -> Finding | None:
    """One setting's row, None where it does not apply."""
    try:
        why = setting.look(client)
    except GitHubError as error:
        return _refused(setting, error, UNSEEN)
    if why is None:
        return None
    if not why:
        return Finding(setting.name, OK, "")
    if setting.optional:
        return Finding(setting.name, OPTIONAL, f"{why}; {setting.optional}", setting.todo)
    if setting.mend is None or check:
        return Finding(setting.name, MISSING if setting.mend else PERSON, why, setting.todo)
    return _mended(client, setting, why)


def _mended(client: Client, setting: Setting, why: str) -> Finding:
    """Put it right, and look again: what GitHub accepts in silence and does not do is still missing."""
    try:
        if setting.mend is not None:
            setting.mend(client)
        still = setting.look(client)
    except GitHubError as error:
        return _refused(setting, error, MISSING)
    return Finding(setting.name, MISSING, still, setting.todo) if still else Finding(setting.name, MADE, f"was: {why}")


def _refused(setting: Setting, error: GitHubError, state: str) -> Finding:
    """A plan that lacks it is nobody's fault; a token that may not needs another token, or another person."""
    if plan.is_lacking(error):
        return Finding(setting.name, PAID, setting.without or "this plan does not have it")
    return Finding(setting.name, state, error.what, error.hint or setting.todo)
