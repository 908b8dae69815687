"""The site with the trend page. Opt-in: of a private repository it is public, unless the plan has private sites."""

from __future__ import annotations

from hilgate.github.client import Client
from hilgate.github.settings import variable
from hilgate.github.settings.setting import Setting, Wanted
from hilgate.github.shape import shaped


def setting(client: Client, wanted: Wanted, command: str) -> Setting:
    why = "" if wanted.pages else "everybody can read it, also of most private repositories"
    return Setting("Pages", lambda client: _look(client, wanted), f"{command} --pages", _mend, why)


def _look(client: Client, wanted: Wanted) -> str:
    if not wanted.pages and variable.value_of(client, variable.PAGES) != "true":
        return "the trend page is not published"
    document = client.find(client.repo("pages"))
    if document is None:
        return "there is no site"
    with shaped("Pages"):
        return "" if document.get("build_type") == "workflow" else "it is built from a branch, not by a workflow"


def _mend(client: Client) -> None:
    method = "POST" if client.find(client.repo("pages")) is None else "PUT"
    client.call(method, client.repo("pages"), {"build_type": "workflow"}, repeat=True, allow=(409,))  # 409: it is there
