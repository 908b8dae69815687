"""A commit status `hilgate`, where check runs do not exist: a person's token, or an Enterprise Server without apps."""

from __future__ import annotations

from hilgate.github.checks import NAME, SUCCESS, Check
from hilgate.github.client import Client

LONGEST = 140  # characters of a description


def put_status(client: Client, check: Check) -> None:
    """The same verdict in the poorer form; `pending` blocks like a check that is in progress.

    A status is only ever added, and the newest counts: sending it twice is harmless.
    """
    state = "pending" if not check.outcome else "success" if check.conclusion == SUCCESS else "failure"
    body = {"state": state, "context": NAME, "description": check.title[:LONGEST], "target_url": check.details_url}
    client.call("POST", client.repo("statuses", check.head_sha), body, repeat=True)
