"""Where int8 differs from float: each quantized tensor against the float one, on the same samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.errors import ModelError
from hilgate.onnxmodel import open_session

if TYPE_CHECKING:
    import numpy as np
    import onnx


@dataclass
class Quantized:
    """One activation tensor: its name in the float graph, its dequantized twin in the int8 graph, and running sums."""

    tensor: str
    twin: str
    scale: float
    zero_point: int
    signal: float = 0.0
    noise: float = 0.0
    absolute: float = 0.0
    largest: float = 0.0
    outside: int = 0
    count: int = 0

    def add(self, wanted: np.ndarray, found: np.ndarray) -> None:
        """Count one more sample."""
        import numpy as np

        error = np.abs(found.astype(np.float64) - wanted)
        low, high = (-128.5 - self.zero_point) * self.scale, (127.5 - self.zero_point) * self.scale
        self.signal += float(np.square(wanted, dtype=np.float64).sum())
        self.noise += float(np.square(error).sum())
        self.absolute += float(error.sum())
        self.largest = max(self.largest, float(error.max(initial=0.0)))
        self.outside += int(((wanted < low) | (wanted > high)).sum())
        self.count += wanted.size


def layer_errors(floating: onnx.ModelProto, integer: onnx.ModelProto, samples: np.ndarray) -> list[dict[str, Any]]:
    """One row for each quantized activation, in graph order.

    sqnr_db: signal to quantization noise, 10 log10(sum float^2 / sum (int8 - float)^2), null when there is no noise;
    errors in the tensor's own unit; saturated: share of float values outside what int8 can hold.
    """
    rows = quantized_tensors(floating, integer)
    if not rows:
        raise ModelError(
            "nothing in it was quantized", where="quantize", hint="the network needs at least one layer with weights"
        )
    wanted = _runner(floating, [row.tensor for row in rows])
    found = _runner(integer, [row.twin for row in rows])
    for i in range(len(samples)):
        for row, one, other in zip(rows, wanted(samples[i : i + 1]), found(samples[i : i + 1]), strict=True):
            row.add(one, other)
    producers = {output: node for node in floating.graph.node for output in node.output}
    return [_as_row(row, producers.get(row.tensor)) for row in rows]


def quantized_tensors(floating: onnx.ModelProto, integer: onnx.ModelProto) -> list[Quantized]:
    """The activations that the int8 graph quantizes and dequantizes and that the float graph also has."""
    import onnx

    known = {floating.graph.input[0].name, *(o for node in floating.graph.node for o in node.output)}
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in integer.graph.initializer}
    twins = {node.input[0]: node.output[0] for node in integer.graph.node if node.op_type == "DequantizeLinear"}
    rows = []
    for node in integer.graph.node:
        if node.op_type != "QuantizeLinear" or node.output[0] not in twins:
            continue
        twin = twins[node.output[0]]
        tensor = twin if twin in known else node.input[0]  # before a graph output it is the input that has a new name
        if tensor in known:
            scale, zero_point = constants[node.input[1]], constants[node.input[2]]
            rows.append(Quantized(tensor, twin, float(scale), int(zero_point)))
    order = {name: place for place, name in enumerate([floating.graph.input[0].name, *_outputs(floating)])}
    return sorted(rows, key=lambda row: order[row.tensor])


def _outputs(model: onnx.ModelProto) -> list[str]:
    return [output for node in model.graph.node for output in node.output]


def _runner(model: onnx.ModelProto, names: list[str]) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A function from one input sample to the values of the named tensors."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    outputs = [
        f"{name}/seen" for name in names
    ]  # through Identity: onnxruntime gives out no input, and no output twice
    for name, output in zip(names, outputs, strict=True):
        graph.node.append(onnx.helper.make_node("Identity", [name], [output]))
        graph.output.append(onnx.ValueInfoProto(name=output))
    session = open_session(copy)
    return lambda sample: list(session.run(outputs, {graph.input[0].name: sample}))


def _as_row(row: Quantized, producer: onnx.NodeProto | None) -> dict[str, Any]:
    return {
        "name": producer.name if producer is not None else row.tensor,
        "op": producer.op_type if producer is not None else "input",
        "scale": row.scale,
        "zero_point": row.zero_point,
        "sqnr_db": round(10 * math.log10(row.signal / row.noise), 3) if row.noise > 0 and row.signal > 0 else None,
        "mean_abs_error": row.absolute / row.count,
        "max_abs_error": row.largest,
        "saturated": row.outside / row.count,
    }
