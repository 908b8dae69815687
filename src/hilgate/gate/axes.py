"""The four metrics of one cell: their values on both sides, and the rules that apply to each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from hilgate.gate import ratchet, rules
from hilgate.gate.measured import Both, Measurement
from hilgate.gate.policy import METRICS, Budget
from hilgate.gate.rules import Context, Metric
from hilgate.gate.verdict import Axis, Check, Loads, Outcome, Pairs, quote

UNITS = {"flash_bytes": "bytes", "ram_bytes": "bytes", "latency_us": "us"}


@dataclass(frozen=True)
class Compared:
    """The check against base, and the test behind it where there is one."""

    check: Check
    pairs: Pairs | None = None
    loads: Loads | None = None


def judge_axes(budgets: dict[str, Budget], both: Both, context: Context) -> tuple[Axis, ...]:
    """Every metric against its budget and against base; the head is there."""
    return tuple(_judge(metric, budgets.get(metric), both, context) for metric in METRICS)


def unjudged_axes(both: Both, budgets: dict[str, Budget], outcome: Outcome, why: str) -> tuple[Axis, ...]:
    """Every metric as it is, with one reason why none is judged."""
    check = Check("present", outcome, why)
    return tuple(_axis(metric, budgets.get(metric, Budget()), both, (check,)) for metric in METRICS)


def value_of(metric: str, measurement: Measurement | None) -> float | None:
    """The number that is judged: mean score, bytes in flash, bytes of RAM, median microseconds."""
    if measurement is None:
        return None
    if metric == "accuracy":
        return measurement.accuracy
    if metric == "latency_us":
        return measurement.latency.median_us if measurement.latency else None
    return float((measurement.flash if metric == "flash_bytes" else measurement.ram)["total_bytes"])


def _judge(name: str, budget: Budget | None, both: Both, context: Context) -> Axis:
    if budget is not None and budget.skip is not None:
        reason = f"not judged by the policy of {context.policy}: {budget.skip}"
        return _axis(name, budget, both, (Check("skip", Outcome.PASS, reason, enforced=False),))
    head, value = both.head, value_of(name, both.head)
    if head is None or value is None:
        return _missing(name, budget, both, f"missing in the measurement of {context.head_label}")
    lower_is_better = _lower_is_better(name, budget or Budget(), head)
    metric = Metric(name, _unit(name, both), value, value_of(name, both.base), lower_is_better)
    if budget is None:
        return _axis(name, Budget(), both, (rules.no_budget("present", metric, head.cell, context),))
    if head.samples and name == "accuracy" and head.samples.higher_is_better == metric.lower_is_better:
        return _missing(name, budget, both, "the budget uses the wrong one of min and max for this metric")
    enforced = _enforced(name, both)
    absolute = rules.absolute(metric, budget, enforced, head, context)
    compared = _against_base(metric, budget, both.base, head, context)
    axis = _axis(name, budget, both, (absolute, compared.check), compared)
    return dataclasses.replace(axis, tighten=ratchet.tightened(axis, both.base is not None))


def _missing(name: str, budget: Budget | None, both: Both, why: str) -> Axis:
    check = Check("present", Outcome.INCONCLUSIVE, why)
    return _axis(name, budget or Budget(), both, (check,))


def _against_base(
    metric: Metric, budget: Budget, base: Measurement | None, head: Measurement, context: Context
) -> Compared:
    excuse = _approved_gap(metric.name, base, head, context)
    if excuse:
        return Compared(Check("relative", Outcome.PASS, excuse, enforced=False))
    if base and base.board != head.board and metric.name != "accuracy":
        reason = (
            f"{context.base_label} has this cell on {quote(base.board)}, {context.head_label} on {quote(head.board)}"
        )
        return Compared(Check("relative", Outcome.INCONCLUSIVE, reason))
    if metric.name == "accuracy":
        check, pairs = rules.paired(metric, budget, base, head, context)
        return Compared(check, pairs=pairs)
    if metric.name == "latency_us" and base and base.latency and base.source == head.source == "measured":
        check, loads = rules.measured(metric, budget, base, head, context)
        return Compared(check, loads=loads)
    return Compared(rules.relative(metric, budget, _obstacle(metric.name, base, head, context), context))


def _obstacle(name: str, base: Measurement | None, head: Measurement, context: Context) -> str:
    """Why values that are exact cannot be compared here, or an empty string."""
    if base is None:
        return ""
    if name != "latency_us":
        return rules.across_toolchains(base, head, context)
    if base.latency is None:
        return f"missing in the measurement of {context.base_label}"
    return rules.across_methods(base, head, context)


def _approved_gap(name: str, base: Measurement | None, head: Measurement, context: Context) -> str:
    """An approval covers what cannot be compared because of it: a new cell, another test set, board or compiler."""
    if not context.approved_by:
        return ""
    if base is None and not context.no_baseline:
        return "not compared: the cell is new, and that was approved"
    if name == "accuracy" and base is not None and base.hashes["dataset"] != head.hashes["dataset"]:
        return "not compared: the test set is new, and that was approved"
    if name != "accuracy" and base is not None and base.board != head.board:
        return "not compared: the board is another one, and that was approved"
    if base is not None and _only_compiler(name, base, head):
        return "not compared: the compiler is another one, and that was approved"
    return ""


def _only_compiler(name: str, base: Measurement, head: Measurement) -> bool:
    """Whether nothing but another compiler stands between two values that could else be compared."""
    if name == "accuracy" or not rules.another_toolchain(base, head):
        return False
    return name != "latency_us" or (base.latency is not None and base.source == head.source)


def _enforced(name: str, both: Both) -> bool:
    """Absolute latency needs evidence; a head that calls its own evidence weaker than the base's does not escape."""
    classes = {side.evidence for side in (both.base, both.head) if side}
    return name != "latency_us" or bool(classes & set(rules.ENFORCED_EVIDENCE))


