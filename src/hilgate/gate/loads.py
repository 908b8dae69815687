"""Is the head slower, as several interleaved loads of both firmwares on one bench tell it? docs/statistics.md explains.

Runs within one load agree with each other for reasons that have nothing to do with the change, so the unit is the load.
Base and head take turns; neighbours make a pair, and a pair gives one number: ln(head / base) of the medians of its two
loads. Who comes first in a pair is drawn by lot. So if the firmwares are equal, each pair is a fair coin whatever the
bench does, and the sign test's level is exact; drift is nearly the same for both loads of a pair and cancels. The size
comes from the trimmed t-test (J. W. Tukey, D. H. McLaughlin, Sankhya A 25, 1963; K. K. Yuen, Biometrika 61, 1974), so
that a load which something disturbed neither hides a slow-down nor looks like one. Both tests must agree.

Arrays have the pairs on their last axis; everything before it is other sessions, so that a simulation calls the very
functions that the gate calls.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.gate.verdict import Outcome

if TYPE_CHECKING:
    import numpy as np

FALSE_ALARMS = 4e-4  # claimed, and the level: equal firmwares are called slower in at most so many sessions
LIBERAL = 2.0  # with few pairs the trimmed t-test's p-values are up to 1.7 times too small
MISS_LEVEL = 0.005  # asked of the confidence bound and of the trimmed t-test's power: half of 1 %, for the same reason
SIGN_MISSES = 0.004  # asked of the sign test's power; with the other at most 1 % of sessions miss a visible slow-down
CONFIDENCE = 0.95  # of the upper limit of a calibrated spread
LEAST_PAIRS = 12  # with fewer no result of the sign test is rare enough
USUAL_PAIRS = 20  # two pairs may contradict
MOST_PAIRS = 500


@dataclass(frozen=True)
class Comparison:
    """What one session showed. change: the relative change of the latency, 0.02 is slower by 2 %; p_value: one-sided.

    bound: the slow-down is below this with 99 % confidence; spread: of one load, as this session shows it, relative.
    """

    pairs: int
    change: float
    p_value: float
    bound: float
    spread: float


def interleave(pairs: int, generator: random.Random | None = None) -> tuple[bool, ...]:
    """Whose turn it is at each of 2 * pairs loads, True: the head's. generator: for simulations; else the system's.

    A coin for each pair; drawn again while the head comes first in less than a quarter of them, or more than three.
    """
    draw = generator or random.SystemRandom()
    while True:
        firsts = [draw.random() < 0.5 for _ in range(pairs)]
        if balanced(firsts):
            return tuple(turn for first in firsts for turn in (first, not first))


def balanced(firsts: Sequence[bool]) -> bool:
    """Whether both orders come often enough that drift cannot lean to one side."""
    return abs(2 * sum(firsts) - len(firsts)) <= max(1, len(firsts) // 2)


def compare(differences: np.ndarray, least: float = 0.0) -> Comparison:
    """The tests on ln(head / base) of each pair, shape (pairs,). least: standard error below which nothing is known."""
    change, error, freedom = trimmed(differences, least)
    scale = math.sqrt(len(differences) / (2 * inflation(len(differences))))
    return Comparison(
        pairs=len(differences),
        change=math.expm1(float(change)),
        p_value=float(p_values(differences, least)),
        bound=math.expm1(float(upper_bounds(change, error, freedom))),
        spread=float(error) * scale,
    )


def trimmed(differences: np.ndarray, least: float = 0.0) -> tuple[Any, Any, int]:
    """Trimmed mean of (..., pairs), its standard error from the winsorised deviations, degrees of freedom."""
    import numpy as np

    ordered = np.sort(differences, axis=-1)
    pairs, cut = ordered.shape[-1], trim(ordered.shape[-1])
    kept = ordered[..., cut : pairs - cut]
    winsorised = np.clip(ordered, kept[..., :1], kept[..., -1:])
    error = winsorised.std(axis=-1, ddof=1) * math.sqrt(pairs) / kept.shape[-1]
    return kept.mean(axis=-1), np.maximum(error, max(least, 1e-15)), kept.shape[-1] - 1


def trim(pairs: int) -> int:
    """How many pairs are set aside at each end: an eighth, at least one."""
    return max(1, pairs // 8)


def p_values(differences: np.ndarray, least: float = 0.0) -> Any:
    """How often equal firmwares would look at least that much slower: the larger one of both tests, at most 1."""
    import numpy as np
    from scipy.special import bdtrc, stdtr

    change, error, freedom = trimmed(differences, least)
    pairs, slower = differences.shape[-1], (differences > 0).sum(axis=-1)
    by_signs = np.where(slower > 0, bdtrc(np.maximum(slower - 1, 0), pairs, 0.5), 1.0)
    return np.maximum(np.minimum(LIBERAL * stdtr(freedom, -change / error), 1.0), by_signs)


def upper_bounds(change: Any, error: Any, freedom: int) -> Any:
    """The slow-down, in ln, that the session rules out, wrongly in at most 1 % of sessions."""
    from scipy.special import stdtrit

    return change + error * stdtrit(freedom, 1 - MISS_LEVEL)


def visible_change(spread: float, pairs: int) -> float:
    """The smallest slow-down that is called real in 99 % of sessions, where one load's spread is `spread`; relative.

    For loads that scatter normally: where both tests have their power, the t-test's by the noncentral t distribution.
    """
    from scipy.special import bdtri, nctdtrinc, ndtri, stdtrit

    freedom = pairs - 2 * trim(pairs) - 1
    by_size = float(nctdtrinc(freedom, MISS_LEVEL, stdtrit(freedom, 1 - FALSE_ALARMS / LIBERAL)))
    contradicts = float(bdtri(may_contradict(pairs), pairs, 1 - SIGN_MISSES))
    by_signs = -float(ndtri(contradicts)) * math.sqrt(2) * spread
    return math.expm1(max(by_size * spread * math.sqrt(2 / pairs * inflation(pairs)), by_signs))


def may_contradict(pairs: int) -> int:
    """How many pairs may look faster while the sign test still calls the head slower."""
    from scipy.special import bdtr

    return max(count for count in range(pairs) if bdtr(count, pairs, 0.5) <= FALSE_ALARMS)


def pairs_needed(spread: float, limit: float) -> int | None:
    """The fewest pairs with which a slow-down of `limit` is visible; None: more than MOST_PAIRS."""
    return next((n for n in range(LEAST_PAIRS, MOST_PAIRS + 1) if visible_change(spread, n) <= limit), None)


def inflation(pairs: int) -> float:
    """Variance of the trimmed mean of normal values over that of the plain mean (for many pairs)."""
    from scipy.special import ndtri

    share = trim(pairs) / pairs
    z = float(ndtri(1 - share))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return (1 - 2 * share - 2 * z * density + 2 * share * z * z) / (1 - 2 * share) ** 2


def decide(session: Comparison, visible: float, warn: float, fail: float) -> Outcome:
    """The gate's answer. visible: what this bench can see with so many pairs; warn, fail: allowed slow-downs, relative.

    Called slower only when significant; passed only when the calibrated spread carries the limit and this session by
    itself rules out a slow-down beyond it; else inconclusive.
    """
    if session.p_value <= FALSE_ALARMS and session.change > warn:
        return Outcome.FAIL if session.change > fail else Outcome.WARN
    if visible > fail or session.bound > fail:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS
