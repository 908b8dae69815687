"""Every parameter of training takes effect: one epoch on 200 samples, before and after a change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hilgate.arrays import read_npz
from hilgate.artifacts import artifact
from hilgate.console import progress
from hilgate.params import load_params
from hilgate.task import Split, load_task
from hilgate.train import loop
from hilgate.train.loop import train
from hilgate.train.repeatable import repeatable


def short_training(project, change_task=None, **changes):
    """Weights and history of a training on a few samples; change_task: what to replace in the task."""
    task = replace(load_task("waves", project), **(change_task or {}))
    params = load_params(project)
    params.sections["train"]["waves"] |= {"epochs": 1, "learning_rate": 0.01, **changes}
    settings = params.section("train", "waves", task.train_params)
    splits = {
        name: Split(**{key: array[:200] for key, array in arrays.items()})
        for name in ("train", "validation")
        for arrays in [read_npz(artifact(project, f"data.{name}", "waves"), ("x", "y"))]
    }
    with repeatable(settings):
        trained = train(task, settings, splits["train"], splits["validation"], lambda _: None)
    return {name: value.tolist() for name, value in trained.network.state_dict().items()}, trained.history


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"batch": 50},
        {"learning_rate": 0.011},
        {"epochs": 2},
        {"hidden": 63},
        {"schedule": "constant"},
        {"optimizer": "sgd"},
        {"weight_decay": 0.01},
        {"precision": "bfloat16"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_parameter_takes_effect(trained_project, change):
    (before, _), (after, history) = short_training(trained_project), short_training(trained_project, **change)
    assert before != after
    assert len(history) == change.get("epochs", 1)


def test_the_seed_decides_the_first_weights_and_the_order_of_samples(trained_project):
    from torch import nn

    def of_zeros(_):
        network = nn.Linear(32, 3)
        nn.init.zeros_(network.weight), nn.init.zeros_(network.bias)
        return network

    first = [short_training(trained_project, seed=seed, learning_rate=1e-30)[0] for seed in (1, 1, 2)]
    assert first[0] == first[1] != first[2]
    ordered = [short_training(trained_project, {"network": of_zeros}, seed=seed)[0] for seed in (1, 1, 2)]
    assert ordered[0] == ordered[1] != ordered[2]


def test_the_progress_bar_counts_every_batch(trained_project, monkeypatch):
    bars = []
    monkeypatch.setattr(loop, "progress", lambda: bars.append(progress()) or bars[-1])
    short_training(trained_project, epochs=3)
    (row,) = bars[0].tasks
    assert (row.completed, row.total) == (12, 12)  # three times 200 samples by 64
    assert re.fullmatch(r"train waves 0\.\d{4}", row.description)


def test_training_samples_alone_are_augmented(trained_project):
    seen = []

    def augment(x, random):
        seen.append(len(x))
        return -x

    (before, plain), (after, turned) = (short_training(trained_project, {"augment": a}) for a in (None, augment))
    assert before != after and plain != turned
    assert seen == [64, 64, 64, 8]  # 200 samples, once; neither the validation split nor the first trial
