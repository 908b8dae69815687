"""ResNet-8 of MLPerf Tiny's image classification: three residual stacks of 16, 32 and 64 channels, 12,501,632 MACs.

Source of the topology: MLPerf Tiny v1.x, benchmark/training/image_classification/keras_model.py (resnet_v1_eembc). Two
things differ: a 3 x 3 convolution of stride 2 pads one pixel on each side, and the outputs are logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hilgate.task import TrainParams

if TYPE_CHECKING:
    import numpy as np
    import torch

CHANNELS = (16, 32, 64)
CLASSES = 10
SIDE = 8  # pixels of the last stack: 32 halved twice
MARGIN = 4  # pixels of the random shift


@dataclass(frozen=True, kw_only=True)
class Cifar10Train(TrainParams):
    """Nothing of its own: the network is fixed."""


def preprocess(x: np.ndarray) -> np.ndarray:
    """uint8 (N, 3, 32, 32) -> float32 of the same shape in -1..1: the device's int8 input is the pixel - 128."""
    pixels: np.ndarray = (x.astype("float32") - 128) / 128
    return pixels


def augment(x: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Each image shifted by up to MARGIN pixels (grey comes in) and mirrored half of the time."""
    import torch

    n, _, height, width = x.shape
    padded = torch.nn.functional.pad(x, (MARGIN,) * 4).permute(0, 2, 3, 1)  # (N, H + 8, W + 8, C)
    down, right = (torch.randint(0, 2 * MARGIN + 1, (n, 1), generator=random) for _ in range(2))
    columns = torch.arange(width).expand(n, width)
    mirrored = torch.rand(n, 1, generator=random) < 0.5
    columns = torch.where(mirrored, width - 1 - columns, columns) + right
    rows = torch.arange(height) + down
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def network(params: Cifar10Train) -> torch.nn.Module:
    """(N, 3, 32, 32) -> logits (N, 10). Weights lie channels-last, which trains faster on a CPU."""
    import torch
    from torch import nn

    widths = (CHANNELS[0], *CHANNELS)
    stacks = [_stack(inputs, outputs) for inputs, outputs in pairwise(widths)]
    head = [nn.AvgPool2d(SIDE), nn.Flatten(), nn.Linear(CHANNELS[-1], CLASSES)]
    whole = nn.Sequential(*_conv(3, CHANNELS[0]), nn.ReLU(), *stacks, *head)
    whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack this form
    return whole


def loss(outputs: Any, targets: Any) -> Any:
    """Cross entropy of logits (N, 10) and classes (N,)."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(outputs, targets.long())


def _conv(inputs: int, outputs: int, stride: int = 1) -> list[torch.nn.Module]:
    from torch import nn

    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs)]


def _stack(inputs: int, outputs: int) -> torch.nn.Module:
    """relu(two convolutions + shortcut); the shortcut is a 1 x 1 convolution of stride 2 where the width changes."""
    from torch import nn

    stride = 1 if inputs == outputs else 2
    shortcut = nn.Identity() if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride)
    body = nn.Sequential(*_conv(inputs, outputs, stride), nn.ReLU(), *_conv(outputs, outputs))
    return _residual()(body, shortcut)


@cache
def _residual() -> type[torch.nn.Module]:
    """The class, made on first use, because importing torch takes a second."""
    import torch

    class Residual(torch.nn.Module):
        def __init__(self, body: torch.nn.Module, shortcut: torch.nn.Module) -> None:
            super().__init__()
            self.body, self.shortcut = body, shortcut

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.body(x) + self.shortcut(x))

    return Residual
