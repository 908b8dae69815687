"""Channels that are provably constant, or that nobody reads, are removed, to a fixed point.

Channels that operators keep apart (depthwise, add, pools, concat) are tied: they go together or stay together. A tie
may go when no operator in it needs all its channels and every layer with weights that reads one of them can do
without: its weights for that channel are zero, or the channel is constant and its contribution moves into the bias
(exactly: not where padding shows another value than the constant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.graph import Graph, Site
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.passes.channels import Ties, reads_by_weights, slice_node, tie
from hilgate.compile.ranges import Range, ranges

if TYPE_CHECKING:
    from hilgate.compile.options import Options

ROUNDS_MAX = 32
CHANNELS_MAX = 100_000  # in all tensors together; networks have a few thousand, and each is looked at one by one


def run(graph: Graph, options: Options) -> int:
    """Remove until nothing more can go; returns the number of channels removed. Not from graphs beyond CHANNELS_MAX."""
    total = 0
    if sum(t.shape[-1] for t in graph.tensors.values() if t.shape and not t.constant) > CHANNELS_MAX:
        return 0
    for _ in range(ROUNDS_MAX):
        removed = _once(graph)
        if removed == 0:
            break
        total += removed
    return total


def _once(graph: Graph) -> int:
    known = ranges(graph)
    ties = tie(graph)
    for site in graph.sites():
        if reads_by_weights(site):
            _ask_reader(site, known[site.inputs[0].name], ties)
    gone = ties.removable(graph)
    if not gone:
        return 0
    for site in list(graph.sites()):
        if reads_by_weights(site) and site.inputs[0].name in gone:
            _fold(graph, site, known[site.inputs[0].name], gone[site.inputs[0].name])
    for site in list(graph.sites()):
        slice_node(graph, site, gone)
    for name, channels in gone.items():
        tensor = graph.tensors[name]
        tensor.shape = (*tensor.shape[:-1], tensor.shape[-1] - len(channels))
    return sum(len(channels) for channels in gone.values())


def _ask_reader(site: Site, source: Range, ties: Ties) -> None:
    """Keep the channels of its input that a layer cannot do without."""
    weights = site.inputs[1].values
    used = np.any(weights.reshape(-1, weights.shape[-1]) != 0, axis=0)
    foldable = source.constant.copy()
    op = site.node.op
    if isinstance(op, Conv2D) and op.window.padded:
        foldable &= source.low == site.inputs[0].quant.zero_point
    for channel in np.nonzero(used & ~foldable)[0]:
        ties.keep(site.inputs[0].name, int(channel))


def _fold(graph: Graph, site: Site, source: Range, gone: list[int]) -> None:
    """Move what constant channels contribute into the bias, in accumulator steps."""
    from hilgate.compile.passes.channels import with_bias

    op = site.node.op
    assert isinstance(op, Conv2D | FullyConnected)  # noqa: S101  narrows the type
    weights = site.inputs[1].values.astype(np.int64)
    per_channel = weights.reshape(weights.shape[0], -1, weights.shape[-1]).sum(axis=1)[:, gone]
    values = source.low[gone] - site.inputs[0].quant.zero_point
    with_bias(graph, site, per_channel @ values)
