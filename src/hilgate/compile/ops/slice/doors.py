"""How slices and splits are read: a split becomes one slice per output, a Gather of evenly spaced places a slice."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode

Box = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def from_onnx(node: OnnxNode) -> None:
    """Slice with constant bounds, Split, and Gather with constant indices, as `x[:, :, -1]` is exported."""
    from hilgate.compile.ops.slice.op import Slice

    shape = node.shape(0)
    if node.kind == "Gather":
        _gather(node, shape)
        return
    if node.kind == "Slice":
        node.single_output()
        boxes = [_box(shape, *_slice_bounds(node, len(shape)))]
    else:
        boxes = _split(shape, int(node.attribute("axis", 0)) % len(shape), _split_sizes(node, shape))
    if node.is_channels_last(0):
        boxes = [_channels_last(box) for box in boxes]
    for index, box in enumerate(boxes):
        node.emit_alike(Slice(*box), [node.raw(0)], output=index)


def _gather(node: OnnxNode, shape: tuple[int, ...]) -> None:
    """One index drops its axis; several must be evenly spaced."""
    from hilgate.compile.ops.reshape.op import Reshape
    from hilgate.compile.ops.slice.op import Slice

    axis = int(node.attribute("axis", 0)) % len(shape)
    indices = node.constant(1)
    places = [int(i) + shape[axis] if i < 0 else int(i) for i in indices.reshape(-1)]
    steps = {after - before for before, after in pairwise(places)}
    if (
        indices.ndim > 1
        or not places
        or len(steps) > 1
        or steps == {0}
        or not all(0 <= p < shape[axis] for p in places)
    ):
        raise node.refuse(
            f"indices {indices.tolist()} are not supported", "supported: one index, or evenly spaced ones"
        )
    start, size, step = [0] * len(shape), list(shape), [1] * len(shape)
    start[axis], size[axis], step[axis] = places[0], len(places), next(iter(steps), 1)
    box: Box = (tuple(start), tuple(size), tuple(step))
    last = node.is_channels_last(0)
    if last:
        box = _channels_last(box)
    if indices.ndim == 1:
        node.emit_alike(Slice(*box), [node.raw(0)])
        return
    stored = [0, *range(2, len(shape)), 1] if last else list(range(len(shape)))
    left = tuple(size[a] for a in stored if a != axis)
    node.emit(Reshape(left), [node.inner(Slice(*box), [node.raw(0)])])
    if last and len(left) > 2 and axis > 1:
        node.mark_channels_last()


def _slice_bounds(node: OnnxNode, rank: int) -> tuple[list[int], list[int], list[int], list[int]]:
    starts, ends = node.numbers(1), node.numbers(2)
    axes = node.numbers(3) if node.has(3) else list(range(len(starts)))
    steps = node.numbers(4) if node.has(4) else [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise node.refuse(f"starts {starts}, ends {ends}, axes {axes}, steps {steps} do not go together")
    return starts, ends, [axis % rank for axis in axes], steps


def _box(shape: tuple[int, ...], starts: list[int], ends: list[int], axes: list[int], steps: list[int]) -> Box:
    """Python's slicing rules, which are ONNX's."""
    start, size, step = [0] * len(shape), list(shape), [1] * len(shape)
    for first, last, axis, stride in zip(starts, ends, axes, steps, strict=True):
        reach = range(shape[axis])[slice(first, last if last > -shape[axis] - 1 or stride > 0 else None, stride)]
        start[axis], size[axis], step[axis] = (reach[0] if reach else 0), len(reach), stride
    return tuple(start), tuple(size), tuple(step)


def _split_sizes(node: OnnxNode, shape: tuple[int, ...]) -> list[int]:
    axis, count = int(node.attribute("axis", 0)) % len(shape), len(node.proto.output)
    if node.has(1):
        return node.numbers(1)
    if node.attribute("split"):
        return [int(v) for v in node.attribute("split")]
    if node.attribute("num_outputs", count) != count:
        raise node.refuse(f"attribute num_outputs does not fit {count} outputs")
    each = -(-shape[axis] // count)
    return [each] * (count - 1) + [shape[axis] - each * (count - 1)]


def _split(shape: tuple[int, ...], axis: int, sizes: list[int]) -> list[Box]:
    firsts = np.cumsum([0, *sizes[:-1]]).tolist()
    return [_box(shape, [first], [first + size], [axis], [1]) for first, size in zip(firsts, sizes, strict=True)]


def _channels_last(box: Box) -> Box:
    start, size, step = ((side[0], *side[2:], side[1]) for side in box)
    return start, size, step


def from_tflite(node: TfliteNode) -> None:
    """STRIDED_SLICE without masks that add or drop dimensions, SLICE, SPLIT."""
    from hilgate.compile.ops.slice.op import Slice

    if node.kind == "SPLIT":
        x, axis = node.input(1), node.numbers(0)[0] % len(node.input(1).shape)
        count = len(node.outputs)
        for index, box in enumerate(_split(x.shape, axis, [x.shape[axis] // count] * count)):
            node.emit(Slice(*box), [x], output=index)
        return
    x = node.input(0)
    if node.kind == "SLICE":
        start, size = node.numbers(1), node.numbers(2)
        whole = [d - s if n == -1 else n for d, s, n in zip(x.shape, start, size, strict=True)]
        node.emit(Slice(tuple(start), tuple(whole), (1,) * len(whole)), [x])
        return
    node.emit_or_view(Slice(*_strided(node, x.shape)), x)


def _strided(node: TfliteNode, shape: tuple[int, ...]) -> Box:
    options = node.options("StridedSliceOptions")
    if options.EllipsisMask() or options.NewAxisMask():
        raise node.refuse("ellipsis and new-axis masks are not supported", "use plain slices")
    begin, end, strides = (node.numbers(i) for i in (1, 2, 3))
    boxes = []
    for axis, size in enumerate(shape):
        bit = 1 << axis
        first = None if options.BeginMask() & bit else begin[axis]
        last = None if options.EndMask() & bit else end[axis]
        if options.ShrinkAxisMask() & bit:
            first = begin[axis] % size
            last = first + 1
        reach = range(size)[slice(first, last, strides[axis])]
        boxes.append((reach[0] if reach else 0, len(reach), strides[axis]))
    start, count, step = zip(*boxes, strict=True)
    return tuple(start), tuple(count), tuple(step)
