"""train: arrays -> weights, the history of the training, and the float score on the test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hilgate.arrays import read_npz
from hilgate.artifacts import artifact, atomic_write, needed, write_json
from hilgate.console import say
from hilgate.errors import ModelError, ParamsError
from hilgate.params import Params
from hilgate.task import Split, TrainParams, load_task
from hilgate.train.loop import Trained, check_params, score, train
from hilgate.train.repeatable import repeatable
from hilgate.train.weights import weights_bytes


def execute(item: str, params: Params, root: Path, *, quick: bool = False, checkpoints: Path | None = None) -> None:
    """Make artifacts/train/<task>/. Raises ArtifactError, ModelError, ParamsError.

    checkpoints: a folder that gets the weights and the history after every epoch.
    """
    task = load_task(item, root)
    settings = chosen(params.section("train", item, task.train_params), quick, f"{params.path}: train.{item}")
    splits = {name: _read(root, name, item) for name in ("train", "validation", "test")}
    with repeatable(settings):
        trained = train(task, settings, splits["train"], splits["validation"], _keeper(checkpoints))
        value = score(task, trained.network, splits["test"])
    parameters = sum(p.numel() for p in trained.network.parameters())
    atomic_write(artifact(root, "train.weights", item), weights_bytes(trained.network))
    atomic_write(artifact(root, "train.history", item), history_csv(trained))
    content = {
        "task": item,
        "metric": task.metric.name,
        "score": value,
        "n": len(splits["test"].x),
        "parameters": parameters,
    }
    write_json(artifact(root, "train.metrics", item), "training", content)
    say(f"train {item}: float {task.metric.name} {value:.4f}, {parameters} parameters")


def chosen(settings: TrainParams, quick: bool, where: str) -> TrainParams:
    """The checked parameters, with the quick ones in place of the full ones when asked for. Raises ParamsError."""
    if quick:
        if settings.quick is None:
            raise ParamsError("there is no `quick`", where=where, hint="add quick: { epochs: 5, learning_rate: 0.1 }")
        settings = replace(settings, epochs=settings.quick.epochs, learning_rate=settings.quick.learning_rate)
    check_params(settings, where)
    return settings


def _keeper(folder: Path | None) -> Callable[[Trained], None]:
    """What to do after every epoch."""

    def keep(trained: Trained) -> None:
        if folder is not None:
            atomic_write(folder / "weights.safetensors", weights_bytes(trained.network))
            atomic_write(folder / "history.csv", history_csv(trained))

    return keep


def history_csv(trained: Trained) -> bytes:
    """One row an epoch, as DVC plots it."""
    rows = ["epoch,train_loss,validation_loss,validation_score"]
    for number, epoch in enumerate(trained.history, start=1):
        rows.append(f"{number},{epoch.train_loss:.6f},{epoch.validation_loss:.6f},{epoch.validation_score:.6f}")
    return ("\n".join(rows) + "\n").encode()


def _read(root: Path, name: str, item: str) -> Split:
    path = needed(root, f"data.{name}", item)
    split = Split(**read_npz(path, ("x", "y")))
    if len(split.x) == 0 or len(split.x) != len(split.y):
        raise ModelError(
            f"{len(split.x)} samples and {len(split.y)} targets", where=str(path), hint=f"run `hilgate data {item}`"
        )
    return split
