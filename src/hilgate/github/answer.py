"""One answer of GitHub, read whole but never more than a limit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.errors import GitHubError
from hilgate.github.clock import Clock

if TYPE_CHECKING:
    from requests import Response

LARGEST_BYTES = 48 << 20  # a page of 100 comments of 65,536 characters, each escaped in six bytes, is 39 MB
LONGEST_S = 120.0  # for one answer, however slowly it drips


@dataclass(frozen=True)
class Answer:
    """Status, headers (looked up without regard to case) and content of one answer; where: the call, for messages."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    where: str

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The document, None for an empty answer. Raises GitHubError when it is not JSON."""
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            hint = "is GITHUB_API_URL the address of GitHub's REST interface, or is a proxy in between?"
            raise GitHubError("the answer is not JSON", where=self.where, hint=hint) from None

    def message(self) -> str:
        """What GitHub says in words about a refusal, bounded and printable."""
        try:
            document = json.loads(self.content)
            words = [str(document["message"]), *_details(document.get("errors"))]
        except (ValueError, RecursionError, KeyError, TypeError):
            words = []
        text = "; ".join(words)[:400]
        return "".join(letter if letter.isprintable() else "?" for letter in text)


def read(response: Response, where: str, clock: Clock) -> Answer:
    """Read the body of a streamed response. Raises GitHubError when it is too large or takes too long."""
    deadline = clock.now() + LONGEST_S
    content = bytearray()
    with response:
        for chunk in response.iter_content(1 << 16):
            content += chunk
            if len(content) > LARGEST_BYTES:
                raise GitHubError(f"the answer is larger than {LARGEST_BYTES} bytes", where=where)
            if clock.now() > deadline:
                raise GitHubError(f"the answer took longer than {LONGEST_S:.0f} s", where=where)
    return Answer(response.status_code, response.headers, bytes(content), where)


def _details(errors: Any) -> list[str]:
    """A 422 lists what it refuses, as texts or as objects."""
    if not isinstance(errors, list):
        return []
    return [_detail(item) for item in errors[:5]]


def _detail(item: Any) -> str:
    if isinstance(item, dict):
        return str(item.get("message") or f"{item.get('field')}: {item.get('code')}")
    return str(item)
