"""Where the App's key lies. GitHub lists names of secrets, never what they hold, and takes a secret from a person."""

from __future__ import annotations

from hilgate.github.client import Client
from hilgate.github.pages import items
from hilgate.github.refusal import RefusedError
from hilgate.github.settings import key_environment, plan, variable
from hilgate.github.settings.setting import Setting
from hilgate.github.shape import shaped

KEY = "HILGATE_APP_PRIVATE_KEY"


def settings(client: Client, is_organization: bool) -> list[Setting]:
    """Only where an App is set up: that the environment has the key, and that nothing wider has it as well."""
    repository, owner = client.access.repository, client.access.repository.partition("/")[0]
    remove = [f"gh secret delete {KEY} --repo {repository}"]
    if is_organization:
        remove.append(f"or, where it is the organization's: gh secret delete {KEY} --org {owner}")
    return [
        Setting(
            f"secret {KEY}",
            lambda client: _look(client, is_organization),
            how_to_store(client),
            without="it is a secret of the repository, which a workflow of any branch here can read (docs/security.md)",
        ),
        Setting(
            f"secret {KEY} outside the environment",
            lambda client: _look_outside(client, is_organization),
            "\n".join(["once the environment has it (best a new key: the old one may have been read):", *remove]),
        ),
    ]


def how_to_store(client: Client) -> str:
    """Words, one step a line."""
    return (
        f"store the App's private key in the environment {key_environment.NAME}, once this command has made that:\n"
        f"gh secret set {KEY} --env {key_environment.NAME} --repo {client.access.repository} < KEY.pem\n"
        f"or on its page: {client.access.page('settings/environments')}\n"
        f"on a plan without environments, for the repository: {client.access.page('settings/secrets/actions/new')}"
    )


def _has_app(client: Client) -> bool:
    return bool(variable.value_of(client, variable.APP_CLIENT_ID))


def _look(client: Client, is_organization: bool) -> str | None:
    if not _has_app(client):
        return None
    if KEY in _in_environment(client):
        return ""
    if not _holders(client, is_organization):
        return "the App has no key here, so no check can be posted"
    if lacking := plan.refusal(client):
        raise lacking  # there is no better place
    return f"the environment {key_environment.NAME} does not have it"


def _look_outside(client: Client, is_organization: bool) -> str | None:
    """None where the key lies nowhere else, or where the plan has no other place, which the row above says."""
    holders = _holders(client, is_organization) if _has_app(client) else []
    if not holders or plan.refusal(client):
        return None
    what = " and ".join(holders)
    return f"it is a secret of the {what}: a workflow of any branch here can read it, and post the check as the App"


def _holders(client: Client, is_organization: bool) -> list[str]:
    """Which of repository and organization have the key."""
    places = {"repository": "secrets"}
    if is_organization:
        places["organization"] = "organization-secrets"
    return [who for who, place in places.items() if KEY in _names(client, client.repo("actions", place))]


def _in_environment(client: Client) -> set[str]:
    try:
        if key_environment.find(client) is None:
            return set()
        return _names(client, client.repo("environments", key_environment.NAME, "secrets"))
    except RefusedError as error:
        if plan.is_lacking(error):
            return set()
        raise


def _names(client: Client, path: str) -> set[str]:
    with shaped("a list of secrets"):
        return {str(one["name"]) for one in items(client, path, key="secrets")}
