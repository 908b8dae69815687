"""Which channels of which tensors belong together, and how each operator loses some."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from hilgate.compile.graph import Graph, Quantization, Site, Tensor
from hilgate.compile.ops.affine import bias_integers, factors
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.reshape.op import Reshape

Channel = tuple[str, int]


class Ties:
    """A union-find over (tensor, channel), with a mark on what must stay."""

    def __init__(self) -> None:
        self.parent: dict[Channel, Channel] = {}
        self.kept: set[Channel] = set()

    def root(self, channel: Channel) -> Channel:
        self.parent.setdefault(channel, channel)
        while self.parent[channel] != channel:
            self.parent[channel] = self.parent[self.parent[channel]]
            channel = self.parent[channel]
        return channel

    def join(self, one: Channel, other: Channel) -> None:
        self.parent[self.root(one)] = self.root(other)

    def keep(self, tensor: str, channel: int) -> None:
        self.kept.add((tensor, channel))

    def keep_all(self, tensor: Tensor) -> None:
        for channel in range(tensor.shape[-1] if tensor.shape else 1):
            self.keep(tensor.name, channel)

    def removable(self, graph: Graph) -> dict[str, list[int]]:
        """Channels that may go, by tensor; where all of a tensor could go, its first tie stays."""
        needed = {self.root(channel) for channel in self.kept}
        while True:
            gone: dict[str, list[int]] = defaultdict(list)
            for name, channel in sorted(self.parent):
                if self.root((name, channel)) not in needed:
                    gone[name].append(channel)
            emptied = [name for name, channels in gone.items() if len(channels) == graph.tensors[name].shape[-1]]
            if not emptied:
                return dict(gone)
            needed.update(self.root((name, 0)) for name in emptied)


def reads_by_weights(site: Site) -> bool:
    """A layer whose weights' last axis is its input's channels."""
    return isinstance(site.node.op, FullyConnected) or (isinstance(site.node.op, Conv2D) and site.node.op.groups == 1)


def tie(graph: Graph) -> Ties:
    """All channels of the graph with what ties them, and everything that outsiders see marked as kept."""
    ties = Ties()
    named = {*graph.inputs, *(name for node in graph.nodes for name in (*node.inputs, *node.outputs))}
    for tensor in graph.tensors.values():
        if tensor.name in named and not tensor.constant:  # passes leave tensors behind that no node names
            for channel in range(tensor.shape[-1] if tensor.shape else 1):
                ties.root((tensor.name, channel))
    for name in (*graph.inputs, *graph.outputs):
        ties.keep_all(graph.tensors[name])
    for site in graph.sites():
        if reads_by_weights(site):
            continue
        if not _tie_node(site, ties):
            for tensor in (*site.inputs, *site.outputs):
                if not tensor.constant:
                    ties.keep_all(tensor)
    return ties


def _tie_node(site: Site, ties: Ties) -> bool:
    """Tie inputs to outputs; False when the operator needs all of its channels."""
    output, op = site.output, site.node.op
    if isinstance(op, Concat) and op.axis == len(output.shape) - 1:
        first = 0
        for tensor in site.inputs:
            for channel in range(tensor.shape[-1]):
                ties.join((tensor.name, channel), (output.name, first + channel))
            first += tensor.shape[-1]
        return True
    activations = [tensor for tensor in site.inputs if not tensor.constant]
    same = all(tensor.shape[-1:] == output.shape[-1:] for tensor in activations)
    depthwise = isinstance(op, DepthwiseConv2D)
    flat = isinstance(op, Reshape) and output.elements == output.shape[-1]
    plain = op.channelwise and len(activations) == len(site.inputs)
    if not same or not output.shape or not (plain or depthwise or flat):
        return False
    for tensor in activations:
        for channel in range(output.shape[-1]):
            ties.join((tensor.name, channel), (output.name, channel))
    return True


def slice_node(graph: Graph, site: Site, gone: dict[str, list[int]]) -> None:
    """Take the removed channels out of a node's constants and attributes."""
    op, node = site.node.op, site.node
    source, target = gone.get(node.inputs[0], []), gone.get(node.outputs[0], [])
    if reads_by_weights(site):
        if source:
            _replace(graph, site, 1, np.delete(site.inputs[1].values, source, axis=-1), None)
        if target:
            _rows(graph, Site(graph, node), target, axis=0)
    elif isinstance(op, DepthwiseConv2D) and target:
        _rows(graph, site, target, axis=3)
    elif isinstance(op, Reshape) and target:
        node.op = Reshape((*site.output.shape[:-1], site.output.shape[-1] - len(target)))


def _rows(graph: Graph, site: Site, target: list[int], axis: int) -> None:
    """Remove output channels: rows of the weights, their scales, and biases."""
    weights = site.inputs[1]
    _replace(graph, site, 1, np.delete(weights.values, target, axis=axis), _without(weights.quant, target))
    if len(site.inputs) > 2:
        bias = site.inputs[2]
        quant = _without(bias.quantization, target) if bias.quantization is not None else None
        _replace(graph, site, 2, np.delete(bias.values.reshape(-1), target), quant)


def _without(quant: Quantization, target: list[int]) -> Quantization:
    if quant.axis is None:
        return quant
    scale = tuple(s for i, s in enumerate(quant.scale) if i not in set(target))
    return Quantization(scale, quant.zero_point, quant.axis)


def _replace(graph: Graph, site: Site, index: int, data: np.ndarray, quant: Quantization | None) -> None:
    """Give a node a constant of its own: others may share the old one."""
    old = site.inputs[index]
    name = graph.fresh(f"{old.name}.sliced")
    graph.add(Tensor(name, data.shape, old.dtype, quant or old.quantization, np.ascontiguousarray(data)))
    site.node.inputs[index] = name


def with_bias(graph: Graph, site: Site, steps: np.ndarray) -> None:
    """Add to a layer's bias, in accumulator steps int64 (channels,)."""
    if not steps.any():
        return
    scales = factors(site, site.inputs[1].shape[0])
    total = bias_integers(site, scales) + steps
    if np.abs(total).max() >= 2**31:
        raise site.refuse("a bias needs more than 32 bits", "compile without the pass drop_channels")
    quant = Quantization(tuple(float(np.float32(s)) for s in scales), 0, 0)
    name = graph.fresh(f"{site.node.name}.bias")
    graph.add(Tensor(name, total.shape, "int32", quant, total.astype(np.int32)))
    site.node.inputs[2:] = [name]
