"""Named cases of an operator, from its cases.toml: each a graph of one node with pseudo-random constants.

    [[case]]
    name = "two_rows"
    rounding = "single"                                # optional: single | double
    attributes = { keep_dims = false }                 # fields of the operator; activation as [low, high]
    inputs = [{ shape = [2, 5], scale = 0.02, zero_point = 3 },
              { shape = [4, 5], constant = "random", scale = [0.1, 0.2, 0.1, 0.3], axis = 0 }]
    output = { scale = 0.05, zero_point = -4 }         # left out: as the first input

constant: `random`, `zero`, or `extreme` (only -128 and 127; with dtype int32 +-range). Every runtime runs the same
cases.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hilgate.compile import ops
from hilgate.compile.graph import Graph, Node, Quantization, Site, Tensor
from hilgate.compile.ops.activation import Activation
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.window import Window

INT32_RANGE = 20_000


@dataclass(frozen=True)
class Case:
    """kind: the operator; facts: the table as written."""

    kind: str
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.facts['name']}"


def cases_of(kind: str) -> list[Case]:
    """The cases of one operator."""
    document = tomllib.loads((ops.FOLDER / kind / "cases.toml").read_text("utf-8"))
    return [Case(kind, facts) for facts in document["case"]]


def graph_of(case: Case) -> Graph:
    """The one-node graph, already lowered. Equal cases give equal graphs."""
    facts = case.facts
    generator = np.random.Generator(np.random.PCG64(list(case.name.encode())))
    graph = Graph(case.name, rounding=facts.get("rounding", "single"))
    inputs = [graph.add(_tensor(f"input_{i}", spec, generator)) for i, spec in enumerate(facts["inputs"])]
    graph.inputs = [tensor.name for tensor in inputs if not tensor.constant]
    op = _operator(case)
    outputs = facts.get("outputs") or [facts.get("output", {})]
    for index, (shape, spec) in enumerate(zip(op.output_shapes(inputs), outputs, strict=True)):
        quantization = _quantization(spec) if "scale" in spec else inputs[0].quantization
        graph.add(Tensor(f"output_{index}", shape, spec.get("dtype", "int8"), quantization))
        graph.outputs.append(f"output_{index}")
    graph.nodes = [Node(case.name, op, [t.name for t in inputs], list(graph.outputs))]
    op.check(Site(graph, graph.nodes[0]))
    return graph


def _operator(case: Case) -> Op:
    cls = ops.operators()[case.kind]
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in case.facts.get("attributes", {}).items():
        if key not in known:
            raise ValueError(f"{case.name}: {case.kind} has no attribute {key}")
        values[key] = _attribute(key, value)
    return cls(**values)


def _attribute(key: str, value: Any) -> Any:
    if key == "activation":
        return Activation(*value)
    if key == "window":
        return Window(**{name: tuple(numbers) for name, numbers in value.items()})
    return tuple(value) if isinstance(value, list) else value


def _tensor(name: str, spec: dict[str, Any], generator: np.random.Generator) -> Tensor:
    dtype, shape = spec.get("dtype", "int8"), tuple(spec["shape"])
    quantization = _quantization(spec) if "scale" in spec else None
    if "constant" not in spec:
        return Tensor(name, shape, dtype, quantization)
    span = spec.get("range", INT32_RANGE) if dtype == "int32" else 127
    if spec["constant"] == "random":
        data = generator.integers(-span, span + 1, shape)
    elif spec["constant"] == "extreme":
        data = np.where(generator.integers(0, 2, shape) == 0, -span, span)
    else:
        data = np.zeros(shape, np.int64)
    return Tensor(name, shape, dtype, quantization, data.astype(dtype))


def _quantization(spec: dict[str, Any]) -> Quantization:
    scale = spec["scale"] if isinstance(spec["scale"], list) else [spec["scale"]]
    exact = tuple(float(np.float32(s)) for s in scale)
    return Quantization(exact, spec.get("zero_point", 0), spec.get("axis"))
