"""<What it computes, in one sentence with its formula>. ONNX <Names>."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode


@dataclass(frozen=True)
class Template(Op):
    """Inputs: <each with its shape>. Fields: <each attribute with its unit>. Example: y = x with its order reversed."""

    kind: ClassVar[str] = "TEMPLATE"  # the folder's name
    onnx: ClassVar[tuple[str, ...]] = ()  # ONNX op types that from_onnx reads
    keeps_quantization: ClassVar[bool] = True  # the output's numbers are the input's

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        node.must_be("mode", "plain")  # every attribute is read, or the door refuses the node
        node.emit(cls(), [node.input(0)])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        return [inputs[0].shape]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        count = inputs[0].shape[0]
        return inputs[0].reshape(count, -1)[:, ::-1].reshape(inputs[0].shape)

    def call(self, site: Site) -> Call:
        pointers = (Pointer("input", 0, "int8_t"), Pointer("output", 0, "int8_t"))
        return Call("template_s8", pointers, {"count": site.output.elements})


OP = Template
