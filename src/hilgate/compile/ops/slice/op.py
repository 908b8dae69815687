"""A box of a tensor, with steps: ONNX Slice and Split, TFLite STRIDED_SLICE, SLICE and SPLIT.

Where the box is one stretch of memory the pass avoid_copies lets its readers read it in the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.graph import ITEM_BYTES, Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer
from hilgate.compile.ops.slice.doors import from_onnx, from_tflite

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode

RANK = 4


@dataclass(frozen=True)
class Slice(Op):
    """Along each axis the first element, how many, and the step between them, which may be negative.

    view: the box stays where it lies in the input.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]
    step: tuple[int, ...]
    view: bool = False

    kind: ClassVar[str] = "slice"
    headers: ClassVar[tuple[str, ...]] = ("kernels/bytes.h",)
    onnx: ClassVar[tuple[str, ...]] = ("Slice", "Split", "Gather")
    tflite: ClassVar[tuple[str, ...]] = ("STRIDED_SLICE", "SLICE", "SPLIT")
    keeps_quantization: ClassVar[bool] = True
    many_outputs: ClassVar[bool] = True

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        from_onnx(node)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        from_tflite(node)

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        shape = inputs[0].shape
        if len(shape) != len(self.size):
            raise ValueError(f"shape {shape} cannot be sliced by {self.size}")
        for dim, start, size, step in zip(shape, self.start, self.size, self.step, strict=True):
            last = start + (size - 1) * step
            if size <= 0 or not 0 <= start < dim or not 0 <= last < dim or step == 0:
                raise ValueError(f"a slice of {size} from {start} by {step} leaves a dimension of {dim}")
        return [self.size]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        x = inputs[0]
        for axis, (start, size, step) in enumerate(zip(self.start, self.size, self.step, strict=True)):
            x = np.take(x, start + step * np.arange(size), axis=axis + 1)
        return x

    def placement(self, site: Site) -> tuple[int, ...] | None:
        shape = site.inputs[0].shape
        outer = next((axis for axis, size in enumerate(self.size) if size > 1), len(shape))
        whole = self.size[outer + 1 :] == shape[outer + 1 :] and set(self.step[outer + 1 :]) <= {1}
        if not whole or (outer < len(shape) and self.step[outer] != 1):
            return None
        return (-self._first(shape) * ITEM_BYTES[site.output.dtype],)

    def _first(self, shape: Shape) -> int:
        """The index of the first element in the input's memory."""
        return sum(start * math.prod(shape[axis + 1 :]) for axis, start in enumerate(self.start))

    def _runs(self, shape: Shape) -> list[tuple[int, int]]:
        """(size, step in memory) of each of RANK loops, as many elements in the last as lie in a row."""
        steps = [step * math.prod(shape[axis + 1 :]) for axis, step in enumerate(self.step)]
        runs = [(1, 1)]
        for size, step in reversed(list(zip(self.size, steps, strict=True))):
            if runs[0][0] == 1:
                runs[0] = size, step
            elif step == runs[0][0] * runs[0][1] or size == 1:
                runs[0] = size * runs[0][0], runs[0][1]
            else:
                runs.insert(0, (size, step))
        return [(1, 0)] * (RANK - len(runs)) + runs

    def overlap_lag(self, site: Site) -> dict[int, int]:
        """Elements in a row are read and written forwards."""
        return {} if self.placement(site) is None else {0: -self._first(site.inputs[0].shape)}

    def check(self, site: Site) -> None:
        if not self.view and len(self.size) > RANK:
            raise site.refuse(f"more than {RANK} dimensions are not supported", "reshape first")

    def call(self, site: Site) -> Call | None:
        if self.view:
            return None
        shape = site.inputs[0].shape
        runs = self._runs(shape)
        constants = {"first": self._first(shape)}
        constants |= {f"size_{i}": size for i, (size, _) in enumerate(runs)}
        constants |= {f"step_{i}": step for i, (_, step) in enumerate(runs)}
        return Call("slice_s8", (Pointer("input", 0, "int8_t"), Pointer("output", 0, "int8_t")), constants)


OP = Slice
