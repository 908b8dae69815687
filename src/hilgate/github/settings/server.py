"""GitHub Enterprise Server: which version it is, and what it lacks that hilgate would use."""

from __future__ import annotations

import re

from hilgate.github.client import Client

NEVER = ("artifacts of version 4", "attestations")  # docs.github.com: not currently supported on Enterprise Server
SINCE = {"rulesets": (3, 11), "the header that names the interface's version": (3, 9)}


def lacks(client: Client) -> tuple[str, list[str]]:
    """Version ("" where it is not told) and what is missing there; of github.com nothing is."""
    if not client.access.is_enterprise:
        return "", []
    document = client.find("/meta") or {}
    version = str(document.get("installed_version", ""))[:30]
    found = re.match(r"(\d{1,3})\.(\d{1,3})", version)
    numbers = (int(found.group(1)), int(found.group(2))) if found else None
    return version, [*NEVER, *(what for what, since in SINCE.items() if numbers and numbers < since)]
