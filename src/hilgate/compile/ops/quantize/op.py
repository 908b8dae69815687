"""QuantizeLinear: float32 to int8. At the graph's edge it is stripped, unless the model keeps float inputs."""

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
class Quantize(Op):
    kind: ClassVar[str] = "quantize"
    onnx: ClassVar[tuple[str, ...]] = ("QuantizeLinear",)
    tflite: ClassVar[tuple[str, ...]] = ("QUANTIZE",)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        x = node.raw(0)
        quantization, dtype = read_quantization(node, x)
        if dtype not in ("int8", "uint8"):
            raise node.refuse(f"quantized type {dtype} is not supported", "supported: int8, uint8")
        name = node.proto.output[0]
        if x.data is not None:
            scale = np.asarray(quantization.scale, np.float32)
            if quantization.axis is not None:
                scale = scale.reshape([-1 if i == quantization.axis else 1 for i in range(x.data.ndim)])
            offset = quantization.zero_point + (128 if dtype == "uint8" else 0)
            info = np.iinfo(dtype)
            data = np.clip(np.rint(x.data / scale) + offset, info.min, info.max).astype(dtype)
            node.define(Tensor(name, x.shape, "int8", quantization, as_int8(node, data, dtype)))
            return
        if x.dtype != "float32":
            raise node.refuse(f"its input is {x.dtype}", "supported: float32")
        if quantization.per_channel:
            raise node.refuse("per-channel quantization of an activation is not defined", "quantize it per tensor")
        node.emit_alike(cls(), [x], into=Tensor(name, (), "int8", quantization))

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        from hilgate.compile.ops.requantize.op import Requantize

        x = node.input(0)
        if x.dtype not in ("float32", "int8"):
            raise node.refuse(f"its input is {x.dtype}", "supported: float32, and int8 of another scale")
        node.emit(cls() if x.dtype == "float32" else Requantize(), [x])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        return [inputs[0].shape]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        quant = site.output.quant
        return arithmetic.quantize(inputs[0], quant.only_scale, quant.zero_point)

    def check(self, site: Site) -> None:
        if site.inputs[0].dtype != "float32":
            raise site.refuse(f"its input is {site.inputs[0].dtype}", "only float32 is quantized")

    def sections(self, site: Site) -> list[Section]:
        return [float_record("edge", site.output.quant)]

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        return (0,)

    def call(self, site: Site) -> Call:
        pointers = (
            Pointer("input", 0, "hilgate_f32"),
            Pointer("section", "edge", "hilgate_edge"),
            Pointer("output", 0, "int8_t"),
        )
        return Call("quantize_f32_s8", pointers, {"count": site.output.elements})


OP = Quantize
