"""What only a person can click: an App, its key, the bench's runner, who owns the policy; with the addresses."""

from __future__ import annotations

from urllib.parse import urlencode

from hilgate.github.client import Client
from hilgate.github.codeowners import PLACES, owners_of
from hilgate.github.contents import read_file
from hilgate.github.settings import app_key, variable
from hilgate.github.settings.setting import Setting, Wanted

BENCH_BRANCH = "hilgate-bench"
PERMISSIONS = ("checks", "issues", "pull_requests", "statuses")


def settings(client: Client, wanted: Wanted, command: str, is_organization: bool) -> list[Setting]:
    return [
        Setting(
            "GitHub App",
            _look_app,
            f"create it and install it on this repository: {_new_app(client, is_organization)}\n"
            f"{app_key.how_to_store(client)}\n"
            f"then: {command} --app NAME --app-client-id ID",
            optional="any workflow of a branch here can post the same check (docs/security.md)",
        ),
        *app_key.settings(client, is_organization),
        Setting(
            "code owner of the policy",
            lambda client: _look_owner(client, wanted),
            f"add to .github/CODEOWNERS the line: /{wanted.policy} @YOU",
            optional="the label approves changes of it as well",
        ),
        Setting(
            "bench",
            _look_bench,
            f"register a runner on the computer with the boards: {client.access.page('settings/actions/runners/new')}",
            optional="the virtual boards predict latency without one",
        ),
    ]


def _new_app(client: Client, is_organization: bool) -> str:
    """The address of a form with everything filled in, in the owner's settings."""
    owner = client.access.repository.partition("/")[0]
    place = f"organizations/{owner}/settings" if is_organization else "settings"
    fields = {"name": f"hilgate-{owner}", "url": client.access.page(), "webhook_active": "false", "public": "false"}
    permissions = dict.fromkeys(PERMISSIONS, "write") | {"actions": "read", "contents": "read"}
    return f"{client.access.web_url}/{place}/apps/new?{urlencode({**fields, **permissions})}"


def _look_app(client: Client) -> str:
    return "" if variable.value_of(client, variable.APP_CLIENT_ID) else "checks have no identity of their own"


def _look_owner(client: Client, wanted: Wanted) -> str:
    for place in PLACES:
        content = read_file(client, place)
        if content is not None:
            owned = owners_of(content.decode("utf-8", "replace"), wanted.policy)
            return "" if owned else f"{place} names nobody for {wanted.policy}"
    return "there is no CODEOWNERS"


def _look_bench(client: Client) -> str:
    reference = client.find(client.repo("git", "ref") + f"/heads/{BENCH_BRANCH}")
    return "" if reference else f"no bench has ever reported (there is no branch {BENCH_BRANCH})"
