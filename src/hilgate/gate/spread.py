"""How much one bench scatters from load to load: a calibration file, and the measurement that makes it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hilgate.artifacts import parse_json
from hilgate.errors import ArtifactError, UsageError
from hilgate.gate.loads import CONFIDENCE, USUAL_PAIRS, inflation, trim, trimmed

FOLDER = "benches"  # of the project: <testbed>.json each, in git, so that the base's calibration judges
TESTBED = re.compile(r"[A-Za-z0-9_-]{1,80}")
LARGEST_BYTES = 64 * 1024
LEAST_LOADS = 2 * USUAL_PAIRS


@dataclass(frozen=True)
class Spread:
    """What a calibration found. spread: standard deviation of ln(median cycles) of one load; upper: its 95 % limit."""

    testbed: str
    board: str
    loads: int
    spread: float
    upper: float
    made: str

    def text(self) -> str:
        return f"{100 * self.upper:.2g} %"


def parse_spread(text: str, where: str) -> Spread:
    """A Spread from the text of a calibration file. Raises ArtifactError."""
    document = parse_json(text, "spread", where=where)
    names = ("testbed", "board", "loads", "spread", "upper", "made")
    found = Spread(**{name: document[name] for name in names})
    if found.upper < found.spread:
        raise ArtifactError("`upper` is below `spread`", where=where, hint="make it again with `hilgate ci calibrate`")
    return found


def calibrate(medians: Sequence[float]) -> dict[str, Any]:
    """`loads`, `spread`, `upper`, `drift` of one image's loads, in the order in which they were measured.

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
    _, error, freedom = trimmed(logs[:, 1] - logs[:, 0], resolution(medians, pairs))
    spread = float(error) * math.sqrt(pairs / (2 * inflation(pairs)))
    upper = spread * math.sqrt(freedom / float(chdtri(freedom, CONFIDENCE)))
    drift = float(np.polyfit(np.linspace(0, 1, pairs), logs.mean(axis=1), 1)[0])
    return {"loads": len(medians), "spread": spread, "upper": upper, "drift": drift, "set_aside": 2 * trim(pairs)}


def resolution(medians: Sequence[float], pairs: int) -> float:
    """Standard error that counting whole cycles leaves in the mean of pairs: each count is uniform within one cycle."""
    return math.sqrt(2 / 12 / pairs) / min(medians)
