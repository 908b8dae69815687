"""Range analysis: for every channel of every tensor, the int8 values it can take whatever int8 input comes.

A channel is an index of the last axis. Layers with weights give intervals from the signs of their weights (padding
counts as the zero point); operators that are monotone and keep channels apart give them by their own reference; all
others give the whole int8 range. Requantization is monotone, so an interval of accumulators becomes an interval of
outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hilgate.compile.graph import Graph, Site, Tensor
from hilgate.compile.ops.affine import Affine, affine
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected.op import FullyConnected


@dataclass(frozen=True)
class Range:
    """low and high: int64 (channels,)."""

    low: np.ndarray
    high: np.ndarray

    @property
    def constant(self) -> np.ndarray:
        """Which channels can take only one value."""
        same: np.ndarray = self.low == self.high
        return same

    def with_value(self, value: int) -> Range:
        """The hull with one more value: what a padded layer reads."""
        return Range(np.minimum(self.low, value), np.maximum(self.high, value))


def ranges(graph: Graph) -> dict[str, Range]:
    """The range of every int8 activation of a lowered graph. Raises ModelError: a node has no meaning in integers."""
    found = {name: whole(graph.tensors[name]) for name in graph.inputs}
    for site in graph.sites():
        try:
            found |= {output.name: _range(site, found, output) for output in site.outputs}
        except (ArithmeticError, ValueError) as error:
            raise site.refuse(str(error), "quantize the model again with calibration data of the real range") from error
    return found


def whole(tensor: Tensor) -> Range:
    channels = tensor.shape[-1] if tensor.shape else 1
    return Range(np.full(channels, -128), np.full(channels, 127))


def _range(site: Site, found: dict[str, Range], output: Tensor) -> Range:
    op = site.node.op
    if isinstance(op, FullyConnected | Conv2D):
        return _mixed(site, op, found[site.inputs[0].name])
    if isinstance(op, DepthwiseConv2D):
        return _depthwise(site, op, found[site.inputs[0].name])
    if isinstance(op, Concat) and op.axis == len(output.shape) - 1:
        parts = [found[tensor.name] for tensor in site.inputs]
        return Range(np.concatenate([p.low for p in parts]), np.concatenate([p.high for p in parts]))
    if op.monotone and all(t.constant or t.shape[-1:] == output.shape[-1:] for t in site.inputs):
        return _by_reference(site, found)
    return whole(output)


def _mixed(site: Site, op: FullyConnected | Conv2D, source: Range) -> Range:
    if isinstance(op, Conv2D):
        if op.groups > 1:
            return whole(site.output)
        source = source.with_value(site.inputs[0].quant.zero_point) if op.window.padded else source
    layer = op.affine(site) if isinstance(op, FullyConnected) else affine(site, op.activation)
    weights = layer.weights.astype(np.int64)
    weights = weights.reshape(weights.shape[0], -1, weights.shape[-1])
    up, down = np.maximum(weights, 0).sum(axis=1), np.minimum(weights, 0).sum(axis=1)
    return _requantized(layer, up @ source.low + down @ source.high, up @ source.high + down @ source.low)


def _depthwise(site: Site, op: DepthwiseConv2D, source: Range) -> Range:
    layer = op.affine(site)
    if op.window.padded:
        source = source.with_value(site.inputs[0].quant.zero_point)
    each = layer.channels // site.inputs[0].shape[3]
    low, high = np.repeat(source.low, each), np.repeat(source.high, each)
    weights = layer.weights.astype(np.int64).reshape(layer.channels, -1)
    up, down = np.maximum(weights, 0).sum(axis=1), np.minimum(weights, 0).sum(axis=1)
    return _requantized(layer, up * low + down * high, up * high + down * low)


def _requantized(layer: Affine, low: np.ndarray, high: np.ndarray) -> Range:
    return Range(*(layer.output.apply(v + layer.bias).astype(np.int64) for v in (low, high)))


def _by_reference(site: Site, found: dict[str, Range]) -> Range:
    """Run the operator on tensors that are everywhere lowest, and everywhere highest."""
    ends = []
    for side in ("low", "high"):
        arrays = [t.values[None] if t.constant else _filled(t, getattr(found[t.name], side)) for t in site.inputs]
        result = site.node.op.reference(site, arrays).astype(np.int64)
        flat = result.reshape(-1, result.shape[-1])
        ends.append(flat.min(axis=0) if side == "low" else flat.max(axis=0))
    return Range(ends[0], ends[1])


def _filled(tensor: Tensor, values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values.astype(np.int8), (1, *tensor.shape))
