"""Variables that workflows read. They are no secrets; only who may write to the repository can set them."""

from __future__ import annotations

from hilgate.github.client import Client
from hilgate.github.settings.setting import Setting, Wanted
from hilgate.github.shape import shaped

APP_CLIENT_ID, APP_SLUG, PAGES = "HILGATE_APP_CLIENT_ID", "HILGATE_APP_SLUG", "HILGATE_PAGES"


def settings(client: Client, wanted: Wanted, command: str) -> list[Setting]:
    """One for each variable that was asked for."""
    values = {
        APP_SLUG: wanted.app_slug,
        APP_CLIENT_ID: wanted.app_client_id,
        PAGES: "true" if wanted.pages else "",
    }
    return [_setting(name, value, command) for name, value in values.items() if value]


def value_of(client: Client, name: str) -> str:
    """A variable's value, "" where it is not set."""
    document = client.find(client.repo("actions", "variables", name))
    with shaped("a variable"):
        return str(document["value"]) if document else ""


def _setting(name: str, value: str, command: str) -> Setting:
    def look(client: Client) -> str:
        found = value_of(client, name)
        return "" if found == value else f"it is {found[:50]!r}, not {value[:50]!r}" if found else "it is not set"

    def mend(client: Client) -> None:
        body = {"name": name, "value": value}
        if value_of(client, name):
            client.call("PATCH", client.repo("actions", "variables", name), body)
        else:
            client.call(
                "POST", client.repo("actions", "variables"), body, repeat=True, allow=(409,)
            )  # 409: it is there

    return Setting(f"variable {name}", look, command, mend)
