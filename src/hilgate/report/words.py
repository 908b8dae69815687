"""One axis of a verdict as the words of a table row, the same for terminal, Markdown and HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.units import NAMES, allowed, amount, change

if TYPE_CHECKING:
    from hilgate.virtual.evidence import Gap

SIGNS = {"pass": "✅", "warn": "⚠️", "fail": "❌", "inconclusive": "❔", "waiting": "⏳"}
EVIDENCE = {
    "calibrated": "the cost model was fitted to this board's own measurements",
    "validated": "the cost model was checked against published silicon of this board",
    "elsewhere": "the cost model was checked only on another board with this core",
    "uncalibrated": "the cost model was never checked against silicon of this core",
    "measured": "counted by the board itself",
}


@dataclass(frozen=True)
class Row:
    """One metric of one cell: its words, and the numbers that plots need (None: not known or not set).

    verdict: the outcome itself; outcome: what is printed, which is `not judged` where the policy skips the metric.
    used: share of the budget, 1.0 at the limit. worse: how much worse than base it may get. tighten: what the budget
    could be, where there is slack.
    """

    metric: str
    name: str
    how: str
    base: str
    value: str
    change: str
    budget: str
    enforced: bool
    headroom: str
    short_headroom: str
    outcome: str
    verdict: str
    source: str
    unit: str
    number: float | None
    base_number: float | None
    change_number: float | None
    limit: float | None
    used: float | None
    worse: str
    tighten: str


def row(axis: dict[str, Any]) -> Row:
    """One axis of verdict.json."""
    unit, limits = axis["unit"], axis["budget"]
    return Row(
        metric=axis["metric"],
        name=NAMES[axis["metric"]],
        how=how(axis),
        base="none" if axis["base"] is None else amount(unit, axis["base"]),
        value=amount(unit, axis["value"]),
        change="not compared" if axis["change"] is None else change(unit, axis["change"], axis["base"]),
        budget=budget(axis),
        enforced=enforced(axis),
        headroom=headroom(axis),
        short_headroom=short_headroom(axis),
        outcome=outcome_word(axis),
        verdict=axis["outcome"],
        source=axis["source"],
        unit=unit,
        number=axis["value"],
        base_number=axis["base"],
        change_number=axis["change"],
        limit=limits["min"] if limits["max"] is None else limits["max"],
        used=axis["used"],
        worse="" if limits["skip"] is not None else relative_limits(axis),
        tighten=_tighten(axis),
    )


def how(axis: dict[str, Any]) -> str:
    """Where a value comes from: predicted or measured, with its evidence; or exact."""
    if axis["value"] is None:
        return ""
    if axis["source"] == "predicted":
        return f"predicted (`{axis['evidence']}`)"
    return axis["source"]  # type: ignore[no-any-return]


def budget(axis: dict[str, Any]) -> str:
    limits = axis["budget"]
    if limits["skip"] is not None:
        return "not judged"
    if limits["min"] is None and limits["max"] is None:
        return "not set"
    sign, value = ("≥", limits["min"]) if limits["max"] is None else ("≤", limits["max"])
    return f"{sign} {amount(axis['unit'], value)}"


def _tighten(axis: dict[str, Any]) -> str:
    """The slack that the ratchet found, as a suggestion: `flash_bytes.max: 150,000 B could be 130,000 B`."""
    wanted, limits = axis.get("tighten"), axis["budget"]
    if wanted is None:
        return ""
    side = "min" if limits["max"] is None else "max"
    now, then = amount(axis["unit"], limits[side]), amount(axis["unit"], wanted)
    return f"`{axis['metric']}.{side}`: {now} could be {then}"


def outcome_word(axis: dict[str, Any]) -> str:
    """The outcome, except that what the policy skips is not called a pass."""
    return "not judged" if axis["budget"]["skip"] is not None else str(axis["outcome"])


def enforced(axis: dict[str, Any]) -> bool:
    return all(check["enforced"] for check in axis["checks"] if check["rule"] == "absolute")


def headroom(axis: dict[str, Any]) -> str:
    """Distance to the budget, of sizes and times in percent of it: `48,516 B (27.0 %)`."""
    room, limits, unit = axis["headroom"], axis["budget"], axis["unit"]
    if room is None:
        return "unknown"
    sign = "−" if room < 0 else ""
    if unit == "fraction":
        return f"{sign}{100 * abs(room):.2f} points"
    text = f"{sign}{amount(unit, abs(room))}"
    return f"{text} ({sign}{100 * abs(room) / limits['max']:.1f} %)" if unit != "score" and limits["max"] else text


def short_headroom(axis: dict[str, Any]) -> str:
    """The same in few letters: `27.0 %` left of a maximum, `0.91 pt` above a minimum."""
    room, limit_value = axis["headroom"], axis["budget"]["max"]
    if room is None:
        return "unknown"
    sign = "−" if room < 0 else ""
    if axis["unit"] in ("fraction", "score"):
        return f"{sign}{100 * abs(room):.2f} pt" if axis["unit"] == "fraction" else f"{sign}{abs(room):.4g}"
    return f"{sign}{100 * abs(room) / limit_value:.1f} %" if limit_value else f"{sign}{amount(axis['unit'], abs(room))}"


def has_prediction(verdict: dict[str, Any]) -> bool:
    return any(axis["source"] == "predicted" for cell in verdict["cells"] for axis in cell["axes"])


def gap_state(gap: Gap) -> str:
    """What stands in for a behaviour of silicon that the virtual board lacks."""
    return f"not modelled: {gap.instead}" if not gap.modelled else "modelled, but nobody else has checked it"


def evidence_sentence(side: dict[str, Any] | None) -> str:
    """What stands behind a side's latency."""
    if side is None or side["latency"] is None:
        return "no latency"
    meaning = EVIDENCE.get(side["evidence"], "")
    return f"{side['source']}, evidence `{side['evidence']}`: {meaning}"


def relative_limits(axis: dict[str, Any]) -> str:
    limits = axis["budget"]
    return f"warn {allowed(axis['unit'], limits['worse_warn'])}, fail {allowed(axis['unit'], limits['worse_fail'])}"


def solid(text: str) -> str:
    """Number and unit on one line: no-break spaces, except in front of a bracket."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("\N{NO-BREAK SPACE}(", " (")


def units(text: str) -> str:
    """A sentence in which no line ends between a number and its unit."""
    return re.sub(r"(?<=\d) (?=%|B\b|µs)", "\N{NO-BREAK SPACE}", text)


def count(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


def plural(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
