"""Top-1 accuracy: the share of windows whose largest output is the right class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.task import Metric

if TYPE_CHECKING:
    import numpy as np


def top1(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """outputs (N, classes), targets (N,) -> float64 (N,) of 0 and 1. Of equal outputs the first one counts."""
    right: np.ndarray = outputs.argmax(axis=1) == targets
    return right.astype("float64")


METRIC = Metric("accuracy", top1)
