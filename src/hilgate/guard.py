"""The border to a task's own code: what it raises is told with file and line, what it returns is checked.

A task (src/tasks) is written by the user, so its mistakes are neither defects of hilgate nor tracebacks for him to read
through: each is one line that names the place in his file.
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilgate.errors import TaskError

if TYPE_CHECKING:
    import numpy as np

    from hilgate.task import Task

TASKS = "/src/tasks/"


def place(error: BaseException) -> str:
    """`src/tasks/waves/network.py:31`: the last line of a task that the error went through; "" when there is none."""
    if isinstance(error, SyntaxError) and TASKS in (error.filename or ""):
        return _place(error.filename or "", error.lineno)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if TASKS in frame.filename]
    return _place(lines[-1].filename, lines[-1].lineno) if lines else ""


def told(error: BaseException, hint: str = "") -> TaskError | None:
    """The error as its author should read it, when it went through a line of a task; None for everybody else's."""
    where = place(error)
    if not where:
        return None
    reason = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())[:300]
    return TaskError(f"{type(error).__name__}: {reason}" if reason else type(error).__name__, where=where, hint=hint)


def guarded(task: Task) -> Task:
    """The task with its functions checked. They raise TaskError for what the engine cannot use, naming the function."""
    return dataclasses.replace(
        task,
        split=_checked(task.split, _check_split),
        preprocess=_checked(task.preprocess, _check_preprocessed),
        network=_checked(task.network, _check_network),
        loss=_checked(task.loss, _check_loss),
        augment=task.augment and _checked(task.augment, _check_augmented),
        metric=dataclasses.replace(task.metric, per_sample=_scores(task)),
    )


def _place(filename: str, line: int | None) -> str:
    return f"{TASKS.lstrip('/')}{filename.rpartition(TASKS)[2]}:{line}"


def _checked(function: Callable[..., Any], check: Callable[..., str]) -> Callable[..., Any]:
    """The function, whose result must pass `check(result, *arguments)`: "", or what is wrong with it."""

    def run(*arguments: Any) -> Any:
        result = function(*arguments)
        if problem := check(result, *arguments):
            raise _refusal(function, problem)
        return result

    return run


def _refusal(function: Callable[..., Any], problem: str) -> TaskError:
    code = getattr(function, "__code__", None)
    where = _place(code.co_filename, code.co_firstlineno) if code and TASKS in code.co_filename else ""
    name = getattr(function, "__name__", "a function of the task")
    return TaskError(f"{name} {problem}", where=where, hint="src/hilgate/task.py says what it must return")


def _check_split(splits: Any, *_: Any) -> str:
    import numpy as np

    if not isinstance(splits, dict):
        return f"returned {_kind(splits)}, not a dictionary of the splits train, validation and test"
    for name, one in splits.items():
        for letter in "xy":
            array = getattr(one, letter, None)
            if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf" or array.ndim == 0:
                return f"returned as {letter} of split {name} {_kind(array)}, not an array of numbers"
            if not np.isfinite(array).all():
                index = int(np.argwhere(~np.isfinite(array))[0][0])
                return f"returned NaN or infinity in {letter} of split {name}, first in sample {index}"
    return ""


def _check_preprocessed(result: Any, raw: np.ndarray) -> str:
    import numpy as np

    if not isinstance(result, np.ndarray) or result.dtype != np.float32:
        return f"returned {_kind(result)}, not an array of float32"
    if result.ndim == 0 or len(result) != len(raw):
        return f"made shape {result.shape} of {len(raw)} samples"
    return "" if np.isfinite(result).all() else "returned NaN or infinity"


def _check_network(result: Any, *_: Any) -> str:
    from torch import nn

    return "" if isinstance(result, nn.Module) else f"returned {_kind(result)}, not a torch module"


def _check_loss(result: Any, *_: Any) -> str:
    import torch

    if isinstance(result, torch.Tensor) and result.numel() == 1:
        return ""
    return f"returned {_kind(result)}, not one number as a torch tensor"


def _check_augmented(result: Any, batch: Any, *_: Any) -> str:
    same = getattr(result, "shape", None) == batch.shape and getattr(result, "dtype", None) == batch.dtype
    return "" if same else f"returned {_kind(result)} for {_kind(batch)}"


def _scores(task: Task) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """per_sample as float64 (N,): one finite number for each sample, of a binary metric 0 or 1."""
    function = task.metric.per_sample

    def run(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        import numpy as np

        values = np.asarray(function(outputs, targets), dtype=np.float64)
        if values.shape != (len(outputs),):
            raise _refusal(function, f"returned shape {values.shape} for {len(outputs)} samples, not one score each")
        if not np.isfinite(values).all():
            raise _refusal(function, "returned NaN or infinity")
        if task.metric.binary and not np.isin(values, (0, 1)).all():
            wrong = values[~np.isin(values, (0, 1))][0]
            raise _refusal(function, f"returned {wrong:g}; scores of a metric are 0 or 1 unless it says binary=False")
        return values

    return run


def _kind(value: Any) -> str:
    """What something is, in a few words: `float64 (64, 32)`, `a list`, `nothing`."""
    if value is None:
        return "nothing"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    return f"a {type(value).__name__}"
