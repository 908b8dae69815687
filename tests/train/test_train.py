"""train: repeatable, good enough, and clear when it cannot work. On the TEMPLATE task, in seconds."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace

import numpy as np
import pytest

from hilgate.arrays import read_npz, write_npz
from hilgate.artifacts import artifact, read_json
from hilgate.errors import ArtifactError, ModelError, ParamsError, TaskError
from hilgate.params import load_params, parse_params
from hilgate.task import Quick, TrainParams, load_task
from hilgate.train.loop import check_params
from hilgate.train.optim import make_optimizer, make_schedule
from hilgate.train.train import chosen, execute

GOOD = TrainParams(epochs=4, batch=10, learning_rate=0.1, seed=1)


def with_params(project, **changes):
    """The project's params with some train.waves values changed."""
    params = load_params(project)
    params.sections["train"]["waves"].update(changes)
    return params


def test_the_template_learns(trained_project):
    metrics = read_json(artifact(trained_project, "train.metrics", "waves"), "training")
    assert metrics["score"] > 0.93  # bound, not a figure: weights depend on the CPU
    assert metrics["n"] == 1000 and metrics["parameters"] == 32 * 64 + 64 + 64 * 3 + 3
    rows = list(csv.DictReader(artifact(trained_project, "train.history", "waves").open()))
    assert [row["epoch"] for row in rows] == [str(n) for n in range(1, 11)]
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"]) / 3


def test_the_same_seed_gives_the_same_bytes(trained_project, tmp_path):
    again = tmp_path / "project"
    for name in ("data.train", "data.validation", "data.test"):
        arrays = read_npz(artifact(trained_project, name, "waves"), ("x", "y"))
        write_npz(artifact(again, name, "waves"), arrays)
    (again / "src").symlink_to(trained_project / "src")
    for name in ("train.weights", "train.history", "train.metrics"):
        assert not artifact(again, name, "waves").exists()
    execute("waves", load_params(trained_project), again)
    for name in ("train.weights", "train.history", "train.metrics"):
        assert artifact(again, name, "waves").read_bytes() == artifact(trained_project, name, "waves").read_bytes()
    before = artifact(again, "train.weights", "waves").read_bytes()
    execute("waves", with_params(trained_project, seed=2, epochs=1), again)
    assert artifact(again, "train.weights", "waves").read_bytes() != before


def test_weights_come_from_the_training_split_and_scores_from_the_others(trained_project, tmp_path):
    """With the other splits' targets turned, only their scores change."""
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "tasks").symlink_to(trained_project / "src" / "tasks")
    for name in ("train", "validation", "test"):
        arrays = read_npz(artifact(trained_project, f"data.{name}", "waves"), ("x", "y"))
        arrays["y"] = (arrays["y"] + {"train": 0, "validation": 1, "test": 2}[name]) % 3
        write_npz(artifact(project, f"data.{name}", "waves"), arrays)
    execute("waves", load_params(trained_project), project)
    old, new = (artifact(p, "train.weights", "waves").read_bytes() for p in (trained_project, project))
    assert old == new
    assert read_json(artifact(project, "train.metrics", "waves"), "training")["score"] < 0.07
    old, new = (list(csv.DictReader(artifact(p, "train.history", "waves").open())) for p in (trained_project, project))
    assert [row["train_loss"] for row in old] == [row["train_loss"] for row in new]
    assert float(new[-1]["validation_score"]) < 0.07 and float(new[-1]["validation_loss"]) > 1


def test_checkpoints_and_quick(trained_project, tmp_path):
    project = tmp_path / "project"
    (project / "artifacts").mkdir(parents=True)
    (project / "artifacts" / "data").symlink_to(trained_project / "artifacts" / "data")
    (project / "src").symlink_to(trained_project / "src")
    params = with_params(trained_project, quick={"epochs": 2, "learning_rate": 0.01})
    execute("waves", params, project, quick=True, checkpoints=tmp_path / "kept")
    history = artifact(project, "train.history", "waves").read_bytes()
    assert history.count(b"\n") == 3
    assert (tmp_path / "kept" / "history.csv").read_bytes() == history
    weights = artifact(project, "train.weights", "waves").read_bytes()
    assert (tmp_path / "kept" / "weights.safetensors").read_bytes() == weights


def test_half_precision_learns_too(trained_project, tmp_path):
    project = tmp_path / "project"
    (project / "artifacts").mkdir(parents=True)
    (project / "artifacts" / "data").symlink_to(trained_project / "artifacts" / "data")
    (project / "src").symlink_to(trained_project / "src")
    execute("waves", with_params(trained_project, precision="bfloat16"), project)
    scores = [read_json(artifact(p, "train.metrics", "waves"), "training")["score"] for p in (project, trained_project)]
    assert scores[0] > 0.93
    weights = [artifact(p, "train.weights", "waves").read_bytes() for p in (project, trained_project)]
    assert weights[0] != weights[1] and len(weights[0]) == len(weights[1])  # other roundings, float32 all the same


