"""Fully connected: y = activation(x W^T + b). ONNX Gemm and MatMul by a constant matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.affine import ROUNDING_CODE, Affine, affine
from hilgate.compile.ops.base import Call, Op, Pointer, Section
from hilgate.compile.ops.fully_connected import wide

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.ops.fully_connected.wide import WideKernel
    from hilgate.compile.options import Options
    from hilgate.compile.tflite_door import TfliteNode

ROW_ALIGNMENT = 4  # weight rows start at words


@dataclass(frozen=True)
class FullyConnected(Op):
    """Inputs: x (..., K); weights (channels, K), constant; bias (channels,), optional.

    kernel: None is the portable one.
    """

    activation: Activation = NONE
    kernel: WideKernel | None = None

    kind: ClassVar[str] = "fully_connected"
    onnx: ClassVar[tuple[str, ...]] = ("Gemm", "MatMul")
    tflite: ClassVar[tuple[str, ...]] = ("FULLY_CONNECTED",)
    per_channel_inputs: ClassVar[tuple[int, ...]] = (1, 2)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        transposed = False
        if node.kind == "Gemm":
            node.must_be("transA", 0)
            transposed = bool(node.attribute("transB", 0))
        weights = node.input(1)
        if not weights.constant:
            raise node.refuse(
                f"multiplies two activations (input 1 is `{weights.name}`)",
                "supported: a constant matrix; attention over time can be replaced by 1-D convolutions",
            )
        if len(weights.shape) != 2:
            raise node.refuse(f"weights have shape {weights.shape}", "supported: a matrix")
        if not transposed:
            weights = node.graph.add(_transposed(weights, node.graph.fresh(f"{weights.name}.transposed")))
        weights = _times(node, weights, "alpha")
        bias = []
        if node.has(2):
            node.constant(2)
            bias = [_times(node, _repeated(node, node.input(2), weights.shape[0]), "beta")]
        else:
            node.attribute("beta")  # of nothing
        node.emit(cls(), [node.input(0), weights, *bias])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        options = node.options("FullyConnectedOptions")
        if options.WeightsFormat() != 0:
            raise node.refuse(f"weights format {options.WeightsFormat()} is not supported", "supported: default")
        x, weights = node.input(0), node.constant(1)
        if len(weights.shape) != 2:
            raise node.refuse(f"weights have shape {weights.shape}", "supported: a matrix")
        if not options.KeepNumDims() and len(x.shape) != 2:
            x = node.view(x, (x.elements // weights.shape[1], weights.shape[1]))
        activation = node.activation(options.FusedActivationFunction())
        node.emit(cls(activation), [x, weights, *node.bias(2)])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        x, weights = inputs[0].shape, inputs[1].shape
        if not x or x[-1] != weights[1]:
            raise ValueError(f"an input of shape {x} does not fit weights of shape {weights}")
        if len(inputs) > 2 and inputs[2].elements != weights[0]:
            raise ValueError(f"a bias of {inputs[2].elements} does not fit {weights[0]} channels")
        return [(*x[:-1], weights[0])]

    def affine(self, site: Site) -> Affine:
        """The layer's integers."""
        return affine(site, self.activation, self.rounding(site))

    @staticmethod
    def rounding(site: Site) -> str:
        """LiteRT's fully connected kernel rounds once where its convolutions round twice."""
        return "away" if site.rounding == "double" else site.rounding

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        layer = self.affine(site)
        # float64 holds every partial sum exactly (below 2^53), and its matrix product is the fast one
        product = inputs[0].astype(np.float64) @ layer.weights.astype(np.float64).T
        return layer.output.apply(product.astype(np.int64) + layer.bias)

    def check(self, site: Site) -> None:
        self.affine(site)

    def macs(self, site: Site) -> int:
        return site.output.elements * site.inputs[1].shape[1]

    def tuned(self, site: Site, options: Options) -> Op:
        fast = "fast_kernels" not in options.without
        return replace(self, kernel=wide.choose(self.affine(site)) if fast else None)

    def sources(self, site: Site) -> tuple[str, ...]:
        return wide.SOURCES if self.kernel else super().sources(site)

    def scratch_bytes(self, site: Site) -> int:
        return (site.inputs[1].shape[1] + 1) // 2 * 4 if self.kernel else 0

    def sections(self, site: Site) -> list[Section]:
        layer = self.affine(site)
        if self.kernel:
            return wide.sections(layer, self.kernel)
        columns = layer.weights.shape[1]
        padded = np.pad(layer.weights, ((0, 0), (0, -columns % ROW_ALIGNMENT)))
        return [*layer.sections(), Section("weights", padded.astype(np.int8).tobytes())]

    def call(self, site: Site) -> Call:
        if self.kernel:
            return wide.call(site, self.kernel)
        channels, columns = site.inputs[1].shape
        pointers = (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "weights", "int8_t"),
            Pointer("section", "channels", "hilgate_i32"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("output", 0, "int8_t"),
        )
        constants = {
            "rows": site.output.elements // channels,
            "inputs": columns,
            "outputs": channels,
            "rounding": ROUNDING_CODE[self.rounding(site)],
        }
        return Call("fully_connected_s8", pointers, constants)


def _transposed(weights: Tensor, name: str) -> Tensor:
    quant = weights.quantization
    if quant is not None and quant.axis is not None:
        quant = Quantization(quant.scale, quant.zero_point, 1 - quant.axis)
    data = np.ascontiguousarray(weights.values.T)
    return Tensor(name, data.shape, weights.dtype, quant, data)


def _times(node: OnnxNode, constant: Tensor, attribute: str) -> Tensor:
    """Gemm's alpha or beta times a constant: its scale grows, or its real values do."""
    factor = float(node.attribute(attribute, 1.0)) if node.kind == "Gemm" else 1.0
    if factor == 1.0:
        return constant
    if not 0 < factor < math.inf:
        raise node.refuse(f"attribute {attribute}={factor} is not supported", "supported: positive numbers")
    quant, data = constant.quantization, constant.values
    if quant is None:
        data = (data * factor).astype(constant.values.dtype)
    else:
        quant = Quantization(tuple(float(np.float32(s * factor)) for s in quant.scale), quant.zero_point, quant.axis)
    name = node.graph.fresh(f"{constant.name}.{attribute}")
    return node.graph.add(Tensor(name, constant.shape, constant.dtype, quant, data))


def _repeated(node: OnnxNode, bias: Tensor, channels: int) -> Tensor:
    """A bias that is one number for all channels, as one for each."""
    if bias.elements != 1 or channels == 1 or (bias.quantization is not None and bias.quantization.per_channel):
        return bias
    data = np.full(channels, bias.values.reshape(-1)[0], bias.values.dtype)
    name = node.graph.fresh(f"{bias.name}.repeated")
    return node.graph.add(Tensor(name, data.shape, bias.dtype, bias.quantization, data))


OP = FullyConnected
