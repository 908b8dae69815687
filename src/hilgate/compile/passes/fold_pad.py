"""Padding with zero in front of a convolution becomes the convolution's own padding."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.pad.op import Pad

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Fold each pad of height and width whose readers are all convolutions."""
    changes = 0
    for pad in list(graph.nodes):
        if not isinstance(pad.op, Pad) or not _zeros_around_images(pad.op):
            continue
        readers = graph.consumers(pad.outputs[0])
        if not readers or pad.outputs[0] in graph.outputs or not all(_takes_padding(r, pad) for r in readers):
            continue
        for reader in readers:
            _widen(reader, pad.op)
            reader.inputs[0] = pad.inputs[0]
        graph.nodes.remove(pad)
        changes += 1
    return changes


def _zeros_around_images(pad: Pad) -> bool:
    outside = (*pad.before[:1], *pad.before[3:], *pad.after[:1], *pad.after[3:])
    return len(pad.before) == 4 and pad.value == 0.0 and not any(outside)


def _takes_padding(reader: Node, pad: Node) -> bool:
    return isinstance(reader.op, Conv2D | DepthwiseConv2D) and reader.inputs[0] == pad.outputs[0]


def _widen(reader: Node, pad: Pad) -> None:
    op = reader.op
    assert isinstance(op, Conv2D | DepthwiseConv2D)  # noqa: S101  narrows the type
    top, left, bottom, right = op.window.pad
    total = (top + pad.before[1], left + pad.before[2], bottom + pad.after[1], right + pad.after[2])
    reader.op = dataclasses.replace(op, window=dataclasses.replace(op.window, pad=total))
