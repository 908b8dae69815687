"""Are two models' scores on one test set really different? Paired tests, one-sided: is the head worse than the base?

Both tests ask how often chance alone, which swaps base and head on each sample with probability 1/2, gives a drop as
large as the one seen. For right-or-wrong scores that is McNemar's exact test (Q. McNemar, Psychometrika 12, 1947; the
binomial form), for others the sign-flip permutation test on the mean, of which McNemar's is the special case
(R. A. Fisher, The Design of Experiments, 1935, section 21). docs/statistics.md explains the choice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hilgate.gate.measured import Samples
from hilgate.gate.verdict import Pairs

if TYPE_CHECKING:
    import numpy as np

SIGNIFICANCE = (
    0.01  # chance of calling a drop real that is none: one gate run in a hundred, before any limit is applied
)
FLIPS = 9999
FLIP_BUDGET = 200_000_000  # sample flips; beyond it fewer rounds, never fewer than LEAST_FLIPS
LEAST_FLIPS = 999
SEED = 20261120  # the flips are the same whatever the data, so that equal inputs give equal verdicts


def compare(base: Samples, head: Samples) -> Pairs:
    """The paired test of two equally long lists of scores on the same samples in the same order."""
    import numpy as np

    sign = 1.0 if head.higher_is_better else -1.0
    drops = sign * (np.asarray(base.scores, np.float64) - np.asarray(head.scores, np.float64))
    base_only, head_only = int((drops > 0).sum()), int((drops < 0).sum())
    if base.binary and head.binary:
        p_value, visible = mcnemar(base_only, head_only), _visible_drop(base_only + head_only) / len(drops)
        method = "McNemar, exact"
    else:
        p_value, visible = _sign_flip(drops), _visible_mean(drops)
        method = "sign-flip permutation test"
    return Pairs(len(drops), base_only, head_only, p_value, SIGNIFICANCE, visible, method)


def mcnemar(base_only: int, head_only: int) -> float:
    """P(at least base_only heads in base_only + head_only fair tosses)."""
    from scipy.special import bdtrc

    if base_only == 0:
        return 1.0
    return float(bdtrc(base_only - 1, base_only + head_only, 0.5))


def _visible_drop(discordant: int) -> int:
    """The fewest net lost samples that the test calls real, at this number of samples on which the models disagree."""
    drop = 1
    while True:
        pairs = max(discordant, drop)
        worse = math.ceil((pairs + drop) / 2)
        if mcnemar(worse, pairs - worse) <= SIGNIFICANCE:
            return 2 * worse - pairs
        drop += 1


def _sign_flip(drops: np.ndarray) -> float:
    """(1 + rounds whose flipped mean is at least as large) / (1 + rounds); never 0, which would claim too much.

    A round keeps the samples of a random half flipped: sum(flipped drops) >= sum(drops) exactly when the flipped ones
    sum to <= 0. Rounds do not depend on the data, so making any sample worse never raises the result.
    """
    import numpy as np

    rounds = max(LEAST_FLIPS, min(FLIPS, FLIP_BUDGET // max(len(drops), 1)))
    generator = np.random.default_rng(SEED)
    extreme, rounding = 0, 1e-12 * float(np.abs(drops).sum())
    for start in range(0, rounds, 64):
        masks = generator.integers(0, 2, (min(64, rounds - start), len(drops)), dtype=np.int8).astype(np.float64)
        extreme += int((masks @ drops <= rounding).sum())
    return (1 + extreme) / (1 + rounds)


def _visible_mean(drops: np.ndarray) -> float:
    """The mean drop at which a normal approximation of the test reaches SIGNIFICANCE, at the spread seen."""
    from scipy.special import ndtri

    return float(-ndtri(SIGNIFICANCE) * math.sqrt(float((drops**2).sum())) / max(len(drops), 1))
