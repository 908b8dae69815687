"""The change of a latency that a board measured: from both sides' loads to one check."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilgate.gate import loads
from hilgate.gate.measured import Latency, Load, Measurement
from hilgate.gate.policy import Budget, allowance
from hilgate.gate.spread import FOLDER, Spread, resolution
from hilgate.gate.verdict import Check, Loads, Outcome, quote
from hilgate.units import percent


@dataclass(frozen=True)
class Sides:
    """Both sides of one cell as a board measured them, and how people call them. spread: of that bench, or None."""

    base: Measurement
    head: Measurement
    base_label: str
    head_label: str
    spread: Spread | None


def interleaved(sides: Sides, budget: Budget) -> tuple[Check, Loads | None]:
    """The check `loads` of one cell; `budget` has a worse_fail."""
    paired, obstacle = pairs_of(sides)
    base, head = sides.base.latency, sides.head.latency
    if obstacle or base is None or head is None:
        return Check("loads", Outcome.INCONCLUSIVE, obstacle), None
    session = compare_pairs(paired, base.clock_hz / head.clock_hz)
    spread = sides.spread
    visible = spread.visible(session.pairs) if spread else None
    found = Loads(
        pairs=session.pairs,
        change=session.change,
        p_value=session.p_value,
        significance=loads.FALSE_ALARMS,
        bound=session.bound,
        spread=session.spread,
        calibrated=spread.upper if spread else None,
        visible=visible,
        testbed=str(sides.head.environment.get("target", "")),
    )
    if spread is None:
        return Check("loads", Outcome.INCONCLUSIVE, _uncalibrated(found, sides)), found
    warn, fail = (_share(limit, base.median_us) for limit in (budget.worse_warn, budget.worse_fail))
    outcome = loads.decide(session, math.inf if visible is None else visible, warn, fail)
    return Check("loads", outcome, _sentence(found, visible, outcome, (warn, fail), sides)), found


def pairs_of(sides: Sides) -> tuple[list[tuple[Load, Load]], str]:
    """(base, head) of each pair of neighbours, in the session's order; or why these loads cannot be compared."""
    base, head = sides.base.latency, sides.head.latency
    if base is None or head is None:
        return [], f"missing in the measurement of {sides.base_label if base is None else sides.head_label}"
    obstacle = _not_one_session(sides, base, head) or _not_in_turns(base, head)
    if obstacle:
        return [], obstacle
    in_order = [sorted(side.loads, key=lambda load: load.position) for side in (base, head)]
    return list(zip(*in_order, strict=True)), ""


def _not_in_turns(base: Latency, head: Latency) -> str:
    """Why drift would look like a change, or an empty string: each pair needs both sides, in both orders."""
    count = len(base.loads)
    heads, bases = ({load.position for load in side.loads} for side in (head, base))
    if heads & bases or heads | bases != set(range(2 * count)) or len(heads) != count:
        return "the loads of both sides do not fill one session; measure again"
    firsts = [position in heads for position in range(0, 2 * count, 2)]
    whole = all((position in heads) != (position + 1 in heads) for position in range(0, 2 * count, 2))
    if not whole or not loads.balanced(firsts):
        return "base and head did not take turns, who comes first by lot, so drift would look like a change"
    if count < loads.LEAST_PAIRS:
        return f"{count} loads of each side; fewer than {loads.LEAST_PAIRS} tell nothing"
    return ""


def compare_pairs(paired: list[tuple[Load, Load]], clocks: float = 1.0) -> loads.Comparison:
    """The test on the median times of each pair of loads. clocks: the base's clock over the head's."""
    import numpy as np

    medians = [(base.median, head.median) for base, head in paired]
    differences = np.array([math.log(clocks * head / base) for base, head in medians])
    return loads.compare(differences, resolution([one for both in medians for one in both], len(paired)))


def _not_one_session(sides: Sides, base: Latency, head: Latency) -> str:
    if not base.loads or not head.loads:
        return (
            "one load of each firmware was measured; what a load changes would look like the change itself, so a "
            "comparison needs several interleaved loads of both (docs/statistics.md)"
        )
    if not base.session or base.session != head.session:
        return "base and head were measured in different sessions; interleave their loads in one"
    targets = [str(side.environment.get("target", "")) for side in (sides.base, sides.head)]
    if not targets[0] or targets[0] != targets[1]:
        return f"base and head were measured on different benches, {quote(targets[0])} and {quote(targets[1])}"
    return ""


def _share(limit: float | str | None, base_us: float) -> float:
    """A limit as a share of the base's latency."""
    return (allowance(limit, base_us) or 0.0) / base_us if base_us else 0.0


def _seen(found: Loads, label: str) -> str:
    moved = percent(found.change, 1.0)
    real = "real" if found.p_value <= found.significance else "may be chance"
    return f"{moved} against {label} over {found.pairs} pairs of loads, {real} (p = {found.p_value:.2g})"


def _uncalibrated(found: Loads, sides: Sides) -> str:
    where = f"{FOLDER}/<testbed>.json"
    return (
        f"{_seen(found, sides.base_label)}; but the bench {quote(found.testbed)} is not calibrated, so nothing is "
        f"claimed: `hilgate ci calibrate`, then commit {where} on {sides.base_label}"
    )


def _sentence(found: Loads, visible: float | None, outcome: Outcome, limits: tuple[float, float], sides: Sides) -> str:
    warn, fail = (percent(limit, 1.0).lstrip("+") for limit in limits)
    could = "this bench is disturbed too often to claim anything"
    if visible is not None:
        could = f"this bench finds a slow-down of {percent(visible, 1.0).lstrip('+')} in 99 % of sessions"
    seen = _seen(found, sides.base_label)
    if outcome in (Outcome.FAIL, Outcome.WARN):
        field = f"{fail} that `worse_fail` allows" if outcome is Outcome.FAIL else f"{warn} that `worse_warn` allows"
        return f"{seen}, beyond the {field}; {could}"
    if outcome is Outcome.PASS:
        return f"{seen}; a slow-down beyond {percent(found.bound, 1.0)} is ruled out, and {could}"
    if visible is None:
        return f"{seen}; {could}: find what disturbs it, then `hilgate ci calibrate`"
    if visible > limits[1]:
        needed = loads.pairs_needed(found.calibrated or 0.0, limits[1])
        more = f"measure {needed} pairs" if needed else "no number of loads helps, quieten the bench"
        return f"{seen}; {could}, and worse_fail is {fail}: {more}, or allow more"
    ruled = percent(found.bound, 1.0)
    return f"{seen}; only a slow-down beyond {ruled} is ruled out, and worse_fail is {fail}: measure again"
