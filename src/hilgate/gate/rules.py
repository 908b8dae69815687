"""The rules of one metric in one cell: absolute budget, change against base. Each gives one Check with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hilgate.gate.interleaved import Sides, interleaved
from hilgate.gate.measured import Measurement
from hilgate.gate.paired import compare
from hilgate.gate.policy import Budget, allowance
from hilgate.gate.spread import Spread
from hilgate.gate.verdict import Check, Loads, Outcome, Pairs, quote
from hilgate.units import allowed, amount, change

TOOLCHAIN = ("compiler", "compiler_version")  # environment keys that must agree before sizes are comparable
COST_MODEL = ("cost_model",)  # and these as well, before predicted cycles are
ENFORCED_EVIDENCE = ("measured", "calibrated", "validated")


@dataclass(frozen=True)
class Context:
    """What every rule must know: how the sides are called, why there is no baseline, who approved the requests.

    spreads: the calibrated benches, by testbed. asked: the budgets that the head itself sets for this cell, by metric.
    """

    base_label: str
    head_label: str
    policy: str
    no_baseline: str
    approved_by: str
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    asked: Mapping[str, Budget] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """One metric of one cell on both sides, in `unit`; lower_is_better decides what worse means."""

    name: str
    unit: str
    value: float
    base: float | None
    lower_is_better: bool

    @property
    def worse(self) -> float:
        """How much worse than base, positive when worse."""
        difference = self.value - (self.base or 0.0)
        return difference if self.lower_is_better else -difference


def beyond(value: float, limit: float) -> bool:
    """value > limit, but not by rounding: 0.98 - 0.977 is not beyond 0.003."""
    return value - limit > 1e-12 + 1e-9 * max(abs(value), abs(limit))


def absolute(metric: Metric, budget: Budget, enforced: bool, head: Measurement, context: Context) -> Check:
    """The value against max or min."""
    limit = budget.limit
    if limit is None:
        return no_budget("absolute", metric, head.cell, context)
    broken = beyond(metric.value, limit) if metric.lower_is_better else beyond(limit, metric.value)
    side = "above" if metric.lower_is_better else "below"
    values = f"{amount(metric.unit, metric.value)} is {side} the budget of {amount(metric.unit, limit)}"
    if not enforced:
        why = f"not enforced: {head.source}, evidence `{head.evidence}`"
        if broken:
            return Check("absolute", Outcome.WARN, f"{values}; {why}", enforced=False)
        return Check("absolute", Outcome.PASS, f"absolute budget {why}", enforced=False)
    if broken:
        return Check("absolute", Outcome.FAIL, values)
    return Check("absolute", Outcome.PASS, f"within the budget of {amount(metric.unit, limit)}")


def no_budget(rule: str, metric: Metric, cell: str, context: Context) -> Check:
    """A metric that the policy does not limit; where the head brings a limit, that one waits for its approval."""
    asked = context.asked.get(metric.name, Budget())
    if asked.limit is None and asked.skip is None:
        where = f"gate.{cell}.{metric.name} of params.yaml"
        reason = f"no absolute budget in the policy of {context.policy}; set {where}"
        return Check(rule, Outcome.INCONCLUSIVE, reason)
    wanted = f"not to judge it ({quote(asked.skip)})"
    if asked.limit is not None:
        sign = "≤" if asked.min is None else "≥"
        wanted = f"{sign} {amount(metric.unit, asked.limit)}"
    reason = f"no absolute budget in the policy of {context.policy}"
    reason = f"{reason}; what {context.head_label} sets, {wanted}, waits for an approval"
    return Check(rule, Outcome.WAITING, reason)


def relative(metric: Metric, budget: Budget, obstacle: str, context: Context) -> Check:
    """The change against base, for values that are exact under one toolchain: any difference is real."""
    if obstacle or metric.base is None:
        return Check("relative", Outcome.INCONCLUSIVE, obstacle or context.no_baseline)
    if budget.worse_fail is None:
        return _no_limit(metric, context)
    outcome = _level(metric, budget)
    return Check("relative", outcome, _sentence(metric, budget, outcome, context))


def paired(
    metric: Metric, budget: Budget, base: Measurement | None, head: Measurement, context: Context
) -> tuple[Check, Pairs | None]:
    """The accuracies of two models on the full test set; a drop fails only beyond worse_fail and significant."""
    if base is None or metric.base is None:
        return Check("paired", Outcome.INCONCLUSIVE, context.no_baseline), None
    obstacle = not_pairable(base, head, context)
    if obstacle or base.samples is None or head.samples is None:
        return Check("paired", Outcome.INCONCLUSIVE, obstacle), None
    pairs = compare(base.samples, head.samples)
    if budget.worse_fail is None:
        return _no_limit(metric, context), pairs
    outcome = _level(metric, budget)
    reason = _sentence(metric, budget, outcome, context)
    significant = pairs.p_value <= pairs.significance
    if outcome is Outcome.FAIL:
        reason += f" ({pairs.method}: p = {pairs.p_value:.2g}, level {pairs.significance:g})"
        if not significant:
            outcome = Outcome.INCONCLUSIVE
            seen = change(metric.unit, pairs.visible).lstrip("+")
            reason += f"; this test set cannot tell it from chance, the smallest drop it could call real is {seen}"
    return Check("paired", outcome, reason), pairs


def measured(
    metric: Metric, budget: Budget, base: Measurement, head: Measurement, context: Context
) -> tuple[Check, Loads | None]:
    """The latencies that a board measured; the loads decide, and the smallest visible change is said."""
    if budget.worse_fail is None:
        return _no_limit(metric, context), None
    spread = context.spreads.get(str(head.environment.get("target", "")))
    if spread is not None and spread.board != head.board:
        spread = None  # somebody else's calibration under this chip's name
    check, loads = interleaved(Sides(base, head, context.base_label, context.head_label, spread), budget)
    obstacle = across_methods(base, head, context)
    return (Check("loads", Outcome.INCONCLUSIVE, obstacle) if obstacle else check), loads


def not_pairable(base: Measurement, head: Measurement, context: Context) -> str:
    """Why base and head cannot be compared sample by sample, or an empty string."""
    for side, label in ((base, context.base_label), (head, context.head_label)):
        if side.samples is None:
            return f"{label} has no samples.json, so the models cannot be compared in pairs; make it with `dvc repro`"
    if base.hashes["dataset"] != head.hashes["dataset"]:
        return f"{context.head_label} has another test set than {context.base_label}"
    if base.samples and head.samples:
        if (base.metric, base.samples.higher_is_better) != (head.metric, head.samples.higher_is_better):
            return f"{context.head_label} scores by {quote(head.metric)}, {context.base_label} by {quote(base.metric)}"
        if len(base.samples.scores) != len(head.samples.scores):
            return "the test sets have different numbers of samples"
    return ""


def across_toolchains(base: Measurement, head: Measurement, context: Context) -> str:
    """Why sizes or cycles of two builds cannot be compared, or an empty string."""
    if another_toolchain(base, head):
        old, new = quote(toolchain(base)), quote(toolchain(head))
        why = "sizes and cycles of two compilers are not compared"
        return f"another compiler: {old} in {context.base_label}, {new} in {context.head_label}; {why}"
    return _differing("toolchain", TOOLCHAIN, base, head, context)


def toolchain(measurement: Measurement) -> str:
    """Compiler and version, or an empty string where the measurement does not name both."""
    named = [measurement.environment.get(key) for key in TOOLCHAIN]
    return " ".join(map(str, named)) if all(named) else ""


def another_toolchain(base: Measurement, head: Measurement) -> bool:
    """Whether both sides name their compiler, and it is not the same one."""
    old, new = toolchain(base), toolchain(head)
    return bool(old and new and old != new)


def across_methods(base: Measurement, head: Measurement, context: Context) -> str:
    """Why two latencies cannot be compared, or an empty string."""
    if base.source != head.source:
        return f"{context.head_label} is {head.source}, {context.base_label} is {base.source}; these are never compared"
    reason = across_toolchains(base, head, context)
    if head.source == "measured":
        return reason
    return reason or _differing("cost model", COST_MODEL, base, head, context)


def _differing(what: str, keys: tuple[str, ...], base: Measurement, head: Measurement, context: Context) -> str:
    for key in keys:
        old, new = base.environment.get(key), head.environment.get(key)
        if old is None and new is None and key != keys[0]:
            continue
        if old is None or new is None:
            side = context.head_label if new is None else context.base_label
            return f"the measurement of {side} does not name its {what} (`environment.{key}`)"
        if old != new:
            return f"another {what}: {quote(old)} in {context.base_label}, {quote(new)} in {context.head_label}"
    return ""


def _level(metric: Metric, budget: Budget) -> Outcome:
    """worse_warn defaults to 0: whatever gets worse is at least a warning."""
    base = metric.base or 0.0
    if beyond(metric.worse, allowance(budget.worse_fail, base) or 0.0):
        return Outcome.FAIL
    warn = allowance(budget.worse_warn, base)
    return Outcome.WARN if beyond(metric.worse, warn or 0.0) else Outcome.PASS


def _sentence(metric: Metric, budget: Budget, outcome: Outcome, context: Context) -> str:
    if metric.base is None or metric.value == metric.base:
        return f"as in {context.base_label}"
    moved = change(metric.unit, metric.value - metric.base, metric.base)
    if not beyond(metric.worse, 0.0):
        return f"{moved} against {context.base_label}, better"
    field = "worse_fail" if outcome is Outcome.FAIL else "worse_warn"
    limit = getattr(budget, field)
    verb = "within" if outcome is Outcome.PASS else "beyond"
    return (
        f"{moved} against {context.base_label}, {verb} the {allowed(metric.unit, limit or 0.0)} that `{field}` allows"
    )


def _no_limit(metric: Metric, context: Context) -> Check:
    reason = f"no limit on its change in the policy of {context.policy}; set {metric.name}.worse_fail"
    return Check("relative", Outcome.INCONCLUSIVE, reason)
