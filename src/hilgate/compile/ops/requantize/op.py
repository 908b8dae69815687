"""Int8 to int8 of another scale, with an optional clamp: QuantizeLinear of a DequantizeLinear, and a ReLU that stands
alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import Requantizer, requantizer
from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, RELU, RELU6, Activation
from hilgate.compile.ops.affine import ROUNDING_CODE, output_record
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section
from hilgate.compile.ops.lookup.op import table_call
from hilgate.compile.options import CYCLES_PER_BYTE

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.options import Options
    from hilgate.compile.tflite_door import TfliteNode

TABLE_BYTES, GAIN_CYCLES = 256, 10  # of a table, and what it saves an element: measured


@dataclass(frozen=True)
class Requantize(Op):
    """table: its 256 results lie in the weights, and lookup_s8 reads them."""

    activation: Activation = NONE
    table: bool = False

    kind: ClassVar[str] = "requantize"
    channelwise: ClassVar[bool] = True
    monotone = True
    onnx: ClassVar[tuple[str, ...]] = ("Relu", "Clip")
    tflite: ClassVar[tuple[str, ...]] = ("RELU", "RELU6", "RELU_N1_TO_1")

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        activation = RELU
        if node.kind == "Clip":
            activation = Activation(_bound(node, 1, -math.inf), _bound(node, 2, math.inf))
            if activation.low > activation.high:
                raise node.refuse(f"lower bound {activation.low} is above upper bound {activation.high}")
        node.emit_alike(cls(activation), [node.raw(0)])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        bounds = {"RELU": RELU, "RELU6": RELU6, "RELU_N1_TO_1": Activation(-1.0, 1.0)}
        node.emit(cls(bounds[node.kind]), [node.input(0)])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        return [inputs[0].shape]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        centred = inputs[0].astype(np.int64) - site.inputs[0].quant.zero_point
        return self.requantizer(site).apply(centred[..., None])[..., 0]

    def requantizer(self, site: Site) -> Requantizer:
        source, target = site.inputs[0].quant, site.output.quant
        try:
            return requantizer(
                np.array([source.only_scale / target.only_scale]),
                site.rounding,
                target.zero_point,
                self.activation.int8_bounds(target, site.rounding),
            )
        except ValueError as error:
            raise site.refuse(str(error), "its scales are too far apart; quantize again") from error

    def check(self, site: Site) -> None:
        self.requantizer(site)

    def tuned(self, site: Site, options: Options) -> Op:
        saved = GAIN_CYCLES * site.output.elements
        pays = saved > CYCLES_PER_BYTE[options.optimize] * TABLE_BYTES
        return replace(self, table=pays and "fast_kernels" not in options.without)

    def sources(self, site: Site) -> tuple[str, ...]:
        return ("ops/lookup/lookup.c", "ops/lookup/lookup.h") if self.table else super().sources(site)

    def sections(self, site: Site) -> list[Section]:
        scale = self.requantizer(site)
        if self.table:
            steps = np.arange(-128, 128) - site.inputs[0].quant.zero_point
            return [Section("table", scale.apply(steps[:, None]).astype(np.int8).tobytes())]
        channel = [-site.inputs[0].quant.zero_point, int(scale.multiplier[0]), int(scale.shift[0])]
        return [output_record(scale), int32_section("channel", channel)]

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        return (0,)

    def call(self, site: Site) -> Call:
        if self.table:
            return table_call(site)
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "channel", "hilgate_i32"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("output", 0, "int8_t"),
        )
        return Call(
            "requantize_s8", pointers, {"count": site.output.elements, "rounding": ROUNDING_CODE[site.rounding]}
        )


def _bound(node: OnnxNode, index: int, default: float) -> float:
    if not node.has(index):
        return default
    tensor = node.input(index)
    node.constant(index)
    return float(tensor.real().reshape(-1)[0])


OP = Requantize
