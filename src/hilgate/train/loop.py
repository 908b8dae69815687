"""The training loop: epochs of shuffled batches, each followed by a look at the validation split."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.console import progress
from hilgate.errors import ModelError, ParamsError
from hilgate.task import Split, Task, TrainParams, make_network
from hilgate.train.optim import OPTIMIZERS, SCHEDULES, make_optimizer, make_schedule

if TYPE_CHECKING:
    import torch

EVALUATION_BATCH = 1000
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Epoch:
    """Mean losses and the validation score after one pass over the training split."""

    train_loss: float
    validation_loss: float
    validation_score: float


@dataclass(frozen=True)
class Trained:
    network: torch.nn.Module
    history: tuple[Epoch, ...]


def check_params(settings: TrainParams, where: str) -> None:
    """Raise ParamsError for values that no training can use."""
    limits = {"epochs": settings.epochs, "batch": settings.batch, "threads": settings.threads}
    for key, value in limits.items():
        if value < 1:
            raise ParamsError(f"`{key}` must be at least 1, not {value}", where=where)
    if not 0 < settings.learning_rate < math.inf:
        raise ParamsError(f"`learning_rate` must be positive, not {settings.learning_rate}", where=where)
    if not 0 <= settings.weight_decay < math.inf:
        raise ParamsError(f"`weight_decay` must not be negative, not {settings.weight_decay}", where=where)
    for key, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("precision", PRECISIONS)):
        if getattr(settings, key) not in known:
            raise ParamsError(f"`{key}` must be one of {', '.join(known)}", where=where)


def train(
    task: Task, settings: TrainParams, training: Split, validation: Split, after_epoch: Callable[[Trained], None]
) -> Trained:
    """Train a new network. Raises ModelError: the network does not take the data, or the loss diverges."""
    import torch

    network = make_network(task, settings)
    _try_one(task, network, training)
    shuffler = torch.Generator().manual_seed(settings.seed)
    batches = math.ceil(len(training.x) / settings.batch)
    optimizer = make_optimizer(network, settings)
    schedule = make_schedule(optimizer, settings, batches)
    history: list[Epoch] = []
    with progress() as bar:
        row = bar.add_task(f"train {task.name}", total=settings.epochs * batches)
        for number in range(1, settings.epochs + 1):
            total = 0.0
            for x, y in _batches(task, training, settings.batch, shuffler):
                total += _step(task, settings, network, optimizer, (x, y)) * len(x)
                schedule.step()
                bar.advance(row)
            history.append(_look(task, network, total / len(training.x), validation, number))
            after_epoch(Trained(network, tuple(history)))
            bar.update(row, description=f"train {task.name} {history[-1].validation_score:.4f}")
    return Trained(network, tuple(history))


def score(task: Task, network: torch.nn.Module, split: Split) -> float:
    """The task's metric of the network on a split."""
    return float(task.metric.per_sample(_outputs(task, network, split).numpy(), split.y).mean())


def _batches(task: Task, split: Split, size: int, shuffler: torch.Generator) -> Iterator[tuple[Any, Any]]:
    """Preprocessed, augmented batches in an order that only the generator decides."""
    import torch

    for index in torch.split(torch.randperm(len(split.x), generator=shuffler), size):
        x = torch.from_numpy(task.preprocess(split.x[index.numpy()]))
        if task.augment is not None:
            x = task.augment(x, shuffler)
        yield x, torch.from_numpy(split.y[index.numpy()])


def _step(
    task: Task, settings: TrainParams, network: torch.nn.Module, optimizer: torch.optim.Optimizer, pair: tuple[Any, Any]
) -> float:
    import torch

    network.train()
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bfloat16"):
        outputs = network(pair[0])
    loss = task.loss(outputs.float(), pair[1])
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def _look(task: Task, network: torch.nn.Module, train_loss: float, validation: Split, number: int) -> Epoch:
    import torch

    outputs = _outputs(task, network, validation)
    loss = float(task.loss(outputs, torch.from_numpy(validation.y)))
    if not (math.isfinite(train_loss) and math.isfinite(loss)):
        raise ModelError(
            f"the loss is no number after epoch {number}", where=f"train {task.name}", hint="lower learning_rate"
        )
    return Epoch(train_loss, loss, float(task.metric.per_sample(outputs.numpy(), validation.y).mean()))


def _outputs(task: Task, network: torch.nn.Module, split: Split) -> Any:
    import torch

    network.eval()
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(task.preprocess(split.x[i : i + EVALUATION_BATCH])))
            for i in range(0, len(split.x), EVALUATION_BATCH)
        ]
    return torch.cat(parts)


def _try_one(task: Task, network: torch.nn.Module, split: Split) -> None:
    """One sample through network and loss, so that a wrong width is a clear error before an hour of training."""
    try:
        _outputs(task, network, Split(split.x[:1], split.y[:1]))
    except (RuntimeError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the network does not take the data: {reason}", where=f"src/tasks/{task.name}/network.py"
        ) from error
