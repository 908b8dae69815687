"""What a verdict says in sentences: the outcome and its reasons."""

from __future__ import annotations

from typing import Any

from hilgate.report.asked import counted
from hilgate.report.view import Reason
from hilgate.report.words import plural
from hilgate.units import NAMES, change

WORST_FIRST = ("fail", "inconclusive", "waiting", "warn", "pass")


def headline(verdict: dict[str, Any]) -> str:
    """The verdict in one sentence, its first word the outcome."""
    outcome, cells, base = verdict["outcome"], verdict["cells"], verdict["base"]["label"]
    if not cells:
        return f"{outcome}: the policy of {verdict['policy']} has no cell"
    if outcome == "pass":
        return f"pass: {_trend(verdict, base)}; {_all(cells)} within budget"
    if outcome == "waiting" and verdict["requests"]:
        rest = worst_of([cell for cell in cells if cell["outcome"] != "waiting"])
        asked = counted(verdict)
        return (
            f"waiting: {verdict['head']['label']} asks for {asked}, which somebody else must approve; all else: {rest}"
        )
    first, others = _first_reason(verdict)
    first = first.partition("; ")[0]  # the whole of it stands in the cell
    more = f" (and {others} more)" if others else ""
    return f"{outcome}: {first}{more}"


def worst_of(cells: list[dict[str, Any]]) -> str:
    found = {cell["outcome"] for cell in cells}
    return next((outcome for outcome in WORST_FIRST if outcome in found), "pass")


def findings(cell: dict[str, Any]) -> tuple[Reason, ...]:
    """Every check as a full sentence, worst first; what several metrics share is said once, with all of them."""
    parts = [("", check) for check in cell["checks"]]
    parts += [(axis["metric"], check) for axis in cell["axes"] for check in axis["checks"]]
    subjects: dict[tuple[str, str], list[str]] = {}
    checks = {}
    for metric, check in parts:
        key = check["outcome"], check["reason"]
        checks[key] = check
        subjects.setdefault(key, []).append(metric)
    found = [_reason(check, tuple(filter(None, subjects[key]))) for key, check in checks.items()]
    return tuple(sorted(found, key=lambda reason: WORST_FIRST.index(reason.outcome)))


def reasons(cell: dict[str, Any]) -> tuple[Reason, ...]:
    """The findings that a reader must see: all that did not pass, and budgets that are not enforced."""
    return tuple(reason for reason in findings(cell) if reason.outcome != "pass" or not reason.enforced)


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


def loads_sentence(axis: dict[str, Any]) -> str:
    """What the interleaved loads of a measured latency showed, and what they could have shown."""
    loads = axis.get("loads")
    if loads is None:
        return ""
    text = (
        f"{plural(loads['pairs'], 'pair', 'pairs')} of neighbouring loads on {quote(loads['testbed'])}: "
        f"{100 * loads['change']:+.2f} %, one-sided p = {loads['p_value']:.2g} at level {loads['significance']:g}; "
        f"spread from load to load {100 * loads['spread']:.2f} %"
    ).replace("-", "−")
    if loads["visible"] is None:
        why = "is not calibrated" if loads["calibrated"] is None else "was disturbed too often when it was calibrated"
        return f"{text}; this bench {why}, so nothing can be said of what it could have seen"
    return f"{text}; the smallest slow-down found in 99 % of sessions: {100 * loads['visible']:.2f} %"


def quote(name: str) -> str:
    return f"`{name[:80].replace('`', chr(39))}`"


def _reason(check: dict[str, Any], metrics: tuple[str, ...]) -> Reason:
    subject = "every metric" if len(metrics) == len(NAMES) else ", ".join(NAMES[metric] for metric in metrics)
    text = f"{subject}: {check['reason']}" if subject else check["reason"]
    return Reason(check["outcome"], subject, text, check["enforced"], check["rule"], metrics)


def _all(cells: list[dict[str, Any]]) -> str:
    return "the one cell stays" if len(cells) == 1 else f"all {len(cells)} cells stay"


def _trend(verdict: dict[str, Any], base: str) -> str:
    changes = [axis["change"] for cell in verdict["cells"] for axis in cell["axes"]]
    same = all(change in (0, None) for change in changes) and 0 in changes
    new = sum(all(axis["change"] is None for axis in cell["axes"]) for cell in verdict["cells"])
    rest = f"{plural(new, 'cell is', 'cells are')} new, nothing else" if new else "nothing"
    return f"{rest} changed against {base}" if same else f"{rest} got worse than {base} by more than its limit"


def _first_reason(verdict: dict[str, Any]) -> tuple[str, int]:
    """The first reason for the outcome, and how many more there are."""
    found = [
        f"`{cell['cell']}`{' ' if reason.subject else ': '}{reason.text}"
        for cell in verdict["cells"]
        for reason in findings(cell)
        if reason.outcome == verdict["outcome"]
    ]
    return (found[0], len(found) - 1) if found else (f"see the {verdict['outcome']} cells", 0)
