"""Slack in an absolute budget: to what it could be tightened. A suggestion for people, never applied by itself."""

from __future__ import annotations

import math

from hilgate.gate.policy import allowance
from hilgate.gate.verdict import Axis, Outcome

ROOM = 0.10  # of the worse of both values (of its errors, for a score) stays free, so that the next change fits as well
WORTH = 0.05  # of the budget; a smaller step is not worth a pull request
DIGITS = 2  # of the suggested limit: people choose round numbers


def tightened(axis: Axis, has_base: bool) -> float | None:
    """The limit to suggest, or None: no slack worth it, or the metric does not simply pass.

    Never so tight that base or head would break it, or that a change within twice worse_fail would.
    """
    value, limit = axis.value, axis.budget["min"] if axis.budget["max"] is None else axis.budget["max"]
    passes = all(check.outcome is Outcome.PASS and check.enforced for check in axis.checks)
    if value is None or not isinstance(limit, int | float) or not passes or (has_base and axis.base is None):
        return None
    return _lower(axis, value, limit) if axis.budget["max"] is not None else _higher(axis, value, limit)


def _lower(axis: Axis, value: float, limit: float) -> float | None:
    """For what must not exceed `limit`."""
    worst = value if axis.base is None else max(value, axis.base)
    if worst <= 0:
        return None
    wanted = _round_up(worst + _room(axis, worst, ROOM * worst))
    return wanted if wanted <= limit - WORTH * abs(limit) else None


def _higher(axis: Axis, value: float, limit: float) -> float | None:
    """For a score that must not fall below `limit`: of a share of right samples the errors are the size that counts."""
    worst = value if axis.base is None else min(value, axis.base)
    size = 1 - worst if axis.unit == "fraction" else abs(worst)
    wanted = worst - _room(axis, worst, ROOM * size)
    wanted = 1 - _round_up(1 - wanted) if axis.unit == "fraction" and wanted < 1 else -_round_up(-wanted)
    worth = WORTH * ((1 - limit) if axis.unit == "fraction" else abs(limit))
    return round(wanted, 12) if wanted >= limit + worth and wanted > limit else None


def _room(axis: Axis, worst: float, least: float) -> float:
    fail = axis.budget["worse_fail"]
    return max(least, 2 * (allowance(fail, worst) or 0.0))


def _round_up(number: float) -> float:
    """To DIGITS digits, away from what must fit: 145,376 to 150,000; -0.913 to -0.91."""
    if number == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(number))) - DIGITS + 1)
    return round(math.ceil(number / step - 1e-9) * step, 12)
