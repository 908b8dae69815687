"""What a verdict says in sentences: the outcome, its reasons, and what moved behind them."""

from __future__ import annotations

from typing import Any

from hilgate.units import NAMES, change, percent

WORST_FIRST = ("fail", "inconclusive", "waiting", "warn", "pass")
LONGEST_CHAIN = 20


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


def causes(cell: dict[str, Any], base: str) -> list[str]:
    """What moved behind each metric that moved: the layer and the part of memory with the largest change."""
    found = []
    for metric, subject in (("latency_us", "latency"), ("flash_bytes", "flash"), ("ram_bytes", "RAM")):
        axis = next(axis for axis in cell["axes"] if axis["metric"] == metric)
        rows = _movable(cell, metric)
        moved = sorted((row for row in rows if row["base"] != row["head"]), key=lambda row: -abs(_moved(row)))
        if axis["change"] and moved:
            unit = "cycles" if metric == "latency_us" else "B"
            found.append(f"{subject}: largest step in {_step(moved[0], unit)}")
    symbols = cell["changes"]["symbols"]
    if symbols:
        row = {**symbols[0], "shown": _tick(symbols[0]["name"])}
        found.append(f"symbols: {len(symbols)} changed size, most {_step(row, 'B')}")
    found += [
        f"{row['name']}: {_tick(row['base'])} to {_tick(row['head'])}" for row in cell["changes"]["environment"][:4]
    ]
    if cell["changes"]["hashes"]:
        found.append(f"changed against {base}: {', '.join(cell['changes']['hashes'])}")
    return found


def stack_path(cell: dict[str, Any]) -> str:
    """The deepest chain of calls with the bytes of each, or an empty string."""
    path = cell["changes"]["stack_path"]["head"]
    shown = path if len(path) <= LONGEST_CHAIN else [*path[: LONGEST_CHAIN - 1], "..."]
    return " > ".join(shown)


def _movable(cell: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    if metric == "latency_us":
        return [{**row, "shown": _tick(row["name"])} for row in cell["changes"]["layers"]]
    memory = metric.removesuffix("_bytes")
    parts = [row for row in cell["changes"]["sizes"] if row["memory"] == memory]
    kept = [row for row in parts if row["part"] not in ("total_bytes", "stack_seen_bytes")]
    return [{**row, "shown": row["part"].removesuffix("_bytes").replace("_", " ")} for row in kept]


def _tick(name: object) -> str:
    return f"`{str(name)[:80].replace('`', chr(39))}`" if name is not None else "none"


def _step(row: dict[str, Any], unit: str) -> str:
    step = f"{_moved(row):+,} {unit}".replace("-", "−")
    if row["base"] is None or row["head"] is None:
        return f"{row['shown']}, which is {'new' if row['base'] is None else 'gone'}, {step}"
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


def plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
