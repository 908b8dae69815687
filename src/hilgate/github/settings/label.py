"""The label by which a maintainer approves a change of the policy that judges."""

from __future__ import annotations

from hilgate.github.client import Client
from hilgate.github.once import create_once
from hilgate.github.settings.setting import Setting, Wanted

NAME = "hilgate-approve-budgets"
BODY = {
    "name": NAME,
    "color": "d4c5f9",
    "description": "This change of budgets, cells or test set may judge from now on",
}


def setting(client: Client, wanted: Wanted, command: str) -> Setting:
    return Setting(f"label {NAME}", _look, command, _mend)


def _look(client: Client) -> str:
    return "" if client.find(client.repo("labels", NAME)) else "there is no such label"


def _mend(client: Client) -> None:
    path = client.repo("labels")
    create_once(
        client, lambda: client.find(client.repo("labels", NAME)), lambda: dict(client.call("POST", path, BODY).json())
    )
