"""Concatenation along any axis of tensors that share one quantization; others are requantized first.

Where the parts lie one behind the other the pass avoid_copies lets them lie in the output from the start.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode

PLAIN_INPUTS = 8  # that concat_s8 takes; more get a function of their own
INPUTS_MAX = 60  # C11 5.2.4.1: compilers take 127 parameters, two of them for each input


@dataclass(frozen=True)
class Concat(Op):
    """Inputs: two or more activations, equal but for axis `axis`. view: they lie in the output already."""

    axis: int
    view: bool = False

    kind: ClassVar[str] = "concat"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h",)
    onnx: ClassVar[tuple[str, ...]] = ("Concat",)
    tflite: ClassVar[tuple[str, ...]] = ("CONCATENATION",)
    keeps_quantization: ClassVar[bool] = True
    requantizes_inputs: ClassVar[bool] = True

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        indices = range(len(node.proto.input))
        axis, rank = int(node.attribute("axis")), len(node.shape(0))
        inputs = node.alike(*indices)
        if any(tensor.constant for tensor in inputs):
            raise node.refuse("a constant among its inputs is not supported", "fold constants when exporting")
        if any(node.is_channels_last(index) for index in indices):
            axis = {0: 0, 1: rank - 1}.get(axis % rank, axis % rank - 1)
        node.emit_alike(cls(axis % rank), inputs)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        options = node.options("ConcatenationOptions")
        if options.FusedActivationFunction() != 0:
            raise node.refuse("a fused activation is not supported", "convert the model again")
        inputs = [node.input(index) for index in range(len(node.inputs))]
        if any(tensor.constant for tensor in inputs):
            raise node.refuse("a constant among its inputs is not supported", "fold constants before converting")
        node.emit(cls(int(options.Axis()) % len(inputs[0].shape)), inputs)

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        shapes = [tensor.shape for tensor in inputs]
        others = {(*shape[: self.axis], *shape[self.axis + 1 :]) for shape in shapes}
        if len(others) != 1 or any(self.axis >= len(shape) for shape in shapes):
            raise ValueError(f"shapes {shapes} cannot be joined along axis {self.axis}")
        first = shapes[0]
        total = sum(shape[self.axis] for shape in shapes)
        return [(*first[: self.axis], total, *first[self.axis + 1 :])]

    @property
    def monotone(self) -> bool:
        return True

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(inputs, axis=self.axis + 1)

    def placement(self, site: Site) -> tuple[int, ...] | None:
        if math.prod(site.output.shape[: self.axis]) != 1:
            return None
        ends = list(accumulate(tensor.bytes for tensor in site.inputs))
        return (0, *ends[:-1])

    def check(self, site: Site) -> None:
        if not self.view and len(site.inputs) > INPUTS_MAX:
            raise site.refuse(f"{len(site.inputs)} inputs are more than {INPUTS_MAX}", "join them in steps")

    def call(self, site: Site) -> Call | None:
        if self.view:
            return None
        inner = math.prod(site.output.shape[self.axis + 1 :])
        widths = [tensor.shape[self.axis] * inner for tensor in site.inputs]
        count = max(PLAIN_INPUTS, len(widths))
        sources = [Pointer("input", i if i < len(widths) else 0, "int8_t") for i in range(count)]
        constants = {"outer": math.prod(site.output.shape[: self.axis])}
        constants |= {f"width_{i}": width for i, width in enumerate(widths + [0] * (count - len(widths)))}
        name, text = ("concat_s8", ()) if count == PLAIN_INPUTS else (f"concat_{count}_s8", (_function(count),))
        return Call(name, (*sources, Pointer("output", 0, "int8_t")), constants, text)


def _function(count: int) -> str:
    """concat_s8 of concat.c for so many inputs."""
    pointers = ", ".join(f"const int8_t *x{i}" for i in range(count))
    widths = ", ".join(f"const uint32_t width_{i}" for i in range(count))
    steps = "".join(f"        y = concat_part(y, x{i}, row, width_{i});\n" for i in range(count))
    return (
        f"HILGATE_INLINE void concat_{count}_s8({pointers}, int8_t *y, const uint32_t outer, {widths}) {{\n"
        f"    for (uint32_t row = 0; row < outer; row++) {{\n{steps}    }}\n}}"
    )


OP = Concat
