"""784-128-128-10: fully connected layers with ReLU between them; the outputs are logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.task import TrainParams

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, kw_only=True)
class DigitsTrain(TrainParams):
    """layers: widths from the input (784 pixels) to the output (10 classes)."""

    layers: tuple[int, ...]


def preprocess(x: np.ndarray) -> np.ndarray:
    """uint8 (N, 28, 28) -> float32 (N, 784) in 0..1, so that the device's int8 input is the pixel - 128."""
    pixels: np.ndarray = x.reshape(len(x), -1).astype("float32") / 255
    return pixels


def network(params: DigitsTrain) -> torch.nn.Module:
    """(N, 784) -> logits (N, 10)."""
    from torch import nn

    modules: list[nn.Module] = []
    for inputs, outputs in zip(params.layers[:-1], params.layers[1:], strict=True):
        modules += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def loss(outputs: Any, targets: Any) -> Any:
    """Cross entropy of logits (N, 10) and classes (N,)."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(outputs, targets.long())
