"""data: raw files -> fixed splits as arrays, and the facts about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.arrays import fingerprint, write_npz
from hilgate.artifacts import artifact, write_json
from hilgate.console import say
from hilgate.data.fetch import cache_folder, fetch
from hilgate.errors import DataError
from hilgate.params import Params
from hilgate.task import Split, Task, load_task

if TYPE_CHECKING:
    import numpy as np

SPLITS = ("train", "validation", "test")


def execute(item: str, params: Params, root: Path) -> None:
    """Make artifacts/data/<task>/. Raises DataError, ParamsError."""
    task = load_task(item, root)
    settings: Any = params.section("data", item, task.data_params)
    splits = task.split(fetch(task, cache_folder(task.name)), settings)
    check_splits(task, splits)
    for name in SPLITS:
        write_npz(artifact(root, f"data.{name}", item), {"x": splits[name].x, "y": splits[name].y})
    write_json(artifact(root, "data.facts", item), "facts", facts(task, splits))
    say(f"data {item}: " + ", ".join(f"{len(splits[name].x)} {name}" for name in SPLITS))


def check_splits(task: Task, splits: dict[str, Split]) -> None:
    """Raise DataError unless there are three splits, none empty, alike in shape and type."""
    where = f"src/tasks/{task.name}/data.py: split"
    if set(splits) != set(SPLITS):
        raise DataError(f"returned {sorted(splits)}", where=where, hint=f"return {', '.join(SPLITS)}")
    kinds = {name: f"x {_kind(splits[name].x)}, y {_kind(splits[name].y)}" for name in SPLITS}
    if len(set(kinds.values())) != 1:
        listed = "; ".join(f"{name} {kind}" for name, kind in kinds.items())
        raise DataError(f"the splits differ: {listed}", where=where, hint="give all three the same shapes and types")
    for name, one in splits.items():
        if len(one.x) == 0 or len(one.x) != len(one.y):
            raise DataError(f"split {name} has {len(one.x)} samples and {len(one.y)} targets", where=where)


def _kind(array: np.ndarray) -> str:
    """Shape and type, as `(N, 28, 28) uint8`."""
    return f"({', '.join(['N', *map(str, array.shape[1:])])}) {array.dtype}"


def facts(task: Task, splits: dict[str, Split]) -> dict[str, Any]:
    """What facts.json says: where the data comes from, and counts, shapes and fingerprint of each split."""
    return {
        "task": task.name,
        "files": {file.name: file.sha256 for file in task.files},
        "splits": {
            name: {
                "n": len(split.x),
                "x_shape": list(split.x.shape[1:]),
                "x_type": str(split.x.dtype),
                "y_shape": list(split.y.shape[1:]),
                "y_type": str(split.y.dtype),
                "sha256": fingerprint(split.x, split.y),
            }
            for name, split in splits.items()
        },
    }
