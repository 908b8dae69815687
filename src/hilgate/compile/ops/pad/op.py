"""Padding with a constant, up to four dimensions. Padding with zero in front of a convolution becomes its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import quantize
from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode

RANK = 4


@dataclass(frozen=True)
class Pad(Op):
    """before, after: elements added along each axis; value: real, in the input's quantization."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    value: float = 0.0

    kind: ClassVar[str] = "pad"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h",)
    onnx: ClassVar[tuple[str, ...]] = ("Pad",)
    tflite: ClassVar[tuple[str, ...]] = ("PAD", "PADV2")
    keeps_quantization: ClassVar[bool] = True

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        node.must_be("mode", "constant")
        rank, pads = len(node.shape(0)), node.numbers(1)
        if node.has(3):
            axes = [a % rank for a in node.numbers(3)]
            given = dict(zip(axes, zip(pads[: len(axes)], pads[len(axes) :], strict=True), strict=True))
            pads = [given.get(a, (0, 0))[side] for side in (0, 1) for a in range(rank)]
        if len(pads) != 2 * rank or min(pads) < 0:
            raise node.refuse(f"pads {pads} are not supported", "supported: not negative, two per axis")
        value = float(node.input(2).real().reshape(-1)[0]) if node.has(2) else 0.0
        before, after = pads[:rank], pads[rank:]
        if node.is_channels_last(0):
            before, after = ([side[0], *side[2:], side[1]] for side in (before, after))
        node.emit_alike(cls(tuple(before), tuple(after), value), [node.raw(0)])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        pads = np.asarray(node.numbers(1)).reshape(-1, 2)
        if pads.min(initial=0) < 0:
            raise node.refuse(f"paddings {pads.tolist()} are negative")
        value = float(node.constant(2).real().reshape(-1)[0]) if node.has(2) else 0.0
        node.emit(cls(tuple(pads[:, 0].tolist()), tuple(pads[:, 1].tolist()), value), [node.input(0)])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        shape = inputs[0].shape
        if len(shape) != len(self.before) or len(shape) > RANK:
            raise ValueError(f"shape {shape} cannot be padded by {self.before} and {self.after}")
        return [tuple(b + d + a for b, d, a in zip(self.before, shape, self.after, strict=True))]

    def fill(self, site: Site) -> int:
        """The int8 that the padding holds."""
        quant = site.inputs[0].quant
        return int(quantize(np.array([self.value]), quant.only_scale, quant.zero_point)[0])

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        pads = [(0, 0), *zip(self.before, self.after, strict=True)]
        return np.pad(inputs[0], pads, constant_values=self.fill(site))

    def sections(self, site: Site) -> list[Section]:
        return [int32_section("fill", [self.fill(site)])]

    def call(self, site: Site) -> Call:
        missing = RANK - len(self.before)
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "fill", "hilgate_i32"),
            Pointer("output", 0, "int8_t"),
        )
        constants = {f"size_{i}": d for i, d in enumerate((1,) * missing + site.inputs[0].shape)}
        constants |= {f"before_{i}": d for i, d in enumerate((0,) * missing + self.before)}
        constants |= {f"after_{i}": d for i, d in enumerate((0,) * missing + self.after)}
        return Call("pad_s8", pointers, constants)


OP = Pad
