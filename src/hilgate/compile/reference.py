"""Run a graph with each operator's NumPy reference: the meaning that every other runtime must equal to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hilgate.compile.graph import Graph

Watch = Callable[[str, np.ndarray], None]


def run_reference(graph: Graph, inputs: Mapping[str, np.ndarray], watch: Watch | None = None) -> list[np.ndarray]:
    """Outputs (N, *shape) for inputs (N, *shape). `watch` sees every node's name and output."""
    values = dict(inputs)
    count = next(iter(values.values())).shape[0]
    for site in graph.sites():
        arrays = [
            np.broadcast_to(tensor.data, (count, *tensor.shape)) if tensor.data is not None else values[tensor.name]
            for tensor in site.inputs
        ]
        result = site.node.op.reference(site, arrays)
        results = result if isinstance(result, list) else [result]
        for name, array in zip(site.node.outputs, results, strict=True):
            values[name] = array
            if watch is not None:
                watch(site.node.name, array)
        _forget(graph, site.node.inputs, values, site.node.outputs)
    return [values[name] for name in graph.outputs]


def _forget(graph: Graph, names: list[str], values: dict[str, np.ndarray], just_made: list[str]) -> None:
    """Drop arrays that no later node reads, so that a whole test set fits in memory."""
    index = next(i for i, node in enumerate(graph.nodes) if node.outputs == just_made)
    later = {name for node in graph.nodes[index + 1 :] for name in node.inputs}
    for name in names:
        if name not in later and name not in graph.outputs:
            values.pop(name, None)


def random_inputs(graph: Graph, count: int, seed: int) -> dict[str, np.ndarray]:
    """Inputs (count, *shape): white noise, and with more than two also the two extremes."""
    generator = np.random.Generator(np.random.PCG64(seed))
    arrays: dict[str, np.ndarray] = {}
    for name in graph.inputs:
        tensor = graph.tensors[name]
        if tensor.dtype == "float32":
            arrays[name] = generator.normal(0, 1, (count, *tensor.shape)).astype(np.float32)
            continue
        array = generator.integers(-128, 128, (count, *tensor.shape)).astype(np.int8)
        if count > 2:
            array[1], array[2] = -128, 127
        arrays[name] = array
    return arrays
