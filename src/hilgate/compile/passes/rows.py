"""Which rows of its inputs an operator needs for some rows of its output, and the operator that computes just those.

Rows lie along `axis`: 1, height, or 2, width, of images that are one row high; both are stretches of memory.
"""

from __future__ import annotations

import dataclasses
import math
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
from hilgate.compile.ops.resize.op import Resize

WINDOWS = (Conv2D, DepthwiseConv2D, MaxPool2D, AvgPool2D)
HEIGHT, WIDTH, CHANNELS = 1, 2, 3  # axes


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


def rows_axis(tensor: Tensor) -> int:
    """The axis along which an image is cut."""
    return HEIGHT if tensor.shape[HEIGHT] > 1 else WIDTH


def by_rows(site: Site, axis: int) -> bool:
    """Whether each row of the output needs only some neighbouring rows of the inputs."""
    op = site.node.op
    images = [tensor for tensor in (*site.inputs, *site.outputs) if is_image(tensor)]
    if len(site.outputs) != 1 or not is_image(site.output) or not is_image(site.inputs[0]):
        return False
    if axis == WIDTH and any(tensor.shape[HEIGHT] > 1 for tensor in images):
        return False
    if isinstance(op, WINDOWS):
        return not (isinstance(op, AvgPool2D) and _counts_change(site, op, axis)) and _meets_the_image(site, op, axis)
    if isinstance(op, Lookup | Requantize | Resize):
        return True
    if isinstance(op, Add | Mul):
        other = site.inputs[1]
        alike = other.shape == site.output.shape or repeats(other, axis)
        return site.inputs[0].shape == site.output.shape and alike
    return isinstance(op, Concat) and op.axis == CHANNELS and all(map(is_image, site.inputs))


def row_bytes(tensor: Tensor, axis: int) -> int:
    """Of one row of an int8 image."""
    return math.prod(tensor.shape[axis + 1 :])


def repeats(tensor: Tensor, axis: int) -> bool:
    """Whether an operand of add or mul is the same for each row."""
    return len(core(tensor.shape)) < 4 - axis


def granule(op: Op, axis: int) -> int:
    """The rows that it can make only together."""
    return (op.factor_h, op.factor_w)[axis - 1] if isinstance(op, Resize) else 1


def needed(op: Op, out: Rows, height: int, axis: int) -> Rows:
    """The rows of an input of so many rows that `out` needs."""
    if isinstance(op, Resize):
        factor = granule(op, axis)
        return Rows(out.first // factor, -(-out.end // factor))
    if not isinstance(op, WINDOWS):
        return out
    first, end = _reach(op, out, axis)
    return Rows(max(0, first), min(height, end))


def for_rows(op: Op, out: Rows, height: int, axis: int) -> Op:
    """The operator that makes rows `out` from the rows that it needs of an input of so many rows."""
    if not isinstance(op, WINDOWS):
        return op
    first, end = _reach(op, out, axis)
    pad = list(op.window.pad)
    pad[axis - 1], pad[axis + 1] = max(0, -first), max(0, end - height)
    changed: Any = op
    sides = (pad[0], pad[1], pad[2], pad[3])
    result: Op = dataclasses.replace(changed, window=dataclasses.replace(op.window, pad=sides))
    return result


def _reach(op: Conv2D | DepthwiseConv2D | MaxPool2D | AvgPool2D, out: Rows, axis: int) -> tuple[int, int]:
    """First and end of the rows under the windows, padding included."""
    stride, above = op.window.stride[axis - 1], op.window.pad[axis - 1]
    return out.first * stride - above, (out.end - 1) * stride - above + op.window.reach(axis - 1)


def _counts_change(site: Site, op: AvgPool2D, axis: int) -> bool:
    """Whether the numbers of pixels that rows average decide together how they are rounded: strips would differ."""
    padded = op.window.pad[axis - 1] > 0 or op.window.pad[axis + 1] > 0
    return op.mean or (site.rounding == "single" and padded and not op.count_padding)


def _meets_the_image(site: Site, op: Conv2D | DepthwiseConv2D | MaxPool2D | AvgPool2D, axis: int) -> bool:
    """Whether every output row's window meets a row that is no padding."""
    height, last = site.inputs[0].shape[axis], site.output.shape[axis] - 1
    return _reach(op, Rows(0, 1), axis)[1] > 0 and _reach(op, Rows(last, last + 1), axis)[0] < height
