"""Nearest-neighbour enlargement of height and width by whole factors: ONNX Resize, TFLite RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer
from hilgate.compile.ops.window import one_image

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class Resize(Op):
    """Each pixel becomes factor_h x factor_w pixels: every rounding rule of the standards agrees on that."""

    factor_h: int
    factor_w: int

    kind: ClassVar[str] = "resize"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h",)
    onnx: ClassVar[tuple[str, ...]] = ("Resize",)
    tflite: ClassVar[tuple[str, ...]] = ("RESIZE_NEAREST_NEIGHBOR",)
    keeps_quantization: ClassVar[bool] = True
    channelwise: ClassVar[bool] = True

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        node.must_be("mode", "nearest")
        node.must_be("coordinate_transformation_mode", "half_pixel", "asymmetric", "half_pixel_symmetric")
        mode = node.attribute("coordinate_transformation_mode", "half_pixel")
        rounding = node.attribute("nearest_mode", "round_prefer_floor")
        safe = rounding == "floor" if mode == "asymmetric" else rounding in ("round_prefer_floor", "round_prefer_ceil")
        if not safe:
            raise node.refuse(f"{mode} with {rounding} moves pixels", "use asymmetric with floor, or half_pixel")
        for name, value in (("antialias", 0), ("exclude_outside", 0)):
            node.must_be(name, value)
        node.must_be("keep_aspect_ratio_policy", "stretch")
        node.attribute("cubic_coeff_a")  # of other modes
        node.attribute("extrapolation_value")
        x, before = node.channels_last_2d(0), node.shape(0)
        sizes = _sizes(node, before)
        if list(sizes[:2]) != list(before[:2]):
            raise node.refuse(f"sizes {sizes} change more than height and width")
        node.emit_channels_last(_factors(node, x.shape, sizes[2:]), [x])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        options = node.options("ResizeNearestNeighborOptions")
        if options.AlignCorners():
            raise node.refuse("align_corners is not supported", "use half_pixel_centers, or neither")
        x = node.input(0)
        node.emit(_factors(node, x.shape, node.numbers(1)), [x])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        shape = inputs[0].shape
        one_image(shape)
        return [(shape[0], shape[1] * self.factor_h, shape[2] * self.factor_w, shape[3])]

    @property
    def monotone(self) -> bool:
        return True

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        return inputs[0].repeat(self.factor_h, axis=2).repeat(self.factor_w, axis=3)

    def call(self, site: Site) -> Call:
        _, height, width, channels = site.inputs[0].shape
        constants = {"height": height, "width": width, "channel_count": channels}
        constants |= {"factor_h": self.factor_h, "factor_w": self.factor_w}
        return Call("resize_s8", (Pointer("input", 0, "int8_t"), Pointer("output", 0, "int8_t")), constants)


def _sizes(node: OnnxNode, before: Shape) -> list[float]:
    """The output's sizes, from input `sizes` or `scales`, which may name some axes only."""
    rank = len(before)
    axes = [int(a) for a in node.attribute("axes", list(range(rank)))]
    given = node.numbers(3) if node.has(3) else node.constant(2).astype(float).reshape(-1).tolist()
    if len(axes) != len(given) or any(not -rank <= a < rank for a in axes):
        raise node.refuse(f"{len(given)} sizes or scales for axes {axes} of rank {rank}")
    sizes: list[float] = list(before)
    for axis, value in zip(axes, given, strict=True):
        sizes[axis] = value if node.has(3) else sizes[axis] * value
    return sizes


def _factors(node: OnnxNode | TfliteNode, shape: Shape, sizes: Sequence[float]) -> Resize:
    wanted = [1.0, *sizes] if len(sizes) == 1 else list(sizes)
    factors = [size / before for size, before in zip(wanted, shape[1:3], strict=True)]
    if any(f != int(f) or f < 1 for f in factors):
        raise node.refuse(f"factors {factors} are not supported", "supported: whole numbers, enlarging")
    return Resize(int(factors[0]), int(factors[1]))


OP = Resize
