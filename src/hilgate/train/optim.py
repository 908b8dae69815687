"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hilgate.task import TrainParams

if TYPE_CHECKING:
    import torch

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "cosine")


def make_optimizer(network: torch.nn.Module, settings: TrainParams) -> torch.optim.Optimizer:
    """Weight decay acts on weights only, not on biases and normalisation (vectors)."""
    import torch

    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.Adam(groups, lr=settings.learning_rate)


def make_schedule(
    optimizer: torch.optim.Optimizer, settings: TrainParams, batches: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """The learning rate's factor before each batch; `batches` of them make an epoch."""
    import torch

    total = settings.epochs * batches
    warmup = min(batches, total // 2)

    def factor(step: int) -> float:
        if settings.schedule == "constant":
            return 1.0
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
