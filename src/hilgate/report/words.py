"""The verdict as sentences and cells of a table, the same for terminal, Markdown and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgate.units import NAMES, allowed, amount, change, percent

SIGNS = {"pass": "✅", "warn": "⚠️", "fail": "❌", "inconclusive": "❔", "waiting": "⏳"}
WORST_FIRST = ("fail", "inconclusive", "waiting", "warn", "pass")
EVIDENCE = {
    "calibrated": "the cost model was fitted to this board's own measurements",
    "validated": "the cost model was checked against published silicon of this board",
    "elsewhere": "the cost model was checked only on another board with this core",
    "uncalibrated": "the cost model was never checked against silicon of this core",
    "measured": "counted by the board itself",
}


@dataclass(frozen=True)
class Row:
    """One metric of one cell, ready to print."""

    name: str
    how: str
    base: str
    value: str
    change: str
    budget: str
    enforced: bool
    headroom: str
    outcome: str


def rows(cell: dict[str, Any]) -> list[Row]:
    return [row(axis) for axis in cell["axes"]]


def row(axis: dict[str, Any]) -> Row:
    """One axis of verdict.json."""
    unit = axis["unit"]
    return Row(
        name=NAMES[axis["metric"]],
        how=how(axis),
        base="none" if axis["base"] is None else amount(unit, axis["base"]),
        value=amount(unit, axis["value"]),
        change="not compared" if axis["change"] is None else change(unit, axis["change"], axis["base"]),
        budget=budget(axis),
        enforced=enforced(axis),
        headroom=headroom(axis),
        outcome=outcome_word(axis),
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


def headline(verdict: dict[str, Any]) -> str:
    """The verdict in one sentence, its first word the outcome."""
    outcome, cells, base = verdict["outcome"], verdict["cells"], verdict["base"]["label"]
    if not cells:
        return f"{outcome}: the policy of {verdict['policy']} has no cell"
    if outcome == "pass":
        return f"pass: {_all(cells)} within budget; {_trend(verdict, base)}"
    if outcome == "waiting" and verdict["requests"]:
        rest = worst_of([cell for cell in cells if cell["outcome"] != "waiting"])
        asked = plural(len(verdict["requests"]), "change of what judges", "changes of what judges")
        return f"waiting: {verdict['head']['label']} asks for {asked}, for somebody else to approve; all else: {rest}"
    first, others = _first_reason(verdict)
    more = f" (and {others} more)" if others else ""
    return f"{outcome}: {first}{more}"


def worst_of(cells: list[dict[str, Any]]) -> str:
    found = {cell["outcome"] for cell in cells}
    return next((outcome for outcome in WORST_FIRST if outcome in found), "pass")


def findings(cell: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Every check with its full sentence, worst first; what several metrics share is said once, with all of them."""
    subjects: dict[tuple[str, str], list[str]] = {}
    checks = {}
    parts = [("", check) for check in cell["checks"]]
    parts += [(NAMES[axis["metric"]], check) for axis in cell["axes"] for check in axis["checks"]]
    for subject, check in parts:
        key = check["outcome"], check["reason"]
        checks[key] = check
        subjects.setdefault(key, []).append(subject)
    found = [(check, _sentence(subjects[key], check["reason"])) for key, check in checks.items()]
    return sorted(found, key=lambda item: WORST_FIRST.index(item[0]["outcome"]))


