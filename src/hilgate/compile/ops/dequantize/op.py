"""DequantizeLinear: int8 to float32. Inside the graph it disappears; at the edge it is stripped unless outputs stay
float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile import arithmetic
from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.onnx_quantization import as_int8, read_quantization
from hilgate.compile.ops.base import Call, Op, Pointer, Section, float_record

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class Dequantize(Op):
    kind: ClassVar[str] = "dequantize"
    onnx: ClassVar[tuple[str, ...]] = ("DequantizeLinear",)
    tflite: ClassVar[tuple[str, ...]] = ("DEQUANTIZE",)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        x = node.raw(0)
        quantization, dtype = read_quantization(node, x)
        if x.data is not None:
            data = as_int8(node, x.data, str(x.data.dtype)) if x.quantization is None else x.data
            if data.dtype == np.int32 and quantization.zero_point != 0:
                raise node.refuse("an int32 bias with a zero point is not defined", "use zero point 0")
            node.define(Tensor(node.proto.output[0], x.shape, str(data.dtype), quantization, data))
            return
        if quantization.per_channel:
            raise node.refuse("per-channel quantization of an activation is not defined", "quantize it per tensor")
        if x.dtype != dtype and not (x.dtype == "int8" and x.quantization is not None):
            raise node.refuse(f"zero point is {dtype}, the tensor {x.dtype}")
        if x.quantization is None:
            x.quantization, x.dtype = quantization, "int8"  # uint8 at the model's edge is int8 on the device, 128 less
        if x.quantization != quantization:
            raise node.refuse("scale or zero point differ from those of its QuantizeLinear", "quantize the model again")
        node.emit_alike(cls(), [x])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        x = node.input(0)
        if x.dtype != "int8":
            raise node.refuse(f"its input is {x.dtype}", "supported: int8")
        node.emit(cls(), [x])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        return [inputs[0].shape]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        quant = site.inputs[0].quant
        return arithmetic.dequantize(inputs[0], quant.only_scale, quant.zero_point)

    def sections(self, site: Site) -> list[Section]:
        return [float_record("edge", site.inputs[0].quant)]

    def call(self, site: Site) -> Call:
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "edge", "hilgate_edge"),
            Pointer("output", 0, "hilgate_f32"),
        )
        return Call("dequantize_s8_f32", pointers, {"count": site.output.elements})


OP = Dequantize
