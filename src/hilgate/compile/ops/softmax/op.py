"""Softmax over the last axis: a table of 256 exponentials, a sum, a division.

Rounding `single`: in integers. Rounding `double`: TFLite's own kernel works in float32 (optimized_ops.h, Softmax with a
look-up table, also behind its reference resolver); the same float32 operations in the same order are IEEE 754 exact,
so C, NumPy and LiteRT agree to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import saturate
from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer, Section, float_record, int32_section

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode

TABLE_BITS = 22  # exp(0) in the table; 2^22 * 1024 classes fit a 32-bit sum
CLASSES_MAX = 1023
FACTOR_BITS = 8  # of 1 / output scale


@dataclass(frozen=True)
class Softmax(Op):
    """y = zero_point + round(exp(d * input scale) / sum of them / output scale), d = x - max(x), saturated to int8."""

    kind: ClassVar[str] = "softmax"
    onnx: ClassVar[tuple[str, ...]] = ("Softmax",)
    tflite: ClassVar[tuple[str, ...]] = ("SOFTMAX",)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        x = node.input(0)
        axis = int(node.attribute("axis", -1))
        if axis not in (-1, len(x.shape) - 1):
            raise node.refuse(f"axis {axis} of shape {x.shape} is not supported", "supported: the last axis")
        node.emit(cls(), [x])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        beta = float(node.options("SoftmaxOptions").Beta())
        if beta != 1.0:
            raise node.refuse(f"beta {beta} is not supported", "supported: 1")
        node.emit(cls(), [node.input(0)])

    def natural_quantization(self, site: Site) -> Quantization:
        return Quantization((1 / 256,), -128)

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        if not inputs[0].shape:
            raise ValueError("a scalar has no softmax")
        return [inputs[0].shape]

    def table(self, site: Site) -> np.ndarray:
        """exp(-i * input scale) * 2^22, rounded, for i = 0 .. 255."""
        exponent = -np.arange(256, dtype=np.float64) * site.inputs[0].quant.only_scale
        table: np.ndarray = np.floor(np.exp(exponent) * 2**TABLE_BITS + 0.5).astype(np.int64)
        return table

    def float_table(self, site: Site) -> np.ndarray:
        """float32 exp(-i * input scale), i = 0 .. 255, from a float32 product as TFLite's
        PopulateSoftmaxLookupTable.
        """
        exponent = np.float32(-site.inputs[0].quant.only_scale) * np.arange(256, dtype=np.float32)
        table: np.ndarray = np.exp(exponent.astype(np.float64)).astype(np.float32)
        return table

    def factor(self, site: Site) -> int:
        """1 / output scale in 24.8 bits: 65536 for the usual scale 1/256."""
        factor: int = round(2**FACTOR_BITS / site.output.quant.only_scale)
        return factor

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.int64)
        if site.rounding == "double":
            return self._float(site, x)
        exponential = self.table(site)[x.max(axis=-1, keepdims=True) - x]
        total = exponential.sum(axis=-1, keepdims=True) << FACTOR_BITS
        steps = (exponential * self.factor(site) + (total >> 1)) // total
        return saturate(steps + site.output.quant.zero_point)

    def _float(self, site: Site, x: np.ndarray) -> np.ndarray:
        exponential = self.float_table(site)[x.max(axis=-1, keepdims=True) - x]
        total = np.zeros(x.shape[:-1], np.float32)
        for index in range(x.shape[-1]):  # one after the other: float addition is not associative
            total = total + exponential[..., index]
        inverse = np.float32(1) / (total * np.float32(site.output.quant.only_scale))
        steps = np.floor((exponential * inverse[..., None]).astype(np.float64) + 0.5)
        return saturate(steps + site.output.quant.zero_point)

    def check(self, site: Site) -> None:
        if site.inputs[0].shape[-1] > CLASSES_MAX:
            raise site.refuse(f"{site.inputs[0].shape[-1]} classes are more than {CLASSES_MAX}", "split the output")
        if not 1 <= self.factor(site) < 2**31:
            raise site.refuse(f"output scale {site.output.quant.only_scale:g} is out of range", "use 1/256")

    def sections(self, site: Site) -> list[Section]:
        if site.rounding == "double":
            table = Section("table", self.float_table(site).astype("<f4").tobytes())
            return [table, float_record("output", site.output.quant)]
        return [
            int32_section("table", self.table(site)),
            int32_section("output", [self.factor(site), site.output.quant.zero_point]),
        ]

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        return (0,)

    def call(self, site: Site) -> Call:
        classes, double = site.output.shape[-1], site.rounding == "double"
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "table", "hilgate_f32" if double else "hilgate_u32"),
            Pointer("section", "output", "hilgate_edge" if double else "hilgate_i32"),
            Pointer("output", 0, "int8_t"),
        )
        return Call(
            "softmax_float_s8" if double else "softmax_s8",
            pointers,
            {"rows": site.output.elements // classes, "classes": classes},
        )


OP = Softmax
