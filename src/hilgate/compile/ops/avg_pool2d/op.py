"""Average pooling over NHWC, global average pooling and the mean over height and width.

Rounding `double`: TFLite's AVERAGE_POOL_2D (reference/integer_ops/pooling.h): the sum of the window's own pixels
divided by their number, rounded half away from zero; both sides share one scale. Rounding `single`: sum minus count *
zero point, requantized with one multiplier per number of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import Requantizer, quantize_multiplier, requantizer, saturate
from hilgate.compile.graph import Node, Quantization, Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.affine import ROUNDING_CODE, output_record
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section
from hilgate.compile.ops.pool import constants, pooled_shape, reduce_from_onnx, window_from_onnx, window_from_tflite
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.window import Window

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
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
            reduce_from_onnx(node, cls)
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
            _mean_from_tflite(node)
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
            total = self.window.patches(images - zero_point, 0).sum(axis=(3, 4))
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


def _mean_from_tflite(node: TfliteNode) -> None:
    """MEAN over height, width or both, or over the steps of (1, steps, channels)."""
    x = node.input(0)
    rank = len(x.shape)
    axes = {a % rank + 4 - rank for a in node.numbers(1)} if rank in (3, 4) else set()
    if not axes or not axes <= {1, 2} or rank - len(axes) < 2:
        raise node.refuse(f"axes {node.numbers(1)} of {x.shape} are not supported", "supported: height and width")
    if rank == 3:
        image = Tensor(node.graph.fresh(f"{x.name}.image"), (1, *x.shape), x.dtype, x.quantization)
        node.graph.nodes.append(Node(image.name, Reshape(image.shape), [x.name], [node.graph.add(image).name]))
        x = image
    kernel = (x.shape[1] if 1 in axes else 1, x.shape[2] if 2 in axes else 1)
    node.emit_or_view(AvgPool2D(Window(kernel), mean=True), x)


OP = AvgPool2D