def _lower_is_better(name: str, budget: Budget, head: Measurement) -> bool:
    if name != "accuracy":
        return True
    if budget.limit is None and head.samples:
        return not head.samples.higher_is_better
    return budget.max is not None


def _unit(name: str, both: Both) -> str:
    samples = (both.head and both.head.samples) or (both.base and both.base.samples)
    return UNITS.get(name) or ("fraction" if samples and samples.binary else "score")


def _axis(name: str, budget: Budget, both: Both, checks: tuple[Check, ...], compared: Compared | None = None) -> Axis:
    base, head, unit = both.base, both.head, _unit(name, both)
    value, old = value_of(name, head), value_of(name, base)
    if name == "latency_us" and base and head and base.source != head.source:
        old = None  # a predicted and a measured time never stand side by side
    headroom, used = _headroom(unit, budget, value)
    return Axis(
        metric=name,
        unit=unit,
        value=value,
        base=old,
        change=None if value is None or old is None else value - old,
        budget=dataclasses.asdict(budget),
        headroom=headroom,
        used=used,
        source=_source(name, head or base),
        evidence=head.evidence if head and head.latency and name == "latency_us" else "",
        checks=checks,
        pairs=compared.pairs if compared else None,
        loads=compared.loads if compared else None,
    )


def _source(name: str, measurement: Measurement | None) -> str:
    """How a value came to be: only latency is predicted or measured, sizes and scores are exact."""
    if name == "latency_us":
        return measurement.source if measurement and measurement.latency else ""
    return "computed" if name == "accuracy" else "counted"


def _headroom(unit: str, budget: Budget, value: float | None) -> tuple[float | None, float | None]:
    """Distance to the limit, and the share of it that is used; of a minimum fraction, the share of allowed errors."""
    if value is None or budget.limit is None:
        return None, None
    if budget.min is not None:
        used = (1 - value) / (1 - budget.min) if unit == "fraction" and budget.min < 1 else None
        return value - budget.min, used
    return budget.limit - value, value / budget.limit if budget.limit > 0 else None
