"""What the engine needs of a user's task: a package src/tasks/<name>/ whose `TASK` is a Task.

A task brings its data, its network and its metric. The engine never looks inside them. src/tasks/TEMPLATE is a whole
small one to copy (`hilgate new task`).
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate import guard
from hilgate.errors import ModelError, ParamsError, TaskError
from hilgate.project import find_root

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    import torch


@dataclass(frozen=True)
class Source:
    """One place that has the raw files.

    kind: `files` (each at `address` + its name + `suffix`; `.gz` is unpacked), `folder` (the same on this computer,
    absolute or from the project on), `archive` (one tar file at `address`) or `npm` (a package, `name@version`).
    folder: where the files lie inside the archive or package. archive_bytes: most bytes that an archive may unpack to.
    convert: for a source that has the data in another form: (unpacked folder, canonical file name) -> the canonical
    bytes.
    """

    kind: str
    address: str
    folder: str = ""
    suffix: str = ""
    archive_bytes: int = 0
    convert: Callable[[Path, str], bytes] | None = None


@dataclass(frozen=True)
class RawFile:
    """One raw file, pinned. name: its canonical name in the cache; sha256: of its unpacked content; size: in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Metric:
    """A score per test sample, whose mean is the task's accuracy.

    per_sample(outputs float32 (N, ...), targets (N, ...)) -> float64 (N,), 0 or 1 when `binary`.
    """

    name: str
    per_sample: Callable[[np.ndarray, np.ndarray], np.ndarray]
    binary: bool = True
    higher_is_better: bool = True


@dataclass(frozen=True)
class Split:
    """Arrays of one split: x raw (N, ...), y targets (N, ...)."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Quick:
    """What `hilgate train --quick` takes instead, to see the whole arrow in minutes."""

    epochs: int
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class TrainParams:
    """What the engine's training loop reads of params `train.<task>`; a task's own dataclass adds to it.

    optimizer: adam or sgd (Nesterov momentum 0.9); schedule: constant, or cosine (down to zero, after one epoch
    of linear warm-up); precision: of the forward and backward pass, float32, or bfloat16 (twice as fast on a CPU that
    has it; weights stay float32); threads: of torch, part of what makes training repeatable.
    """

    epochs: int
    batch: int
    learning_rate: float
    seed: int
    weight_decay: float = 0.0
    optimizer: str = "adam"
    schedule: str = "constant"
    precision: str = "float32"
    threads: int = 1
    quick: Quick | None = None


@dataclass(frozen=True)
class Task:
    """Everything that the engine asks of a task.

    data_params, train_params: frozen dataclasses of params `data.<task>` and `train.<task>` (a TrainParams).
    split(raw folder, data params) -> {"train", "validation", "test"}, by a fixed rule.
    preprocess(raw x (N, ...)) -> float32 (N, ...) as the network takes it, the same at training and on the device.
    network(train params) -> a torch module from preprocessed x to outputs. loss(outputs, targets) -> torch scalar.
    augment(preprocessed batch, random generator) -> a batch of the same shape, on training data only.
    """

    name: str
    files: tuple[RawFile, ...]
    sources: tuple[Source, ...]  # in the order tried
    data_params: type
    split: Callable[[Path, Any], dict[str, Split]]
    preprocess: Callable[[np.ndarray], np.ndarray]
    train_params: type[TrainParams]
    network: Callable[[Any], torch.nn.Module]
    loss: Callable[[Any, Any], Any]
    metric: Metric
    augment: Callable[[Any, Any], Any] | None = None


def make_network(task: Task, settings: TrainParams) -> torch.nn.Module:
    """The task's network, untrained. Raises ModelError when its parameters make none."""
    try:
        return task.network(settings)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        where = guard.place(error) or f"src/tasks/{task.name}/network.py"
        raise ModelError(f"the parameters make no network: {reason}", where=where) from error


def load_task(name: str, root: Path | None = None) -> Task:
    """Import tasks.<name> and return its TASK, guarded. Raises ParamsError: there is none; TaskError: it is broken.

    root: the project whose src/tasks/ is asked first (default: the one around the current folder, if any).
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ParamsError(f"`{name}` is no task name", hint="lower case letters, digits and _, as a Python module")
    where = f"src/tasks/{name}/__init__.py"
    try:
        module = _import(name, root or find_root())
    except ModuleNotFoundError as error:
        if error.name not in ("tasks", f"tasks.{name}"):
            raise _not_imported(error, where) from error
        hint = f"make one with `hilgate new task {name}`"
        raise ParamsError(f"there is no task `{name}`", where=f"src/tasks/{name}", hint=hint) from error
    except (Exception, SystemExit) as error:
        raise _not_imported(error, where) from error
    if module.__file__ is None:
        raise TaskError("this file is missing", where=where, hint="write it like src/tasks/TEMPLATE/__init__.py")
    task = getattr(module, "TASK", None)
    if not isinstance(task, Task):
        raise TaskError("the package has no TASK", where=where, hint="see src/tasks/TEMPLATE")
    if task.name != name:
        raise TaskError(f"its TASK is named `{task.name}`", where=where, hint=f'write name="{name}"')
    _check_params_types(task, where)
    return guard.guarded(task)


def _not_imported(error: BaseException, where: str) -> TaskError:
    reason = guard.told(error) or TaskError(f"{type(error).__name__}: {error}", where=where)
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    hint = f"`{missing}` is not installed in this Python: pip install it" if missing and "." not in missing else ""
    return TaskError(f"importing the task failed: {reason.what}", where=reason.where, hint=hint)


def _check_params_types(task: Task, where: str) -> None:
    for field, kind in (("data_params", object), ("train_params", TrainParams)):
        given = getattr(task, field)
        if not (isinstance(given, type) and is_dataclass(given) and issubclass(given, kind)):
            due = "a dataclass" if kind is object else "a dataclass made from TrainParams"
            raise TaskError(f"`{field}` of its TASK must be {due}", where=where, hint="see src/tasks/TEMPLATE")


def _import(name: str, root: Path | None) -> ModuleType:
    """The package tasks.<name>, from root/src/tasks when the project has one, else from where Python finds it."""
    if root is not None and (root / "src" / "tasks").is_dir():
        _use(str(root / "src"))
    return importlib.import_module(f"tasks.{name}")


def _use(source: str) -> None:
    """Make `tasks` mean source/tasks, also when another project's was imported before."""
    if source not in sys.path[:1]:
        sys.path.insert(0, source)
    loaded = sys.modules.get("tasks")
    if loaded is not None and f"{source}/tasks" not in loaded.__path__:
        for module in [m for m in sys.modules if m == "tasks" or m.startswith("tasks.")]:
            del sys.modules[module]
    importlib.invalidate_caches()
