"""Average pooling over NHWC, global average pooling and the mean over height and width.

Rounding `double`: TFLite's AVERAGE_POOL_2D (reference/integer_ops/pooling.h): the sum of the window's own pixels
divided by their number, rounded half away from zero; both sides share one scale. Rounding `single`: sum minus count *
zero point, requantized with one multiplier per number of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import Requantizer, quantize_multiplier, requantizer, saturate
from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.affine import ROUNDING_CODE, output_record
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section
from hilgate.compile.ops.pool import constants, pooled_shape, window_from_onnx, window_from_tflite
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.window import Window

if TYPE_CHECKING:
    from hilgate.compile.onnx_door import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class AvgPool2D(Op):
    """Input: x (1, H, W, C). count_padding: the divisor is always the whole window; mean: TFLite's MEAN, which rounds
    otherwise than its AVERAGE_POOL_2D.
    """

    window: Window
    count_padding: bool = False
    activation: Activation = NONE
    mean: bool = False

    kind: ClassVar[str] = "avg_pool2d"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h", "kernels/pool.h")
    channelwise: ClassVar[bool] = True
    monotone = True
    onnx: ClassVar[tuple[str, ...]] = ("AveragePool", "GlobalAveragePool", "ReduceMean")
    tflite: ClassVar[tuple[str, ...]] = ("AVERAGE_POOL_2D", "MEAN")

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        if node.kind == "ReduceMean":
            _mean_from_onnx(node)
            return
        x = node.channels_last_2d(0)
        if node.kind == "GlobalAveragePool":
            node.emit_channels_last(cls(Window((x.shape[1], x.shape[2]))), [x])
            return
        count_padding = bool(node.attribute("count_include_pad", 0))
        node.emit_channels_last(cls(window_from_onnx(node, x), count_padding), [x])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        if node.kind == "MEAN":
            x = node.input(0)
            if len(x.shape) != 4 or {a % 4 for a in node.numbers(1)} != {1, 2}:
                raise node.refuse(
                    f"axes {node.numbers(1)} of {x.shape} are not supported", "supported: height and width"
                )
            node.emit_or_view(cls(Window((x.shape[1], x.shape[2])), mean=True), x)
            return
        window, code = window_from_tflite(node)
        node.emit(cls(window, activation=node.activation(code)), [node.input(0)])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        return pooled_shape(self.window, inputs)

    def natural_quantization(self, site: Site) -> Quantization | None:
        """A mean lies between its numbers, so the input's scale serves; ONNX Runtime leaves ReduceMean in float."""
        return site.inputs[0].quantization

    def counts(self, site: Site) -> np.ndarray:
        """How many pixels each output averages, (output H, output W, 1)."""
        ones = np.ones((1, *site.inputs[0].shape[1:3], 1), np.int64)
        counts: np.ndarray = self.window.patches(ones, int(self.count_padding)).sum(axis=(3, 4))[0]
        return counts

    def requantizer(self, site: Site) -> Requantizer:
        """Rounding `single`: channel i is the multiplier of i + 1 pixels."""
        source, target = site.inputs[0].quant, site.output.quant
        sizes = np.arange(1, self.window.kernel[0] * self.window.kernel[1] + 1)
        bounds = self.activation.int8_bounds(target, site.rounding)
        ratio = source.only_scale / target.only_scale
        try:
            return requantizer(ratio / sizes[self.smallest(site) - 1 :], "single", target.zero_point, bounds)
        except ValueError as error:
            raise site.refuse(str(error), "its scales are too far apart; quantize again") from error

    def mean_requantizer(self, site: Site) -> Requantizer:
        """Rounding `double`: the division is in the multiplier, floored (reduce.cc, QuantizedMeanOrSum)."""
        source, target = site.inputs[0].quant, site.output.quant
        count = self.window.kernel[0] * self.window.kernel[1]
        multiplier, shift = quantize_multiplier(source.only_scale / target.only_scale)
        left = min(count.bit_length() - 1, 32, 31 + shift)
        factors = np.array([(multiplier << left) // count], np.int32), np.array([shift - left], np.int32)
        return Requantizer("double", *factors, target.zero_point, *self._bounds(site))

    def smallest(self, site: Site) -> int:
        """The fewest pixels that any output averages."""
        return int(self.counts(site).min())

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        images = inputs[0].reshape(-1, *site.inputs[0].shape[1:]).astype(np.int64)
        zero_point, counts = site.inputs[0].quant.zero_point, self.counts(site)
        if self.mean and site.rounding == "double":
            total = (images - zero_point).sum(axis=(1, 2), keepdims=True)
            return self.mean_requantizer(site).apply(total).reshape(-1, *site.output.shape)
        if site.rounding == "double":
            total = self.window.patches(images, 0).sum(axis=(3, 4))
            rounded = (np.abs(total) + counts // 2) // counts * np.sign(total)
            return saturate(rounded, *self._bounds(site)).reshape(-1, *site.output.shape)
        total = self.window.patches(images - zero_point, 0).sum(axis=(3, 4))
        scale = self.requantizer(site)
        pick = counts - self.smallest(site)
        chosen = Requantizer("single", scale.multiplier[pick], scale.shift[pick], *self._rest(scale))
        return chosen.apply(total).reshape(-1, *site.output.shape)

    @staticmethod
    def _rest(scale: Requantizer) -> tuple[int, int, int]:
        return scale.zero_point, scale.lowest, scale.highest

    def _bounds(self, site: Site) -> tuple[int, int]:
        return self.activation.int8_bounds(site.output.quant, site.rounding)

    def check(self, site: Site) -> None:
        if site.rounding == "double" and self.mean:
            self.mean_requantizer(site)
        elif site.rounding == "double":
            if site.inputs[0].quantization != site.output.quantization:
                raise site.refuse("input and output have different scales", "TFLite defines it for equal ones only")
        else:
            self.requantizer(site)

    def sections(self, site: Site) -> list[Section]:
        if site.rounding == "double" and self.mean:
            scale = self.mean_requantizer(site)
            factors = [site.inputs[0].quant.zero_point, int(scale.multiplier[0]), int(scale.shift[0])]
            return [output_record(scale), int32_section("factors", factors)]
        if site.rounding == "double":
            lowest, highest = self._bounds(site)
            return [int32_section("output", [0, 0, lowest, highest]), int32_section("factors", [0])]
        scale = self.requantizer(site)
        factors = [site.inputs[0].quant.zero_point, *scale.multiplier]
        return [output_record(scale), int32_section("factors", factors)]

    def call(self, site: Site) -> Call:
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "factors", "hilgate_i32"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("output", 0, "int8_t"),
        )
        extra = {
            "smallest": self.smallest(site),
            "count_padding": int(self.count_padding),
            "mean": int(self.mean),
            "rounding": ROUNDING_CODE[site.rounding],
        }
        return Call("avg_pool2d_s8", pointers, constants(self.window, site) | extra)


def _mean_from_onnx(node: OnnxNode) -> None:
    """ReduceMean: over height and width, as exporters write global pooling, or over any neighbouring axes."""
    rank = len(node.raw(0).shape)
    node.must_be("noop_with_empty_axes", 0)
    axes = node.numbers(1) if node.has(1) else [int(a) for a in node.attribute("axes", [])]
    if any(not -rank <= a < rank for a in axes):
        raise node.refuse(f"axes {axes} do not exist in rank {rank}")
    reduced = sorted({a % rank for a in axes} or range(rank))
    keep = bool(node.attribute("keepdims", 1))
    if rank in (3, 4) and node.shape(0)[0] == 1 and reduced and set(reduced) <= {2, 3}:
        _mean_of_image(node, [axis - rank + 4 for axis in reduced], keep)
        return
    if reduced != list(range(reduced[0], reduced[-1] + 1)):
        raise node.refuse(f"axes {axes} of rank {rank} are not supported", "supported: axes side by side")
    _mean_of_neighbours(node, reduced, keep)


def _mean_of_image(node: OnnxNode, reduced: list[int], keep: bool) -> None:
    """The mean over height (2), width (3) or both as a pool."""
    x = node.channels_last_2d(0)
    kernel = (x.shape[1] if 2 in reduced else 1, x.shape[2] if 3 in reduced else 1)
    op = AvgPool2D(Window(kernel))
    if keep:
        node.emit_channels_last(op, [x])
        return
    left = [x.shape[axis - 1] for axis in (2, 3) if axis not in reduced and len(node.shape(0)) == 4]
    node.emit(Reshape((x.shape[0], *left, x.shape[3])), [node.inner(op, [x])])
    if left:
        node.mark_channels_last()


def _mean_of_neighbours(node: OnnxNode, reduced: list[int], keep: bool) -> None:
    """The mean as a pool over rows of a (1, outer, reduced, inner) view."""
    x = node.input(0)
    shape, first, last = x.shape, reduced[0], reduced[-1]
    count = prod(shape[first : last + 1])
    rows = node.inner(Reshape((1, prod(shape[:first]), count, prod(shape[last + 1 :]))), [x])
    pooled = node.inner(AvgPool2D(Window((1, count), (1, count))), [rows])
    node.emit(Reshape((*shape[:first], *([1] * len(reduced) if keep else []), *shape[last + 1 :])), [pooled])


OP = AvgPool2D
