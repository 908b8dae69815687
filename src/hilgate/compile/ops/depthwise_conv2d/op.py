"""Depthwise convolution over NHWC: each output channel reads one input channel, `multiplier` outputs per input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.affine import ROUNDING_CODE, Affine, affine
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section
from hilgate.compile.ops.conv2d.doors import batch_norm_from_onnx, depthwise_from_tflite
from hilgate.compile.ops.depthwise_conv2d import plane
from hilgate.compile.ops.window import Window, one_image

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.ops.depthwise_conv2d.plane import PlaneKernel
    from hilgate.compile.options import Options
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class DepthwiseConv2D(Op):
    """Inputs: x (1, H, W, C); weights (1, kernel H, kernel W, C * multiplier), constant; bias, optional.

    kernel: None is the portable definition.
    """

    window: Window
    activation: Activation = NONE
    kernel: PlaneKernel | None = None

    kind: ClassVar[str] = "depthwise_conv2d"
    onnx: ClassVar[tuple[str, ...]] = ("BatchNormalization",)  # a grouped Conv is read by conv2d
    tflite: ClassVar[tuple[str, ...]] = ("DEPTHWISE_CONV_2D",)
    per_channel_inputs: ClassVar[tuple[int, ...]] = (1, 2)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        batch_norm_from_onnx(node)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        depthwise_from_tflite(node)

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        x, weights = inputs[0].shape, inputs[1].shape
        one_image(x)
        if len(weights) != 4:
            raise ValueError(f"weights of shape {weights} are no 2-D convolution's")
        if weights[0] != 1 or weights[3] % x[3] or weights[1:3] != self.window.kernel:
            raise ValueError(f"depthwise weights of shape {weights} do not fit an input of shape {x}")
        if len(inputs) > 2 and inputs[2].elements != weights[3]:
            raise ValueError(f"a bias of {inputs[2].elements} does not fit {weights[3]} channels")
        return [(x[0], *self.window.output(x[1], x[2]), weights[3])]

    def affine(self, site: Site) -> Affine:
        """The layer's integers with weights (channels, kernel H * kernel W)."""
        return affine(_channels_first(site), self.activation)

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        layer = self.affine(site)
        multiplier = layer.channels // site.inputs[0].shape[3]
        taps = layer.weights.T.astype(np.int32)
        results = []
        for image in inputs[0].reshape(-1, *site.inputs[0].shape):
            patches = self.window.patches(image, site.inputs[0].quant.zero_point)
            flat = patches.reshape(*patches.shape[:3], -1, patches.shape[5]).astype(np.int32)
            results.append((np.repeat(flat, multiplier, axis=4) * taps).sum(axis=3, dtype=np.int64))
        return layer.output.apply(np.stack(results) + layer.bias)

    def check(self, site: Site) -> None:
        self.affine(site)

    def macs(self, site: Site) -> int:
        return site.output.elements * self.window.kernel[0] * self.window.kernel[1]

    def tuned(self, site: Site, options: Options) -> Op:
        return replace(self, kernel=None if "fast_kernels" in options.without else plane.choose(self, site, options))

    def sources(self, site: Site) -> tuple[str, ...]:
        return plane.SOURCES if self.kernel else super().sources(site)

    def scratch_bytes(self, site: Site) -> int:
        return plane.scratch_bytes(self, self.kernel) if self.kernel else 0

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        whole = self.kernel is not None and plane.whole(self, site, self.kernel)
        return (0,) if whole and site.inputs[0].shape == site.output.shape else ()

    def overlap_lag(self, site: Site) -> dict[int, int]:
        return {0: plane.overlap_lag(self, site, self.kernel)} if self.kernel else {}

    def sections(self, site: Site) -> list[Section]:
        if self.kernel:
            return plane.sections(self, site, self.kernel)
        layer = self.affine(site)
        fill = int32_section("fill", [site.inputs[0].quant.zero_point])
        return [*layer.sections(), fill, Section("weights", site.inputs[1].values.astype(np.int8).tobytes())]

    def call(self, site: Site) -> Call:
        if self.kernel:
            return plane.call(self, site, self.kernel)
        _, height, width, channels = site.inputs[0].shape
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "weights", "int8_t"),
            Pointer("section", "channels", "hilgate_i32"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("section", "fill", "hilgate_i32"),
            Pointer("output", 0, "int8_t"),
        )
        constants = {
            "input_h": height,
            "input_w": width,
            "input_c": channels,
            "output_h": site.output.shape[1],
            "output_w": site.output.shape[2],
            "multiplier": site.output.shape[3] // channels,
            **self.window.constants(),
            "rounding": ROUNDING_CODE[site.rounding],
        }
        return Call("depthwise_conv2d_s8", pointers, constants)


def _channels_first(site: Site) -> Site:
    """The same node with its weights as (channels, taps), as the shared arithmetic takes them."""
    weights = site.inputs[1]
    quant = weights.quant
    if quant.axis not in (None, 3):
        raise site.refuse(f"weights are quantized along axis {quant.axis}", "quantize per output channel")
    if quant.axis is not None:
        quant = Quantization(quant.scale, quant.zero_point, 0)
    data = weights.values.reshape(-1, weights.shape[3]).T
    swapped = Site(site.graph, site.node)
    swapped.inputs[1] = Tensor(weights.name, data.shape, weights.dtype, quant, data)
    return swapped


OP = DepthwiseConv2D
