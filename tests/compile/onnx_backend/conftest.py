"""The node cases of `onnx.backend.test`, each put between QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hilgate.compile.compile import lower
from hilgate.compile.graph import Graph
from hilgate.compile.onnx_door import OnnxDoor
from hilgate.compile.ops import onnx_operators
from hilgate.compile.options import Options
from hilgate.errors import ModelError

BINARY = ("Add", "Sub", "Mul", "Concat")  # every input is an activation; of others only the first
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass
class Wrapped:
    """A case as an int8 model. inputs: real, by name; expected: what the suite wants, real."""

    name: str
    kind: str
    model: Any = None
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    expected: list[np.ndarray] = field(default_factory=list)
    graph: Graph | None = None
    reason: str = ""
    operator: str = ""  # of the suite, also when hilgate does not have it


def scale_of(*arrays: np.ndarray) -> tuple[np.float32, np.int8]:
    """The asymmetric int8 quantization that holds all values and zero."""
    low = min(0.0, *(float(a.min(initial=0)) for a in arrays))
    high = max(0.0, *(float(a.max(initial=0)) for a in arrays))
    scale = np.float32((high - low) / 255 or 1.0)
    return scale, np.int8(np.clip(np.rint(-128 - low / scale), -128, 127))


def wrap(case: Any) -> Wrapped:
    """The case between quantizers, or the reason why it cannot be."""
    graph, data = case.model.graph, case.data_sets[0]
    inputs, outputs = ([np.asarray(a) if isinstance(a, np.generic) else a for a in side] for side in data)
    kinds = {node.op_type for node in graph.node}
    result = Wrapped(case.name, next(iter(kinds)) if len(kinds) == 1 else "several")
    result.operator = graph.node[0].op_type if len(graph.node) == 1 else "several"
    unknown = kinds - set(onnx_operators())
    if case.model.functions or len(graph.node) != 1:
        result.reason = "a function spelled out in other operators"
    elif unknown or graph.node[0].domain not in ("", "ai.onnx"):
        result.reason = "operator"
    elif not all(isinstance(a, np.ndarray) for a in (*inputs, *outputs)):
        result.reason = "an optional input left out, a sequence, or a type that NumPy lacks"
    elif result.kind in ("QuantizeLinear", "DequantizeLinear"):
        _take_as_it_is(result, case, inputs, outputs)
    elif inputs[0].dtype != np.float32:
        result.reason = f"data type {inputs[0].dtype}"
    elif inputs[0].size == 0 or outputs[0].size == 0:
        result.reason = "empty tensors"
    else:
        _build(result, case, inputs, outputs)
    return result


def _build(result: Wrapped, case: Any, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
    source = case.model.graph
    node = onnx.NodeProto()
    node.CopyFrom(source.node[0])
    active = range(len(inputs)) if result.kind in BINARY else range(1)
    nodes, constants, edges = [], [], []
    given = [value.name for value in source.input]
    for index, (name, array) in enumerate(zip(given, inputs, strict=True)):
        place = list(node.input).index(name)
        if index in active:
            edges.append(helper.make_tensor_value_info(name, 1, array.shape))
            result.inputs[name] = array
            node.input[place] = _quantized(nodes, constants, name, scale_of(array))
        elif result.kind in WEIGHTED and index == 1:
            step = np.float32(np.abs(array).max() / 127 or 1.0)
            constants.append(numpy_helper.from_array(np.rint(array / step).astype(np.int8), f"{name}_q"))
            constants.append(numpy_helper.from_array(step, f"{name}_s"))
            nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", f"{name}_s"], [f"{name}_d"]))
            constants.append(numpy_helper.from_array(np.int8(0), f"{name}_z"))
            nodes[-1].input.append(f"{name}_z")
            node.input[place] = f"{name}_d"
        else:
            constants.append(numpy_helper.from_array(array, name))
    nodes.append(node)
    targets = []
    for value, array in zip(source.output, outputs, strict=True):
        last = value.name
        if array.dtype == np.float32:
            last = _quantized(nodes, constants, value.name, scale_of(array))
        targets.append(helper.make_tensor_value_info(last, 1 if array.dtype == np.float32 else 7, None))
    result.expected = outputs
    graph = helper.make_graph(nodes, case.name, edges, targets, constants)
    opsets = [helper.make_opsetid(entry.domain, max(entry.version, 19)) for entry in case.model.opset_import]
    result.model = helper.make_model(graph, opset_imports=opsets)
    try:
        result.graph = OnnxDoor(result.model, case.name).read()
        lower(result.graph, Options())
    except ModelError as error:
        result.graph, result.reason = None, plain(error.what)


def _take_as_it_is(result: Wrapped, case: Any, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
    """A quantizer's own case: scale and zero point become constants, the edges stay what they are."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for value, array in zip(list(model.graph.input)[1:], inputs[1:], strict=True):
        model.graph.initializer.append(numpy_helper.from_array(array, value.name))
    del model.graph.input[1:]
    result.model, result.inputs, result.expected = model, {model.graph.input[0].name: inputs[0]}, outputs
    try:
        result.graph = OnnxDoor(model, case.name).read()
        lower(result.graph, Options(io="float32"))
    except ModelError as error:
        result.graph, result.reason = None, plain(error.what)


def plain(reason: str) -> str:
    """A refusal without names and numbers, so that equal reasons are counted together."""
    reason = re.sub(r"`[^`]*`", "...", reason)
    reason = re.sub(r"[\[(][^\[\]()]*[\])]", "...", reason)
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", reason)[:90]


def _quantized(nodes: list, constants: list, name: str, parameters: tuple[np.float32, np.int8]) -> str:
    for suffix, value in zip("sz", parameters, strict=True):
        constants.append(numpy_helper.from_array(np.asarray(value), f"{name}_{suffix}"))
    parts = [f"{name}_s", f"{name}_z"]
    nodes.append(helper.make_node("QuantizeLinear", [name, *parts], [f"{name}_q"]))
    nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", *parts], [f"{name}_d"]))
    return f"{name}_d"


@pytest.fixture(scope="session")
def backend_cases() -> list[Wrapped]:
    """Every node case of the installed onnx."""
    return wrapped_cases()


def wrapped_cases() -> list[Wrapped]:
    """The same, for scripts/onnx_backend.py too."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [wrap(case) for case in load_model_tests(kind="node")]
