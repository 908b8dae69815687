"""Softmax over the last axis, in integers: a table of 256 exponentials, one 64-bit sum, one division per element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import saturate
from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.onnx_door import OnnxNode

TABLE_BITS = 22  # exp(0) in the table; 2^22 * 1024 classes fit a 32-bit sum
CLASSES_MAX = 1023
FACTOR_BITS = 8  # of 1 / output scale


@dataclass(frozen=True)
class Softmax(Op):
    """y = zero_point + round(exp(d * input scale) / sum of them / output scale), d = x - max(x), saturated to int8."""

    kind: ClassVar[str] = "softmax"
    onnx: ClassVar[tuple[str, ...]] = ("Softmax",)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        x = node.input(0)
        axis = int(node.attribute("axis", -1))
        if axis not in (-1, len(x.shape) - 1):
            raise node.refuse(f"axis {axis} of shape {x.shape} is not supported", "supported: the last axis")
        node.emit(cls(), [x])

    def natural_quantization(self) -> Quantization:
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

    def factor(self, site: Site) -> int:
        """1 / output scale in 24.8 bits: 65536 for the usual scale 1/256."""
        factor: int = round(2**FACTOR_BITS / site.output.quant.only_scale)
        return factor

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.int64)
        exponential = self.table(site)[x.max(axis=-1, keepdims=True) - x]
        total = exponential.sum(axis=-1, keepdims=True) << FACTOR_BITS
        steps = (exponential * self.factor(site) + (total >> 1)) // total
        return saturate(steps + site.output.quant.zero_point)

    def check(self, site: Site) -> None:
        if site.inputs[0].shape[-1] > CLASSES_MAX:
            raise site.refuse(f"{site.inputs[0].shape[-1]} classes are more than {CLASSES_MAX}", "split the output")
        if not 1 <= self.factor(site) < 2**31:
            raise site.refuse(f"output scale {site.output.quant.only_scale:g} is out of range", "use 1/256")

    def sections(self, site: Site) -> list[Section]:
        return [
            int32_section("table", self.table(site)),
            int32_section("output", [self.factor(site), site.output.quant.zero_point]),
        ]

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        return (0,)

    def call(self, site: Site) -> Call:
        classes = site.output.shape[-1]
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "table", "hilgate_u32"),
            Pointer("section", "output", "hilgate_i32"),
            Pointer("output", 0, "int8_t"),
        )
        return Call("softmax_s8", pointers, {"rows": site.output.elements // classes, "classes": classes})


OP = Softmax
