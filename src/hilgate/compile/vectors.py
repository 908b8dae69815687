"""The task's whole test set as int8 inputs, and what the reference expects: `compile.vectors`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hilgate.arrays import read_npz, write_npz
from hilgate.artifacts import artifact, needed
from hilgate.compile import arithmetic
from hilgate.compile.graph import Graph, Tensor
from hilgate.compile.reference import run_reference
from hilgate.console import progress
from hilgate.errors import ModelError
from hilgate.task import load_task

CHUNK = 100  # samples at a time


def write_vectors(task: str, graph: Graph, root: Path) -> None:
    """input int8 (N, input bytes), expected int8 (N, output bytes), label (N, ...), byte-deterministic."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError("a task's model has one input and one output", where=graph.name)
    split = read_npz(needed(root, "data.test", task), ("x", "y"))
    raw = split["x"]
    tensor = graph.tensors[graph.inputs[0]]
    real = np.asarray(load_task(task, root).preprocess(raw), np.float32)
    if real.size != raw.shape[0] * tensor.elements:
        raise ModelError(f"the task's preprocess gives {real.shape[1:]}, the model takes {tensor.shape}", where=task)
    inputs = in_device_order(real, graph, tensor)
    if tensor.dtype == "int8":
        inputs = arithmetic.quantize(inputs, tensor.quant.only_scale, tensor.quant.zero_point)
    arrays = {"input": _as_bytes(inputs), "expected": _as_bytes(_expected(task, graph, inputs)), "label": split["y"]}
    write_npz(artifact(root, "compile.vectors", task), arrays)


def _expected(task: str, graph: Graph, inputs: np.ndarray) -> np.ndarray:
    """The reference's outputs, a chunk at a time: int64 accumulators of a whole test set would take gigabytes."""
    outputs = []
    with progress() as bar:
        shown = bar.add_task(f"NumPy reference of {task}", total=len(inputs))
        for first in range(0, len(inputs), CHUNK):
            part = inputs[first : first + CHUNK]
            outputs += run_reference(graph, {graph.inputs[0]: part})
            bar.advance(shown, len(part))
    return np.concatenate(outputs)


def in_device_order(real: np.ndarray, graph: Graph, tensor: Tensor) -> np.ndarray:
    """Samples (N, ...) as the model file takes them, as (N, *shape) of the device's input: channels last."""
    order = graph.source_axes.get(tensor.name)
    if order is None:
        return real.reshape(real.shape[0], *tensor.shape)
    source = [0] * len(order)
    for axis, size in zip(order, tensor.shape, strict=True):
        source[axis] = size
    return real.reshape(real.shape[0], *source).transpose(0, *(axis + 1 for axis in order))


def _as_bytes(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(array.shape[0], -1).view(np.int8)
