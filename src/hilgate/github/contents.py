"""One small file of a repository at a revision, without a clone."""

from __future__ import annotations

import base64
import binascii

from hilgate.errors import GitHubError
from hilgate.github.client import Client
from hilgate.github.shape import shaped

LARGEST_BYTES = 1 << 20


def read_file(client: Client, path: str, revision: str = "") -> bytes | None:
    """Content of a file, None where there is no such file or revision; "": on the default branch.

    Raises RefusedError, GitHubError.
    """
    document = client.find(client.repo("contents") + "/" + _quoted(path), {"ref": revision} if revision else None)
    if document is None or isinstance(document, list):  # a list is a folder
        return None
    where = f"{path} at {revision[:40] or 'the default branch'}"
    with shaped(where):
        if document["type"] != "file" or document["encoding"] != "base64" or int(document["size"]) > LARGEST_BYTES:
            raise GitHubError(f"no plain file of at most {LARGEST_BYTES} bytes", where=where)
        text = str(document["content"])
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise GitHubError("its content is not base64", where=where) from error


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return "/".join(quote(part, safe="") for part in path.split("/"))
