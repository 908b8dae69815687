"""Which rows of its inputs an operator needs for some rows of its output, and the operator that computes just those."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from hilgate.compile.graph import Site, Tensor
from hilgate.compile.ops.add.op import Add, core
from hilgate.compile.ops.avg_pool2d.op import AvgPool2D
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.lookup.op import Lookup
from hilgate.compile.ops.max_pool2d.op import MaxPool2D
from hilgate.compile.ops.mul.op import Mul
from hilgate.compile.ops.requantize.op import Requantize

WINDOWS = (Conv2D, DepthwiseConv2D, MaxPool2D, AvgPool2D)
CHANNEL_AXIS = 3


@dataclass(frozen=True)
class Rows:
    """Rows first to end - 1 of an image."""

    first: int
    end: int

    @property
    def count(self) -> int:
        return max(0, self.end - self.first)

    def __or__(self, other: Rows) -> Rows:
        """From the first to the last row of both."""
        return Rows(min(self.first, other.first), max(self.end, other.end))


def is_image(tensor: Tensor) -> bool:
    """int8 (1, H, W, C)."""
    return len(tensor.shape) == 4 and tensor.shape[0] == 1 and tensor.dtype == "int8" and not tensor.constant


def by_rows(site: Site) -> bool:
    """Whether each row of the output needs only some neighbouring rows of the inputs."""
    op, height = site.node.op, site.output.shape[1] if is_image(site.output) else 0
    if height == 0 or len(site.outputs) != 1 or not is_image(site.inputs[0]):
        return False
    if isinstance(op, WINDOWS):
        return not (isinstance(op, AvgPool2D) and _counts_change(site, op)) and _meets_the_image(site, op)
    if isinstance(op, Lookup | Requantize):
        return True
    if isinstance(op, Add | Mul):
        other = site.inputs[1]
        return site.inputs[0].shape == site.output.shape and (other.shape == site.output.shape or repeats(other))
    return isinstance(op, Concat) and op.axis == CHANNEL_AXIS and all(map(is_image, site.inputs))


def row_bytes(tensor: Tensor) -> int:
    """Of one row of an int8 image."""
    return tensor.shape[2] * tensor.shape[3]


def repeats(tensor: Tensor) -> bool:
    """Whether an operand of add or mul is the same for each row."""
    return len(core(tensor.shape)) < 3


def needed(op: Op, out: Rows, height: int) -> Rows:
    """The rows of an input of so many rows that `out` needs."""
    if not isinstance(op, WINDOWS):
        return out
    first, end = _reach(op, out)
    return Rows(max(0, first), min(height, end))


def for_rows(op: Op, out: Rows, height: int) -> Op:
    """The operator that makes rows `out` from the rows that it needs of an input of so many rows."""
    if not isinstance(op, WINDOWS):
        return op
    first, end = _reach(op, out)
    _, left, _, right = op.window.pad
    pad = (max(0, -first), left, max(0, end - height), right)
    changed: Any = op
    result: Op = dataclasses.replace(changed, window=dataclasses.replace(op.window, pad=pad))
    return result


def _reach(op: Conv2D | DepthwiseConv2D | MaxPool2D | AvgPool2D, out: Rows) -> tuple[int, int]:
    """First and end of the rows under the windows, padding included."""
    stride, above = op.window.stride[0], op.window.pad[0]
    return out.first * stride - above, (out.end - 1) * stride - above + op.window.reach(0)


def _counts_change(site: Site, op: AvgPool2D) -> bool:
    """Whether the numbers of pixels that rows average decide together how they are rounded: strips would differ."""
    padded = op.window.pad[0] > 0 or op.window.pad[2] > 0
    return op.mean or (site.rounding == "single" and padded and not op.count_padding)


def _meets_the_image(site: Site, op: Conv2D | DepthwiseConv2D | MaxPool2D | AvgPool2D) -> bool:
    """Whether every output row's window meets a row that is no padding."""
    height, last = site.inputs[0].shape[1], site.output.shape[1] - 1
    return _reach(op, Rows(0, 1))[1] > 0 and _reach(op, Rows(last, last + 1))[0] < height