def test_quick_where_there_is_none():
    with pytest.raises(ParamsError, match=r"no `quick` \(add quick"):
        chosen(GOOD, True, "train.waves")
    quick = replace(GOOD, quick=Quick(epochs=1, learning_rate=0.5))
    assert chosen(quick, True, "").epochs == 1
    assert chosen(quick, False, "").epochs == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "`epochs` must be at least 1"),
        ({"batch": 0}, "`batch` must be at least 1"),
        ({"threads": 0}, "`threads` must be at least 1"),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be positive"),
        ({"weight_decay": -0.1}, "`weight_decay` must not be negative"),
        ({"optimizer": "lion"}, "`optimizer` must be one of adam, sgd"),
        ({"schedule": "random"}, "`schedule` must be one of constant, cosine"),
        ({"precision": "int4"}, "`precision` must be one of float32, bfloat16"),
    ],
)
def test_parameters_that_cannot_be(change, message):
    with pytest.raises(ParamsError, match=message):
        check_params(replace(GOOD, **change), "train.waves")


def test_an_unknown_key_in_params(trained_project):
    with pytest.raises(ParamsError, match="unknown key `epoch`") as caught:
        execute("waves", with_params(trained_project, epoch=3), trained_project)
    assert "train.waves" in caught.value.where and "epochs" in caught.value.hint


def test_a_task_that_is_not_in_params(trained_project):
    with pytest.raises(ParamsError, match="section `train` has no entry `waves`"):
        execute("waves", parse_params("train: {}", trained_project / "params.yaml"), trained_project)


def test_no_data_yet(new_project):
    with pytest.raises(ArtifactError, match=r"missing \(make it with `hilgate data waves`"):
        execute("waves", load_params(new_project), new_project)


def test_a_network_that_does_not_take_the_data(trained_project, tmp_path):
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "tasks").symlink_to(trained_project / "src" / "tasks")
    for name in ("train", "validation", "test"):
        arrays = {"x": np.zeros((8, 31), np.int16), "y": np.zeros(8, np.uint8)}
        write_npz(artifact(project, f"data.{name}", "waves"), arrays)
    with pytest.raises(ModelError, match=r"the network does not take the data.*1x31") as caught:
        execute("waves", load_params(trained_project), project)
    assert caught.value.where == "src/tasks/waves/network.py"


def test_parameters_that_make_no_network(trained_project):
    with pytest.raises(ModelError, match=r"the parameters make no network: .*negative") as caught:
        execute("waves", with_params(trained_project, hidden=-1), trained_project)
    assert caught.value.where.startswith("src/tasks/waves/network.py:")


def test_a_loss_that_diverges(trained_project, tmp_path):
    project = tmp_path / "project"
    (project / "artifacts").mkdir(parents=True)
    (project / "artifacts" / "data").symlink_to(trained_project / "artifacts" / "data")
    (project / "src").symlink_to(trained_project / "src")
    params = with_params(trained_project, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ModelError, match=r"no number after epoch 1.*lower learning_rate"):
        execute("waves", params, project)
    assert not artifact(project, "train.weights", "waves").exists()


def test_the_schedule_warms_up_and_ends_at_zero():
    import torch

    settings = replace(GOOD, schedule="cosine")
    optimizer = make_optimizer(torch.nn.Linear(2, 2), settings)
    schedule = make_schedule(optimizer, settings, batches=5)
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(0.02) and max(rates) == pytest.approx(0.1) and rates.index(max(rates)) == 4
    assert rates[5:] == sorted(rates[5:], reverse=True) and optimizer.param_groups[0]["lr"] == pytest.approx(0)


def test_weight_decay_spares_biases():
    import torch

    groups = make_optimizer(torch.nn.Linear(3, 2), replace(GOOD, weight_decay=0.5)).param_groups
    assert [(group["weight_decay"], [p.ndim for p in group["params"]]) for group in groups] == [(0.5, [2]), (0.0, [1])]


def test_tasks_that_are_none(root, new_project):
    assert load_task("waves", new_project).name == "waves"
    assert load_task("digits", root).name == "digits"  # of another project, in the same process
    for name, message in (
        ("nothing", "there is no task `nothing`.*make one with `hilgate new task"),
        ("../x", "no task name"),
    ):
        with pytest.raises(ParamsError, match=message):
            load_task(name, root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TASK = 3", "the package has no TASK"),
        ("import no_such_module", "importing the task failed: .* No module named 'no_such_module'"),
        ("def", "importing the task failed: SyntaxError: invalid syntax"),
        ("from hilgate.task import nothing", "importing the task failed: ImportError: cannot import name 'nothing'"),
        ("from tasks.waves import TASK", "its TASK is named `waves`"),
    ],
)
def test_packages_that_are_no_task(new_project, text, message):
    broken = new_project / "src" / "tasks" / "broken" / "__init__.py"
    broken.parent.mkdir()
    broken.write_text(text)
    with pytest.raises(TaskError, match=message) as caught:
        load_task("broken", new_project)
    assert caught.value.where.removesuffix(":1") == "src/tasks/broken/__init__.py"


@dataclass(frozen=True, kw_only=True)
class Own(TrainParams):
    width: int


def test_a_tasks_own_parameters_add_to_the_engines(tmp_path):
    text = (
        "train: {own: {epochs: 1, batch: 2, learning_rate: 1, seed: 0, width: 7, quick: {epochs: 1, learning_rate: 1}}}"
    )
    own = parse_params(text, tmp_path).section("train", "own", Own)
    assert own.width == 7 and own.learning_rate == 1.0 and own.quick == Quick(1, 1.0)
