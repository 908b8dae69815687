"""Main's whole test set and metric: what an image is scored on. Nothing of it comes from a claim."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hilgate.arrays import fingerprint, read_npz
from hilgate.artifacts import artifact, needed, read_json
from hilgate.data.data import execute as make_data
from hilgate.errors import ArtifactError, DataError
from hilgate.params import Params
from hilgate.task import Metric, load_task

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class TestSet:
    """real: preprocessed samples float32 (N, ...); labels (N, ...); dataset: fingerprint of the raw arrays."""

    task: str
    real: np.ndarray
    labels: np.ndarray
    dataset: str
    metric: Metric


def load_test_set(task: str, params: Params, root: Path) -> TestSet:
    """The test set of the project `root`, made from its pinned files where it is missing.

    Raises DataError, ArtifactError: it is not the one that facts.json of the project names.
    """
    import numpy as np

    facts_path = needed(root, "data.facts", task)
    due = read_json(facts_path, "facts")["splits"]["test"]["sha256"]
    path = artifact(root, "data.test", task)
    if not path.is_file():
        make_data(task, params, root)
    arrays = read_npz(path, ("x", "y"))
    if fingerprint(arrays["x"], arrays["y"]) != due:
        raise ArtifactError("not the test set that facts.json names", where=str(path), hint=f"hilgate data {task}")
    chosen = load_task(task, root)
    real = np.asarray(chosen.preprocess(arrays["x"]), np.float32)
    if len(real) != len(arrays["x"]) or not np.isfinite(real).all():
        raise DataError("preprocess must give one finite array for each sample", where=f"src/tasks/{task}")
    return TestSet(task, real, arrays["y"], due, chosen.metric)
