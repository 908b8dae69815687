"""Reshape and its relatives Flatten, Squeeze, Unsqueeze: the same bytes under another shape, so no code at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.base import Op

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class Reshape(Op):
    """`shape`: the output's, all positive."""

    shape: Shape
    view: bool = field(default=True, init=False)

    kind: ClassVar[str] = "reshape"
    monotone = True
    onnx: ClassVar[tuple[str, ...]] = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
    tflite: ClassVar[tuple[str, ...]] = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
    keeps_quantization: ClassVar[bool] = True

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        rule = {"Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze}[node.kind]
        before = node.shape(0)
        shape = rule(node, before)
        if node.is_channels_last(0) and len(shape) in (3, 4) and shape[:2] == before[:2]:
            # only height and width change: the channels can stay last
            node.emit_alike(cls((shape[0], *shape[2:], shape[1])), [node.raw(0)])
            return
        x = node.input(0)
        if x.data is not None:
            data = x.data.reshape(shape)
            node.define(Tensor(node.proto.output[0], shape, x.dtype, x.quantization, data))
            return
        node.emit(cls(shape), [x])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        x, output = node.input(0), node.graph.tensors[node.outputs[0]]
        node.emit(cls(output.shape), [x])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        if math.prod(self.shape) != inputs[0].elements:
            raise ValueError(f"shape {inputs[0].shape} cannot become {self.shape}")
        return [self.shape]

    def placement(self, site: Site) -> tuple[int, ...]:
        return (0,)

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        return inputs[0].reshape(inputs[0].shape[0], *self.shape)


def _reshape(node: OnnxNode, shape: Shape) -> Shape:
    allow_zero = node.attribute("allowzero", 0)
    wanted = [int(d) for d in node.constant(1).reshape(-1)]
    if not allow_zero:
        if any(d == 0 and i >= len(shape) for i, d in enumerate(wanted)):
            raise node.refuse(f"shape {wanted} copies a dimension that {shape} does not have")
        wanted = [shape[i] if d == 0 else d for i, d in enumerate(wanted)]
    if wanted.count(-1) > 1 or any(d < -1 or d == 0 for d in wanted):
        raise node.refuse(f"shape {wanted} is not supported")
    known = math.prod(d for d in wanted if d != -1)
    if -1 in wanted and (known == 0 or math.prod(shape) % known):
        raise node.refuse(f"shape {shape} cannot become {wanted}")
    return tuple(math.prod(shape) // known if d == -1 else d for d in wanted)


def _flatten(node: OnnxNode, shape: Shape) -> Shape:
    axis = int(node.attribute("axis", 1))
    if not -len(shape) <= axis <= len(shape):
        raise node.refuse(f"axis {axis} does not exist in shape {shape}")
    axis = axis + len(shape) if axis < 0 else axis
    return math.prod(shape[:axis]), math.prod(shape[axis:])


def _axes(node: OnnxNode, rank: int) -> set[int]:
    axes = [int(a) for a in node.constant(1).reshape(-1)]
    if any(not -rank <= a < rank for a in axes):
        raise node.refuse(f"axes {axes} do not exist in rank {rank}")
    return {a % rank for a in axes}


def _squeeze(node: OnnxNode, shape: Shape) -> Shape:
    axes = _axes(node, len(shape)) if node.has(1) else {i for i, d in enumerate(shape) if d == 1}
    if any(shape[i] != 1 for i in axes):
        raise node.refuse(f"axes {sorted(axes)} of shape {shape} are not all 1")
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def _unsqueeze(node: OnnxNode, shape: Shape) -> Shape:
    count = int(node.constant(1).size)
    axes = _axes(node, len(shape) + count)
    if len(axes) != count:
        raise node.refuse(f"axes {node.numbers(1)} name a dimension twice")
    dims = iter(shape)
    return tuple(1 if i in axes else next(dims) for i in range(len(shape) + len(axes)))


OP = Reshape
