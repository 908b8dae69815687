"""One line of the history: what one commit cost in one cell on one testbed with one toolchain."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from hilgate.errors import ArtifactError
from hilgate.history.checker import line_checker

METRICS = ("accuracy", "flash_bytes", "ram_bytes", "latency_us")
LONGEST_LINE = 4000
LONGEST_SUBJECT = 100

Key = tuple[str, str, str, str, str, str]


@dataclass(frozen=True)
class Line:
    """A checked line. values: metric -> number, latency_us only where cycles were counted; budgets: the limits."""

    commit: str
    date: str
    subject: str
    cell: str
    task: str
    board: str
    testbed: str
    toolchain: str
    model: str
    source: str
    evidence: str
    unit: str
    better: str
    image: str
    loads: int
    values: dict[str, float]
    budgets: dict[str, float]

    @property
    def key(self) -> Key:
        """Of two lines with one key the later replaces the earlier."""
        return self.commit, self.cell, self.task, self.board, self.testbed, self.toolchain

    @property
    def path(self) -> str:
        """The file on the branch: one per cell and month, so that an append rewrites little."""
        return f"{self.cell}/{self.date[:7]}.jsonl"

    def text(self) -> str:
        """As it stands in the file, without the line's end."""
        document = {"schema": "history", "version": 1, **vars(self)}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def parse_line(text: str) -> Line:
    """A Line from its text; raises ArtifactError with what is wrong and no `where`."""
    if len(text) > LONGEST_LINE:
        raise ArtifactError(f"{len(text)} letters, more than {LONGEST_LINE} are refused")
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"not valid JSON: {str(error)[:100]}") from error
    return line_from(document)


def line_from(document: Any) -> Line:
    """A Line from its content. Raises ArtifactError."""
    complaint = line_checker()(document)
    if complaint:
        raise ArtifactError(f"against the schema: {complaint}"[:200])
    return Line(
        **{name: document[name] for name in Line.__dataclass_fields__ if name != "subject"},
        subject=plain(document["subject"]),
    )


def plain(subject: str) -> str:
    """Anybody's text as one line without what drives a terminal or turns reading around; of bounded length."""
    if subject.isascii() and subject.isprintable() and len(subject) <= LONGEST_SUBJECT:
        return subject
    kept = "".join(" " if letter in "\t\r\n" else letter for letter in subject[: 4 * LONGEST_SUBJECT])
    kept = "".join(
        letter if unicodedata.category(letter)[0] not in "CM" and letter not in "\u2028\u2029" else "�"
        for letter in kept
    )
    return kept if len(kept) <= LONGEST_SUBJECT else kept[: LONGEST_SUBJECT - 1] + "…"


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number")
