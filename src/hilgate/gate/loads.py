"""Is the head slower, as several interleaved loads of both firmwares on one bench tell it? docs/statistics.md explains.

Runs within one load agree with each other for reasons that have nothing to do with the change, so the unit is the load.
Base and head take turns, in the order of the Thue-Morse sequence; neighbours make a pair, and a pair gives one number:
ln(head / base) of the medians of its two loads. Drift is nearly the same for both loads of a pair, so it cancels.
The pairs are judged by the trimmed t-test (J. W. Tukey, D. H. McLaughlin, Sankhya A 25, 1963; K. K. Yuen, Biometrika
61, 1974), so that a load which something disturbed neither hides a slow-down nor looks like one.

Arrays have the pairs on their last axis; everything before it is other sessions, so that a simulation calls the very
functions that the gate calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.gate.verdict import Outcome

if TYPE_CHECKING:
    import numpy as np

FALSE_ALARMS = 4e-4  # claimed: equal firmwares are called slower in at most so many sessions
LEVEL = 2e-4  # asked of the test: with few pairs its real level is up to 1.7 times that (docs/statistics.md)
MISSES = 0.01  # claimed: a slow-down of the visible size goes unseen in at most so many sessions
MISS_LEVEL = 0.005  # asked of the confidence bound and of the power, for the same reason
CONFIDENCE = 0.95  # of the upper limit of a calibrated spread
LEAST_PAIRS = 8  # with fewer the test needs differences that no budget allows
USUAL_PAIRS = 16
MOST_PAIRS = 500


@dataclass(frozen=True)
class Comparison:
    """What one session showed. change: the relative change of the latency (0.02: slower by 2 %); p_value: one-sided;

    bound: the slow-down is below this with 99 % confidence; spread: of one load, as this session shows it, relative.
    """

    pairs: int
    change: float
    p_value: float
    bound: float
    spread: float


def interleave(pairs: int) -> tuple[bool, ...]:
    """Whose turn it is at each of 2 * pairs loads, True: the head's.

    Thue-Morse: each pair has both sides, in both orders equally often, and of 2**k loads every polynomial drift up to
    the power k - 1 cancels in the mean.
    """
    return tuple(bool(position.bit_count() & 1) for position in range(2 * pairs))


def compare(differences: np.ndarray, least: float = 0.0) -> Comparison:
    """The test on ln(head / base) of each pair, shape (pairs,). least: standard error below which nothing is known."""
    change, error, freedom = trimmed(differences, least)
    scale = math.sqrt(len(differences) / (2 * inflation(len(differences))))
    return Comparison(
        pairs=len(differences),
        change=math.expm1(float(change)),
        p_value=float(p_values(change, error, freedom)),
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


def p_values(change: Any, error: Any, freedom: int) -> Any:
    """How often equal firmwares would look at least that much slower."""
    from scipy.special import stdtr

    return stdtr(freedom, -change / error)


def upper_bounds(change: Any, error: Any, freedom: int) -> Any:
    """The slow-down, in ln, that the session rules out with at most MISSES errors."""
    from scipy.special import stdtrit

    return change + error * stdtrit(freedom, 1 - MISS_LEVEL)


def visible_change(spread: float, pairs: int) -> float:
    """The smallest slow-down that is called real in 99 % of sessions, where one load's spread is `spread`; relative."""
    from scipy.special import nctdtrinc, stdtrit

    freedom = pairs - 2 * trim(pairs) - 1
    needed = float(nctdtrinc(freedom, MISS_LEVEL, stdtrit(freedom, 1 - LEVEL)))
    return math.expm1(needed * spread * math.sqrt(2 / pairs * inflation(pairs)))


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
    if session.p_value <= LEVEL and session.change > warn:
        return Outcome.FAIL if session.change > fail else Outcome.WARN
    if visible > fail or session.bound > fail:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS
