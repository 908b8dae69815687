"""Max pooling over NHWC; padding never wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section
from hilgate.compile.ops.pool import constants, pooled_shape, reduce_from_onnx, window_from_onnx, window_from_tflite
from hilgate.compile.ops.window import Window

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class MaxPool2D(Op):
    """Input: x (1, H, W, C)."""

    window: Window
    activation: Activation = NONE

    kind: ClassVar[str] = "max_pool2d"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h", "kernels/pool.h")
    channelwise: ClassVar[bool] = True
    monotone = True
    onnx: ClassVar[tuple[str, ...]] = ("MaxPool", "GlobalMaxPool", "ReduceMax")
    tflite: ClassVar[tuple[str, ...]] = ("MAX_POOL_2D",)
    keeps_quantization: ClassVar[bool] = True

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        if node.kind == "ReduceMax":
            reduce_from_onnx(node, cls)
            return
        x = node.channels_last_2d(0)
        if node.kind == "GlobalMaxPool":
            node.emit_channels_last(cls(Window((x.shape[1], x.shape[2]))), [x])
            return
        node.must_be("storage_order", 0)
        node.emit_channels_last(cls(window_from_onnx(node, x)), [x])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        window, code = window_from_tflite(node)
        node.emit(cls(window, node.activation(code)), [node.input(0)])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        return pooled_shape(self.window, inputs)

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        images = inputs[0].reshape(-1, *site.inputs[0].shape[1:])
        pooled = self.window.patches(images, -128).max(axis=(3, 4))
        lowest, highest = self.activation.int8_bounds(site.output.quant, site.rounding)
        clamped: np.ndarray = np.clip(pooled, lowest, highest)
        return clamped.reshape(-1, *site.output.shape)

    def sections(self, site: Site) -> list[Section]:
        lowest, highest = self.activation.int8_bounds(site.output.quant, site.rounding)
        return [int32_section("output", [site.output.quant.zero_point, 0, lowest, highest])]

    def call(self, site: Site) -> Call:
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("output", 0, "int8_t"),
        )
        return Call("max_pool2d_s8", pointers, constants(self.window, site))


OP = MaxPool2D
