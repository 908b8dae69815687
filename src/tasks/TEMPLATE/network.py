"""The network and what it is fed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.task import TrainParams

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, kw_only=True)
class Train(TrainParams):
    """hidden: width of the layer between the 32 readings and the 3 classes."""

    hidden: int


def preprocess(x: np.ndarray) -> np.ndarray:
    """int16 (N, 32) in 0..4095 -> float32 (N, 32) in -1..1."""
    readings: np.ndarray = (x.astype("float32") - 2048) / 2048
    return readings


def network(params: Train) -> torch.nn.Module:
    """(N, 32) -> logits (N, 3)."""
    from torch import nn

    return nn.Sequential(nn.Linear(32, params.hidden), nn.ReLU(), nn.Linear(params.hidden, 3))


def loss(outputs: Any, targets: Any) -> Any:
    """Cross entropy of logits (N, 3) and classes (N,)."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(outputs, targets.long())
