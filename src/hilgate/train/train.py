"""train: arrays -> weights, the history of the training, and the float score on the test set."""

from __future__ import annotations

from pathlib import Path

from hilgate.arrays import read_npz
from hilgate.artifacts import artifact, atomic_write, needed, write_json
from hilgate.console import say
from hilgate.errors import ModelError
from hilgate.params import Params
from hilgate.task import Split, load_task
from hilgate.train.loop import Trained, check_params, score, train
from hilgate.train.repeatable import repeatable
from hilgate.train.weights import weights_bytes


def execute(item: str, params: Params, root: Path) -> None:
    """Make artifacts/train/<task>/. Raises ArtifactError, ModelError, ParamsError."""
    task = load_task(item, root)
    settings = params.section("train", item, task.train_params)
    check_params(settings, f"{params.path}: train.{item}")
    splits = {name: _read(root, name, item) for name in ("train", "validation", "test")}
    with repeatable(settings):
        trained = train(task, settings, splits["train"], splits["validation"])
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
