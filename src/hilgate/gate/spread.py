"""How much one bench scatters from load to load: a calibration file, and the measurement that makes it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hilgate.artifacts import parse_json
from hilgate.errors import ArtifactError, UsageError
from hilgate.gate.loads import CONFIDENCE, USUAL_PAIRS, inflation, trimmed, visible_change

FOLDER = "benches"  # of the project: <testbed>.json each, in git, so that the base's calibration judges
TESTBED = re.compile(r"[A-Za-z0-9_-]{1,80}")
LARGEST_BYTES = 64 * 1024
LEAST_LOADS = 2 * USUAL_PAIRS
FAR = 5.0  # standard deviations from the middle; a pair beyond it was disturbed
MOST_DISTURBED = 0.0625  # share of pairs; beyond it a bench finds the visible change in less than 99 % of sessions


@dataclass(frozen=True)
class Spread:
    """What a calibration found. spread: standard deviation of ln(median cycles) of one load; upper: its 95 % limit;

    disturbed: share of pairs of loads that lay far from all others.
    """

    testbed: str
    board: str
    loads: int
    spread: float
    upper: float
    disturbed: float
    made: str

    def visible(self, pairs: int) -> float | None:
        """The smallest relative slow-down that it finds in 99 % of sessions; None: disturbed too often to say."""
        return visible_change(self.upper, pairs) if self.disturbed <= MOST_DISTURBED else None

    def text(self) -> str:
        return f"{100 * self.upper:.2g} %"


def parse_spread(text: str, where: str) -> Spread:
    """A Spread from the text of a calibration file. Raises ArtifactError."""
    document = parse_json(text, "spread", where=where)
    names = ("testbed", "board", "loads", "spread", "upper", "disturbed", "made")
    found = Spread(**{name: document[name] for name in names})
    if found.upper < found.spread:
        raise ArtifactError("`upper` is below `spread`", where=where, hint="make it again with `hilgate ci calibrate`")
    return found


def calibrate(medians: Sequence[float]) -> dict[str, Any]:
    """`loads`, `spread`, `upper`, `disturbed`, `drift` of one image's loads, in the order in which they were measured.

    Neighbours are paired as in a comparison, so drift cancels as it does there. Raises UsageError: too few loads.
    """
    import numpy as np
    from scipy.special import chdtri

    if len(medians) < LEAST_LOADS:
        hint = f"measure at least {LEAST_LOADS} loads of one image"
        raise UsageError(f"{len(medians)} loads are too few to calibrate a bench", hint=hint)
    if min(medians) <= 0:
        raise UsageError("a load without cycles", hint="measure again; the counter did not run")
    pairs = len(medians) // 2
    logs = np.log(np.asarray(medians[: 2 * pairs], np.float64)).reshape(pairs, 2)
    differences = logs[:, 1] - logs[:, 0]
    middle, error, freedom = trimmed(differences, resolution(medians, pairs))
    of_a_pair = float(error) * math.sqrt(pairs / inflation(pairs))
    spread = of_a_pair / math.sqrt(2)
    disturbed = float(np.mean(np.abs(differences - middle) > FAR * of_a_pair))
    upper = spread * math.sqrt(freedom / float(chdtri(freedom, CONFIDENCE)))
    drift = float(np.polyfit(np.linspace(0, 1, pairs), logs.mean(axis=1), 1)[0])
    return {"loads": len(medians), "spread": spread, "upper": upper, "disturbed": disturbed, "drift": drift}


def resolution(medians: Sequence[float], pairs: int) -> float:
    """Standard error that counting whole cycles leaves in the mean of pairs: each count is uniform within one cycle."""
    return math.sqrt(2 / 12 / pairs) / min(medians)