def reasons(cell: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The findings that a reader must see: all that did not pass, and budgets that are not enforced."""
    return [(check, text) for check, text in findings(cell) if check["outcome"] != "pass" or not check["enforced"]]


def paired_sentence(axis: dict[str, Any], base: str, head: str) -> str:
    """What the paired comparison of accuracies saw and what it could have seen."""
    pairs = axis["pairs"]
    if pairs is None:
        return ""
    seen = change(axis["unit"], pairs["visible"]).lstrip("+")
    return (
        f"of {pairs['n']:,} test samples {base} did better on {pairs['base_only']}, {head} on {pairs['head_only']}; "
        f"{pairs['method']}, one-sided p = {pairs['p_value']:.2g} at level {pairs['significance']:g}; "
        f"the smallest drop it could have called real: {seen}"
    )


def evidence_sentence(side: dict[str, Any] | None) -> str:
    """What stands behind a side's latency."""
    if side is None or side["latency"] is None:
        return "no latency"
    meaning = EVIDENCE.get(side["evidence"], "")
    return f"{side['source']}, evidence `{side['evidence']}`: {meaning}"


def provenance(cell: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Hashes (their first digits) and environment of both sides: name, base, head."""
    found = []
    for field, longest in (("hashes", 12), ("environment", 200)):
        old, new = ((cell["facts"][side] or {}).get(field, {}) for side in ("base", "head"))
        for key in sorted({*old, *new})[:40]:
            base, head = (str(side.get(key, "none"))[:longest] for side in (old, new))
            found.append((key, base, head))
    return found


def relative_limits(axis: dict[str, Any]) -> str:
    limits = axis["budget"]
    return f"warn {allowed(axis['unit'], limits['worse_warn'])}, fail {allowed(axis['unit'], limits['worse_fail'])}"


def plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def causes(cell: dict[str, Any], base: str) -> list[str]:
    """What moved behind each metric that moved: the layer and the part of memory with the largest change."""
    found = []
    for metric, subject in (("latency_us", "latency"), ("flash_bytes", "flash"), ("ram_bytes", "RAM")):
        axis = next(axis for axis in cell["axes"] if axis["metric"] == metric)
        rows = _movable(cell, metric)
        moved = sorted((row for row in rows if row["base"] != row["head"]), key=lambda row: -abs(_moved(row)))
        if axis["change"] and moved:
            others = f", {plural(len(moved) - 1, 'other', 'others')} by less" if len(moved) > 1 else ""
            unit = "cycles" if metric == "latency_us" else "B"
            found.append(f"{subject}: largest step in {_step(moved[0], unit)}{others}")
    if cell["changes"]["hashes"]:
        found.append(f"changed against {base}: {', '.join(cell['changes']['hashes'])}")
    return found


def _movable(cell: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    if metric == "latency_us":
        return [{**row, "shown": f"`{row['name'].replace('`', chr(39))}`"} for row in cell["changes"]["layers"]]
    memory = metric.removesuffix("_bytes")
    parts = [row for row in cell["changes"]["sizes"] if row["memory"] == memory]
    kept = [row for row in parts if row["part"] not in ("total_bytes", "stack_seen_bytes")]
    return [{**row, "shown": row["part"].removesuffix("_bytes").replace("_", " ")} for row in kept]


def _step(row: dict[str, Any], unit: str) -> str:
    if row["base"] is None or row["head"] is None:
        return f"{row['shown']}, which is {'new' if row['base'] is None else 'gone'}"
    step = f"{_moved(row):+,} {unit}".replace("-", "−")
    return f"{row['shown']}, {step}" + (f" ({percent(_moved(row), row['base'])})" if row["base"] else "")


def _moved(row: dict[str, Any]) -> int:
    return int(row["head"] or 0) - int(row["base"] or 0)


def _all(cells: list[dict[str, Any]]) -> str:
    return "the one cell stays" if len(cells) == 1 else f"all {len(cells)} cells stay"


def _trend(verdict: dict[str, Any], base: str) -> str:
    changes = [axis["change"] for cell in verdict["cells"] for axis in cell["axes"]]
    same = all(change in (0, None) for change in changes) and 0 in changes
    return f"nothing changed against {base}" if same else f"nothing got worse than {base} by more than its limit"


def _first_reason(verdict: dict[str, Any]) -> tuple[str, int]:
    """The first reason for the outcome, and how many more there are."""
    found = [
        f"`{cell['cell']}`: {text}"
        for cell in verdict["cells"]
        for check, text in findings(cell)
        if check["outcome"] == verdict["outcome"]
    ]
    return (found[0], len(found) - 1) if found else (f"see the {verdict['outcome']} cells", 0)


def _sentence(subjects: list[str], reason: str) -> str:
    names = [subject for subject in subjects if subject]
    return f"{', '.join(names)}: {reason}" if names else reason
