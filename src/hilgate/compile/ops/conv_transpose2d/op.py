"""Transposed convolution over NHWC: each input pixel adds its value times the kernel to a window of the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.affine import ROUNDING_CODE, affine
from hilgate.compile.ops.base import Call, Op, Pointer, Section
from hilgate.compile.ops.conv_transpose2d import phases
from hilgate.compile.ops.conv_transpose2d.doors import from_onnx, from_tflite
from hilgate.compile.ops.window import Window, one_image

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.ops.conv_transpose2d.phases import Phase
    from hilgate.compile.options import Options
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class ConvTranspose2D(Op):
    """Inputs: x (1, H, W, C); weights (channels, kernel H, kernel W, C), constant; bias, optional.

    window.pad: rows and columns cut off the output; size: the output's height and width; phases: None is the portable
    definition.
    """

    window: Window
    size: tuple[int, int]
    activation: Activation = NONE
    phases: tuple[Phase, ...] | None = None

    kind: ClassVar[str] = "conv_transpose2d"
    onnx: ClassVar[tuple[str, ...]] = ("ConvTranspose",)
    tflite: ClassVar[tuple[str, ...]] = ("TRANSPOSE_CONV",)
    per_channel_inputs: ClassVar[tuple[int, ...]] = (1, 2)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        from_onnx(node)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        from_tflite(node)

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        x, weights = inputs[0].shape, inputs[1].shape
        one_image(x)
        if len(weights) != 4 or x[3] != weights[3] or weights[1:3] != self.window.kernel:
            raise ValueError(f"weights of shape {weights} do not fit an input of shape {x}")
        return [(x[0], *self.size, weights[0])]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        layer = affine(site, self.activation, fold_zero_point=False)
        x = inputs[0].reshape(-1, *site.inputs[0].shape[1:]).astype(np.int64) - site.inputs[0].quant.zero_point
        (kernel_h, kernel_w), (stride_h, stride_w) = self.window.kernel, self.window.stride
        reach = [(x.shape[1 + i] - 1) * self.window.stride[i] + self.window.reach(i) for i in (0, 1)]
        top, left = self.window.pad[:2]
        room = [max(reach[i], self.window.pad[i] + self.size[i]) for i in (0, 1)]
        total = np.zeros((x.shape[0], *room, layer.channels), np.int64)
        for kh in range(kernel_h):
            for kw in range(kernel_w):
                part = x @ layer.weights[:, kh, kw].astype(np.int64).T
                h, w = kh * self.window.dilation[0], kw * self.window.dilation[1]
                rows = slice(h, h + (x.shape[1] - 1) * stride_h + 1, stride_h)
                columns = slice(w, w + (x.shape[2] - 1) * stride_w + 1, stride_w)
                total[:, rows, columns] += part
        cut = total[:, top : top + self.size[0], left : left + self.size[1]]
        return layer.output.apply(cut + layer.bias).reshape(-1, *site.output.shape)

    def check(self, site: Site) -> None:
        affine(site, self.activation, fold_zero_point=False)

    def macs(self, site: Site) -> int:
        channels, kernel_h, kernel_w, _ = site.inputs[1].shape
        return site.inputs[0].elements * kernel_h * kernel_w * channels

    def tuned(self, site: Site, options: Options) -> Op:
        return replace(self, phases=None if "fast_kernels" in options.without else phases.choose(self, site))

    def sources(self, site: Site) -> tuple[str, ...]:
        return phases.sources() if self.phases else super().sources(site)

    def scratch_bytes(self, site: Site) -> int:
        return phases.scratch_bytes(self.phases) if self.phases else 0

    def sections(self, site: Site) -> list[Section]:
        if self.phases:
            return phases.sections(self.phases)
        layer = affine(site, self.activation, fold_zero_point=False)
        fill = np.array([-site.inputs[0].quant.zero_point], "<i4").tobytes()
        return [
            *layer.sections(),
            Section("offset", fill),
            Section("weights", layer.weights.astype(np.int8).tobytes()),
        ]

    def call(self, site: Site) -> Call:
        if self.phases:
            return phases.call(self, site, self.phases)
        _, height, width, channels = site.inputs[0].shape
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "weights", "int8_t"),
            Pointer("section", "channels", "hilgate_i32"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("section", "offset", "hilgate_i32"),
            Pointer("output", 0, "int8_t"),
        )
        constants = {"input_h": height, "input_w": width, "input_c": channels, "output_h": self.size[0]}
        constants |= {"output_w": self.size[1], "output_c": site.output.shape[3], **self.window.constants()}
        return Call("conv_transpose2d_s8", pointers, constants | {"rounding": ROUNDING_CODE[site.rounding]})


OP = ConvTranspose2D
