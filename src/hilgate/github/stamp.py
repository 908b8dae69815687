"""Which run wrote something, so that a slower, older run does not overwrite a newer verdict on the same commit."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r"<!-- hilgate:run (\S{1,80}) -->")
TEXT = re.compile(r"(\d{1,18})\.(\d{1,9})\.([0-9a-f]{40})")


@dataclass(frozen=True)
class Stamp:
    """A workflow run by its number and attempt, and the commit that it judged."""

    run_id: int
    attempt: int
    head_sha: str

    def __str__(self) -> str:
        return f"{self.run_id}.{self.attempt}.{self.head_sha}"

    def line(self) -> str:
        """As a line that GitHub does not show."""
        return f"<!-- hilgate:run {self} -->"

    def is_older_than(self, other: Stamp | None) -> bool:
        """Only runs on one commit are compared: a commit which is the head no longer writes nothing at all."""
        if other is None or other.head_sha != self.head_sha:
            return False
        return (self.run_id, self.attempt) < (other.run_id, other.attempt)


def parse_stamp(text: str) -> Stamp | None:
    """From its own text, None for any other."""
    found = TEXT.fullmatch(text)
    return None if found is None else Stamp(int(found.group(1)), int(found.group(2)), found.group(3))


def stamp_in(body: str) -> Stamp | None:
    """The stamp in the last line of a comment."""
    found = LINE.fullmatch(body.rstrip().rpartition("\n")[2].strip())
    return None if found is None else parse_stamp(found.group(1))
