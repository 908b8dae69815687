"""The graph that both doors build and every pass rewrites: nodes with typed operators, tensors with their quantization.

A tensor is float32 while the graph still says DequantizeLinear -> operator -> QuantizeLinear; after the passes every
tensor is int8, and an operator means: dequantize its inputs, compute in real numbers, quantize into its output. Its
`reference` says exactly which integers that gives. Activations are NHWC; the batch is always 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hilgate.errors import ModelError

if TYPE_CHECKING:
    from hilgate.compile.ops.base import Op

Shape = tuple[int, ...]
ITEM_BYTES = {"int8": 1, "uint8": 1, "int16": 2, "int32": 4, "int64": 8, "float32": 4, "bool": 1}


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero_point). `scale` has one float32 value, or one per index of axis `axis`."""

    scale: tuple[float, ...]
    zero_point: int = 0
    axis: int | None = None

    @property
    def per_channel(self) -> bool:
        return self.axis is not None

    @property
    def only_scale(self) -> float:
        """The scale of a per-tensor quantization."""
        if self.per_channel:
            raise ValueError("per channel")
        return self.scale[0]


@dataclass
class Tensor:
    """One edge of the graph, or a constant when it has `data`. dtype: a key of ITEM_BYTES."""

    name: str
    shape: Shape
    dtype: str
    quantization: Quantization | None = None
    data: np.ndarray | None = None

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * ITEM_BYTES[self.dtype]

    @property
    def constant(self) -> bool:
        return self.data is not None

    @property
    def quant(self) -> Quantization:
        """The quantization of a tensor that must have one."""
        if self.quantization is None:
            raise ModelError(f"tensor `{self.name}` is not quantized", where=self.name, hint="quantize the model first")
        return self.quantization

    @property
    def values(self) -> np.ndarray:
        """The data of a tensor that must be a constant."""
        if self.data is None:
            raise ModelError(f"tensor `{self.name}` must be a constant", where=self.name)
        return self.data

    def real(self) -> np.ndarray:
        """A constant's real values, float64."""
        data = self.values.astype(np.float64)
        if self.quantization is None:
            return data
        scale = np.asarray(self.quantization.scale, np.float64)
        if self.quantization.axis is not None:
            scale = scale.reshape([-1 if i == self.quantization.axis else 1 for i in range(data.ndim)])
        return (data - self.quantization.zero_point) * scale


@dataclass(eq=False)
class Node:
    """One operator at one place: names of its input and output tensors. Two nodes are never equal.

    origin: of a strip of a layer that was split, the layer's name; sparing: its kernel must need little memory.
    """

    name: str
    op: Op
    inputs: list[str]
    outputs: list[str]
    origin: str = ""
    sparing: bool = False

    @property
    def layer(self) -> str:
        """The name of the layer that it is, or is a strip of."""
        return self.origin or self.name


@dataclass
class Graph:
    """Nodes in execution order. `rounding`: how accumulators are requantized (see arithmetic.py).

    source_axes: of an input that is stored in another order than the model file's, the file's axis of each axis.
    """

    name: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    rounding: str = "single"
    source_axes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def add(self, tensor: Tensor) -> Tensor:
        self.tensors[tensor.name] = tensor
        return tensor

    def fresh(self, stem: str) -> str:
        """A tensor name that nobody has."""
        name, count = stem, 0
        while name in self.tensors:
            count += 1
            name = f"{stem}.{count}"
        return name

    def producer(self, tensor: str) -> Node | None:
        return next((node for node in self.nodes if tensor in node.outputs), None)

    def consumers(self, tensor: str) -> list[Node]:
        return [node for node in self.nodes if tensor in node.inputs]

    def only_consumer(self, tensor: str) -> Node | None:
        """The node that alone reads the tensor, when it is no output of the graph."""
        readers = self.consumers(tensor)
        return readers[0] if len(readers) == 1 and tensor not in self.outputs else None

    def replace(self, old: str, new: str) -> None:
        """Everybody who read `old` reads `new`, the graph's outputs included."""
        for node in self.nodes:
            node.inputs = [new if name == old else name for name in node.inputs]
        self.outputs = [new if name == old else name for name in self.outputs]

    def sites(self) -> Iterator[Site]:
        for node in self.nodes:
            yield Site(self, node)


@dataclass(frozen=True)
class Site:
    """A node with its tensors at hand: what an operator's rules and emitters look at."""

    graph: Graph
    node: Node

    @cached_property
    def inputs(self) -> list[Tensor]:
        return [self.graph.tensors[name] for name in self.node.inputs]

    @cached_property
    def outputs(self) -> list[Tensor]:
        return [self.graph.tensors[name] for name in self.node.outputs]

    @property
    def output(self) -> Tensor:
        return self.outputs[0]

    @property
    def rounding(self) -> str:
        return self.graph.rounding

    @property
    def where(self) -> str:
        return f"node `{self.node.name}` ({self.node.op.kind})"

    def refuse(self, what: str, hint: str = "") -> ModelError:
        """The error to raise about this node."""
        return ModelError(what, where=self.where, hint=hint)
