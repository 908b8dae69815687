"""Transpose: the axes in another order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer
from hilgate.compile.ops.transpose.blocks import blocks_from_onnx

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode

RANK_MAX = 6


@dataclass(frozen=True)
class Transpose(Op):
    """order: for each output axis the input axis it is."""

    order: tuple[int, ...]

    kind: ClassVar[str] = "transpose"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h",)
    onnx: ClassVar[tuple[str, ...]] = ("Transpose", "DepthToSpace", "SpaceToDepth")
    tflite: ClassVar[tuple[str, ...]] = ("TRANSPOSE",)
    keeps_quantization: ClassVar[bool] = True

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        if node.kind != "Transpose":
            blocks_from_onnx(node)
            return
        x = node.input(0)
        order = tuple(int(i) for i in node.attribute("perm", list(range(len(x.shape)))[::-1]))
        if sorted(order) != list(range(len(x.shape))):
            raise node.refuse(f"attribute perm={order} does not fit shape {x.shape}")
        if x.data is None:
            node.emit(cls(order), [x])
            return
        quant = x.quantization
        if quant is not None and quant.axis is not None:
            quant = Quantization(quant.scale, quant.zero_point, order.index(quant.axis))
        data = np.ascontiguousarray(x.data.transpose(order))
        node.define(Tensor(node.proto.output[0], data.shape, x.dtype, quant, data))

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        x = node.input(0)
        order = tuple(node.numbers(1))
        if sorted(order) != list(range(len(x.shape))):
            raise node.refuse(f"permutation {order} does not fit shape {x.shape}")
        node.emit(cls(order), [x])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        shape = inputs[0].shape
        if sorted(self.order) != list(range(len(shape))):
            raise ValueError(f"shape {shape} cannot be put in the order {self.order}")
        return [tuple(shape[i] for i in self.order)]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        return inputs[0].transpose(0, *(axis + 1 for axis in self.order))

    def runs(self, shape: Shape) -> tuple[list[int], list[int]]:
        """Output sizes and input strides, with axes that lie side by side in both joined and ones dropped."""
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        sizes: list[int] = []
        steps: list[int] = []
        for axis in self.order:
            if shape[axis] == 1:
                continue
            if steps and steps[-1] == strides[axis] * shape[axis]:
                sizes[-1] *= shape[axis]
                steps[-1] = strides[axis]
            else:
                sizes.append(shape[axis])
                steps.append(strides[axis])
        return sizes or [1], steps or [1]

    def check(self, site: Site) -> None:
        if len(self.runs(site.inputs[0].shape)[0]) > RANK_MAX:
            raise site.refuse(f"more than {RANK_MAX} axes change places", "split the transposition")

    def call(self, site: Site) -> Call:
        sizes, steps = self.runs(site.inputs[0].shape)
        fill = RANK_MAX - len(sizes)
        constants = {f"size_{i}": size for i, size in enumerate([1] * fill + sizes)}
        constants |= {f"step_{i}": step for i, step in enumerate([0] * fill + steps)}
        return Call("transpose_s8", (Pointer("input", 0, "int8_t"), Pointer("output", 0, "int8_t")), constants)


OP = Transpose
