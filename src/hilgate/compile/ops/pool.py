"""What the two pools share: reading them from ONNX and TFLite, their shape rule and their C constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.window import Pair, Window, one_image, onnx_window

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


def reduce_from_onnx(node: OnnxNode, pool: Callable[[Window], Op]) -> None:
    """ReduceMean and ReduceMax: over height and width, as global pools are exported, or over any neighbouring axes."""
    rank = len(node.raw(0).shape)
    node.must_be("noop_with_empty_axes", 0)
    axes = node.numbers(1) if node.has(1) else [int(a) for a in node.attribute("axes", [])]
    if any(not -rank <= a < rank for a in axes):
        raise node.refuse(f"axes {axes} do not exist in rank {rank}")
    reduced = sorted({a % rank for a in axes} or range(rank))
    keep = bool(node.attribute("keepdims", 1))
    if rank in (3, 4) and node.shape(0)[0] == 1 and reduced and set(reduced) <= {2, 3}:
        _over_image(node, pool, [axis - rank + 4 for axis in reduced], keep=keep)
        return
    if reduced != list(range(reduced[0], reduced[-1] + 1)):
        raise node.refuse(f"axes {axes} of rank {rank} are not supported", "supported: axes side by side")
    _over_neighbours(node, pool, reduced, keep=keep)


def _over_image(node: OnnxNode, pool: Callable[[Window], Op], reduced: list[int], *, keep: bool) -> None:
    """Over height (2), width (3) or both."""
    x = node.channels_last_2d(0)
    kernel = (x.shape[1] if 2 in reduced else 1, x.shape[2] if 3 in reduced else 1)
    op = pool(Window(kernel))
    if keep:
        node.emit_channels_last(op, [x])
        return
    left = [x.shape[axis - 1] for axis in (2, 3) if axis not in reduced and len(node.shape(0)) == 4]
    node.emit(Reshape((x.shape[0], *left, x.shape[3])), [node.inner(op, [x])])
    if left:
        node.mark_channels_last()


def _over_neighbours(node: OnnxNode, pool: Callable[[Window], Op], reduced: list[int], *, keep: bool) -> None:
    """Over rows of a (1, outer, reduced, inner) view."""
    x = node.input(0)
    shape, first, last = x.shape, reduced[0], reduced[-1]
    count = prod(shape[first : last + 1])
    rows = node.inner(Reshape((1, prod(shape[:first]), count, prod(shape[last + 1 :]))), [x])
    pooled = node.inner(pool(Window((1, count), (1, count))), [rows])
    node.emit(Reshape((*shape[:first], *([1] * len(reduced) if keep else []), *shape[last + 1 :])), [pooled])


def window_from_onnx(node: OnnxNode, x: Tensor) -> Window:
    """The window of a MaxPool or AveragePool; `x` is channels-last."""
    kernel = [int(k) for k in node.attribute("kernel_shape", [])]
    if len(kernel) not in (1, 2) or min(kernel) <= 0:
        raise node.refuse(f"attribute kernel_shape={kernel} is not supported", "supported: 1-D and 2-D pools")
    pair = (1, kernel[0]) if len(kernel) == 1 else (kernel[0], kernel[1])
    size = (x.shape[1], x.shape[2])
    window = onnx_window(node, pair, size)
    if not node.attribute("ceil_mode", 0):
        return window
    if node.attribute("count_include_pad", 0) and window.padded:
        raise node.refuse("ceil_mode with count_include_pad is not supported", "export with ceil_mode off")
    return _ceiled(window, size)


def _ceiled(window: Window, size: Pair) -> Window:
    """ceil_mode as padding after: one window more where it begins within the image or the padding before."""
    after = []
    for axis in (0, 1):
        reached = size[axis] + window.pad[axis]
        room = reached + window.pad[axis + 2] - window.reach(axis)
        beyond = -room % window.stride[axis]
        begins = room + beyond
        after.append(window.pad[axis + 2] + (beyond if 0 <= begins < reached else 0))
    return replace(window, pad=(window.pad[0], window.pad[1], after[0], after[1]))


def window_from_tflite(node: TfliteNode) -> tuple[Window, int]:
    """The window of a pool and the code of its fused activation."""
    options = node.options("Pool2DOptions")
    kernel = (int(options.FilterHeight()), int(options.FilterWidth()))
    return node.window(options, kernel), int(options.FusedActivationFunction())


def pooled_shape(window: Window, inputs: Sequence[Tensor]) -> list[Shape]:
    """The shape rule. Raises ValueError, also when a window would meet nothing but padding."""
    shape = inputs[0].shape
    one_image(shape)
    if any(window.pad[i] >= window.reach(i % 2) for i in range(4)):
        raise ValueError(f"padding {window.pad} is as large as the window {window.kernel}")
    return [(shape[0], *window.output(shape[1], shape[2]), shape[3])]


def constants(window: Window, site: Site) -> dict[str, int]:
    """Shapes and window of the C call."""
    _, height, width, channels = site.inputs[0].shape
    sizes = {"input_h": height, "input_w": width, "channel_count": channels}
    return sizes | {"output_h": site.output.shape[1], "output_w": site.output.shape[2], **window.constants()}
