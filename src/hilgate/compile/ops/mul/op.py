"""Multiply element by element, or divide by a constant; the second operand may repeat over leading dimensions.

acc = (a - zero point of a) * (b - zero point of b), requantized with scale a * scale b / scale y; TFLite's is
reference/integer_ops/mul.h. A constant operand per channel is read from ONNX as a depthwise 1x1 convolution instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import Requantizer, requantizer
from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.add.op import core
from hilgate.compile.ops.affine import ROUNDING_CODE, output_record
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class Mul(Op):
    """Inputs: a; b, of the same shape or of its last dimensions, maybe a constant int8 tensor."""

    activation: Activation = NONE

    kind: ClassVar[str] = "mul"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h",)
    onnx: ClassVar[tuple[str, ...]] = ("Mul", "Div")
    tflite: ClassVar[tuple[str, ...]] = ("MUL",)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        a, b = node.alike(0, 1)
        if node.kind == "Div":
            b = _reciprocal(node, b)
        if a.constant or len(core(a.shape)) < len(core(b.shape)):
            a, b = b, a
        if b.constant and b.quantization is None:
            b = node.graph.add(_quantized(b, node.graph.fresh(f"{b.name}.int8")))
        node.emit_alike(cls(), [a, b])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        a, b = node.input(0), node.input(1)
        if a.constant or len(core(a.shape)) < len(core(b.shape)):
            a, b = b, a
        node.emit(cls(node.activation(node.options("MulOptions").FusedActivationFunction())), [a, b])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        a, b = inputs[0].shape, inputs[1].shape
        tail = core(b)
        if tail != a[len(a) - len(tail) :] or len(b) > len(a):
            raise ValueError(f"shapes {a} and {b} cannot be multiplied: the second must be the first's last dimensions")
        return [a]

    def requantizer(self, site: Site) -> Requantizer:
        a, b, y = (tensor.quant for tensor in (*site.inputs, site.output))
        bounds = self.activation.int8_bounds(y, site.rounding)
        try:
            scale = np.array([a.only_scale * b.only_scale / y.only_scale])
            return requantizer(scale, site.rounding, y.zero_point, bounds)
        except ValueError as error:
            raise site.refuse(str(error), "quantize the model again") from error

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        a, b = (x.astype(np.int64) - t.quant.zero_point for x, t in zip(inputs, site.inputs, strict=True))
        b = b.reshape(b.shape[0], *[1] * (a.ndim - b.ndim), *b.shape[1:])
        return self.requantizer(site).apply((a * b)[..., None])[..., 0]

    def check(self, site: Site) -> None:
        if site.inputs[1].dtype != "int8":
            raise site.refuse("its constant is not int8", "quantize the whole model to int8")
        if 255 * 255 << self.requantizer(site).left_shift >= 2**31:
            raise site.refuse("its output scale is too small for its inputs'", "quantize the model again")

    def sections(self, site: Site) -> list[Section]:
        scale = self.requantizer(site)
        zero_points = [-tensor.quant.zero_point for tensor in site.inputs]
        sections = [
            output_record(scale),
            int32_section("factors", [*zero_points, int(scale.multiplier[0]), int(scale.shift[0])]),
        ]
        if site.inputs[1].constant:
            sections.append(Section("constant", site.inputs[1].values.astype(np.int8).tobytes()))
        return sections

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        whole = site.inputs[1].elements == site.output.elements
        return (0,) if site.inputs[1].constant or not whole else (0, 1)

    def call(self, site: Site) -> Call:
        constant = site.inputs[1].constant
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "constant", "int8_t") if constant else Pointer("input", 1, "int8_t"),
            Pointer("section", "factors", "hilgate_i32"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("output", 0, "int8_t"),
        )
        counts = {"count": site.output.elements, "period": site.inputs[1].elements}
        return Call("mul_s8", pointers, counts | {"rounding": ROUNDING_CODE[site.rounding]})


def _reciprocal(node: OnnxNode, divisor: Tensor) -> Tensor:
    """A constant divisor as a factor, in real numbers."""
    if not divisor.constant or node.input(0).constant or not np.all(divisor.real()):
        raise node.refuse("only a division by constants other than 0 is supported", "multiply instead")
    data = (1 / divisor.real()).astype(np.float32)
    return node.graph.add(Tensor(node.graph.fresh(f"{divisor.name}.reciprocal"), data.shape, "float32", None, data))


def _quantized(constant: Tensor, name: str) -> Tensor:
    """A real constant as symmetric int8."""
    from hilgate.compile.arithmetic import quantize
    from hilgate.compile.graph import Quantization

    largest = float(np.abs(constant.values).max(initial=0))
    scale = float(np.float32(largest / 127)) or 1.0
    return Tensor(name, constant.shape, "int8", Quantization((scale,)), quantize(constant.values, scale, 0))


OP = Mul
