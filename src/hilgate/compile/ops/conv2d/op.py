"""Convolution over NHWC, grouped or not; depthwise ones have an operator of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.affine import ROUNDING_CODE, affine, exact_float
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section
from hilgate.compile.ops.conv2d import kernel as panels
from hilgate.compile.ops.conv2d import winograd
from hilgate.compile.ops.conv2d.doors import from_onnx, from_tflite
from hilgate.compile.ops.window import Window, one_image
from hilgate.compile.options import CYCLES_PER_BYTE

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.ops.conv2d.kernel import ConvKernel
    from hilgate.compile.ops.conv2d.winograd import WinogradKernel
    from hilgate.compile.options import Options
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class Conv2D(Op):
    """Inputs: x (1, H, W, C); weights (channels, kernel H, kernel W, C / groups), constant; bias, optional.

    kernel: None is the portable definition.
    """

    window: Window
    groups: int = 1
    activation: Activation = NONE
    kernel: ConvKernel | WinogradKernel | None = None

    kind: ClassVar[str] = "conv2d"
    onnx: ClassVar[tuple[str, ...]] = ("Conv",)
    tflite: ClassVar[tuple[str, ...]] = ("CONV_2D",)
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
        if len(weights) != 4:
            raise ValueError(f"weights of shape {weights} are no 2-D convolution's")
        if x[3] != weights[3] * self.groups or weights[0] % self.groups or weights[1:3] != self.window.kernel:
            raise ValueError(f"weights of shape {weights} in {self.groups} groups do not fit an input of shape {x}")
        if len(inputs) > 2 and inputs[2].elements != weights[0]:
            raise ValueError(f"a bias of {inputs[2].elements} does not fit {weights[0]} channels")
        return [(x[0], *self.window.output(x[1], x[2]), weights[0])]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        layer = affine(site, self.activation)
        images = [self._image(site, layer.weights, image) for image in inputs[0].reshape(-1, *site.inputs[0].shape)]
        return layer.output.apply(np.concatenate(images)[:, None] + layer.bias)

    def _image(self, site: Site, weights: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Products of one image, exact in floating point, int64 (1, H, W, channels)."""
        exact = exact_float(weights)
        patches = self.window.patches(image, site.inputs[0].quant.zero_point)
        height, width = patches.shape[1:3]
        per_group = weights.shape[3]
        results = []
        for group, part in enumerate(np.split(weights, self.groups)):
            columns = patches[..., group * per_group : (group + 1) * per_group].reshape(height * width, -1)
            results.append(columns.astype(exact) @ part.reshape(part.shape[0], -1).astype(exact).T)
        return np.concatenate(results, axis=1).astype(np.int64).reshape(1, height, width, -1)

    def check(self, site: Site) -> None:
        affine(site, self.activation)

    def macs(self, site: Site) -> int:
        _, kernel_h, kernel_w, depth = site.inputs[1].shape
        return site.output.elements * kernel_h * kernel_w * depth

    def tuned(self, site: Site, options: Options) -> Op:
        found = None if "fast_kernels" in options.without else panels.choose(self, site)
        if found is None or options.optimize != "speed" or "winograd" in options.without:
            return replace(self, kernel=found)
        worth = CYCLES_PER_BYTE[options.optimize]
        better = winograd.choose(self, site, panels.cycles(self, site, found), worth)
        return replace(self, kernel=better or found)

    def sources(self, site: Site) -> tuple[str, ...]:
        return _way(self.kernel).sources() if self.kernel else super().sources(site)

    def scratch_bytes(self, site: Site) -> int:
        return int(_way(self.kernel).scratch_bytes(self, site, self.kernel)) if self.kernel else 0

    def overlap_lag(self, site: Site) -> dict[int, int]:
        return {0: _way(self.kernel).overlap_lag(self, site, self.kernel)} if self.kernel else {}

    def sections(self, site: Site) -> list[Section]:
        if self.kernel:
            return list(_way(self.kernel).sections(self, site, self.kernel))
        layer = affine(site, self.activation)
        fill = int32_section("fill", [site.inputs[0].quant.zero_point])
        return [*layer.sections(), fill, Section("weights", layer.weights.astype(np.int8).tobytes())]

    def call(self, site: Site) -> Call:
        if self.kernel:
            made: Call = _way(self.kernel).call(self, site, self.kernel)
            return made
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
            "output_c": site.output.shape[3],
            **self.window.constants(),
            "groups": self.groups,
            "rounding": ROUNDING_CODE[site.rounding],
        }
        return Call("conv2d_s8", pointers, constants)


def _way(kernel: ConvKernel | WinogradKernel) -> Any:
    """The module that knows a kernel: both have the same functions."""
    return winograd if isinstance(kernel, winograd.WinogradKernel) else panels


OP = Conv2D
