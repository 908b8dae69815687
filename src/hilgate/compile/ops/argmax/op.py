"""ArgMax over the last axis: the index of the largest int8, as int8. Up to 256 classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import saturate
from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode

CLASSES_MAX = 256


@dataclass(frozen=True)
class ArgMax(Op):
    """The index is stored with scale 1 and zero point 0, or -128 when there are more than 128 classes."""

    keep_dims: bool = True
    last: bool = False  # among equals, the last instead of the first

    kind: ClassVar[str] = "argmax"
    onnx: ClassVar[tuple[str, ...]] = ("ArgMax",)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        x = node.input(0)
        axis = int(node.attribute("axis", 0))
        if axis not in (-1, len(x.shape) - 1):
            raise node.refuse(f"axis {axis} of shape {x.shape} is not supported", "supported: the last axis")
        if x.shape[-1] > CLASSES_MAX:
            hint = "end the model before the ArgMax and take the index on the host"
            raise node.refuse(f"{x.shape[-1]} classes are more than {CLASSES_MAX}", hint)
        op = cls(bool(node.attribute("keepdims", 1)), bool(node.attribute("select_last_index", 0)))
        node.emit(op, [x], "int8", Quantization((1.0,), index_zero_point(x.shape[-1])))

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        shape = inputs[0].shape
        if not shape:
            raise ValueError("a scalar has no largest element")
        return [(*shape[:-1], 1) if self.keep_dims else shape[:-1]]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        x = inputs[0]
        index = x.shape[-1] - 1 - x[..., ::-1].argmax(axis=-1) if self.last else x.argmax(axis=-1)
        shape = (x.shape[0], *site.output.shape)
        return saturate(index + site.output.quant.zero_point).reshape(shape)

    def check(self, site: Site) -> None:
        quant = site.output.quant
        if quant.only_scale != 1.0 or quant.zero_point != index_zero_point(site.inputs[0].shape[-1]):
            raise site.refuse("its output is an index and cannot be quantized", "end the model with the ArgMax")

    def call(self, site: Site) -> Call:
        classes = site.inputs[0].shape[-1]
        constants = {
            "rows": site.output.elements,
            "classes": classes,
            "last": int(self.last),
            "zero_point": index_zero_point(classes),
        }
        return Call("argmax_s8", (Pointer("input", 0, "int8_t"), Pointer("output", 0, "int8_t")), constants)


def index_zero_point(classes: int) -> int:
    """0 while the index fits int8, else -128."""
    return 0 if classes <= 128 else -128


OP = ArgMax
