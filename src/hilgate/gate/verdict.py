"""What the gate decides, as frozen dataclasses, and the JSON that carries it to people (schema `verdict`)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """Outcomes from harmless to worst; the whole is as bad as its worst part."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    WAITING = "waiting"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"

    @property
    def severity(self) -> int:
        return list(Outcome).index(self)

    @property
    def exit_code(self) -> int:
        """Exit code of `hilgate gate`, as errors.py lists them."""
        return EXIT_CODES[self]


EXIT_CODES = {
    Outcome.PASS: 0,
    Outcome.WARN: 0,
    Outcome.FAIL: 10,
    Outcome.INCONCLUSIVE: 11,
    Outcome.WAITING: 12,
}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some outcomes; of none: inconclusive, because nothing was looked at."""
    return max(outcomes, key=lambda outcome: outcome.severity, default=Outcome.INCONCLUSIVE)


@dataclass(frozen=True)
class Check:
    """One rule that was applied. enforced: False where a budget is only shown; reason: a clause without its subject."""

    rule: str
    outcome: Outcome
    reason: str
    enforced: bool = True


@dataclass(frozen=True)
class Pairs:
    """The paired comparison of two models on one test set; counts are samples that only one of them got better."""

    n: int
    base_only: int
    head_only: int
    p_value: float
    significance: float
    visible: float
    method: str


@dataclass(frozen=True)
class Loads:
    """The comparison of interleaved loads on one bench; change, bound, visible and the spreads are relative.

    bound: a slow-down beyond it is ruled out with 99 % confidence; visible: the smallest one that is found in 99 % of
    sessions, by the bench's calibrated spread; None: the bench is not calibrated.
    """

    pairs: int
    change: float
    p_value: float
    significance: float
    bound: float
    spread: float
    calibrated: float | None
    visible: float | None
    testbed: str


@dataclass(frozen=True)
class Axis:
    """One metric of one cell: accuracy, flash_bytes, ram_bytes or latency_us.

    value, base: in `unit`; change: head - base; headroom: distance to the absolute budget, negative when broken;
    used: share of the budget that is used up, 1.0 at the limit; tighten: the limit that the ratchet suggests.
    None: not known, not comparable or not set.
    """

    metric: str
    unit: str
    value: float | None
    base: float | None
    change: float | None
    budget: dict[str, float | str | None]
    headroom: float | None
    used: float | None
    source: str
    evidence: str
    checks: tuple[Check, ...]
    pairs: Pairs | None = None
    loads: Loads | None = None
    tighten: float | None = None

    @property
    def outcome(self) -> Outcome:
        return worst(check.outcome for check in self.checks)


@dataclass(frozen=True)
class CellVerdict:
    """One cell (task x board). `checks`: rules about the cell as a whole; `facts`: each side's numbers, for reports."""

    cell: str
    task: str
    board: str
    checks: tuple[Check, ...]
    axes: tuple[Axis, ...]
    facts: dict[str, Any]
    changes: dict[str, Any]

    @property
    def outcome(self) -> Outcome:
        return worst([check.outcome for check in self.checks] + [axis.outcome for axis in self.axes])


@dataclass(frozen=True)
class Request:
    """Something that decides verdicts and that the head changes; `effect`: loosens, tightens or changes."""

    kind: str
    cell: str
    what: str
    base: str
    head: str
    effect: str


@dataclass(frozen=True)
class Verdict:
    """The gate's answer. `base` and `head` describe the two sides, `policy` says whose budgets judged.

    params: what else the head changes in params.yaml, dependencies: pinned packages; as name, base, head.
    """

    cells: tuple[CellVerdict, ...]
    requests: tuple[Request, ...]
    base: dict[str, str]
    head: dict[str, str]
    policy: str
    approved_by: str
    notes: tuple[str, ...]
    params: tuple[dict[str, str], ...] = ()
    dependencies: tuple[dict[str, str], ...] = ()

    @property
    def outcome(self) -> Outcome:
        outcome = worst(cell.outcome for cell in self.cells)
        if self.requests and not self.approved_by:
            return worst([outcome, Outcome.WAITING])
        return outcome

    def document(self) -> dict[str, Any]:
        """As the content of verdict.json."""
        content: dict[str, Any] = _plain(self)
        return {**content, "outcome": self.outcome.value, "exit_code": self.outcome.exit_code}


def _plain(value: Any) -> Any:
    """Dataclasses to mappings, each with its outcome where it has one; tuples to lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        content = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Axis | CellVerdict):
            content["outcome"] = value.outcome.value
        return content
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Outcome) else value


def quote(name: object) -> str:
    """A foreign name for use in a sentence: in backticks, on one line, of bounded length, without backticks inside."""
    text = re.sub(r"\s+", " ", str(name)).replace("`", "'")
    return f"`{text if len(text) <= 80 else text[:79] + '…'}`"
