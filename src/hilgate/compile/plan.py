"""Where each tensor lies in the arena: by lifetimes, views and in-place operators sharing memory, then greedy
placement.

A buffer lives from the layer that writes it to the last that reads it. Where a layer reads its input for the last time
and says how far behind its reading it writes (Op.overlap_lag), its output may begin inside the input. Several placement
orders are tried and the smallest arena wins; `lower_bound` (the largest sum of buffers alive at once, as if none of
them overlapped) says how far from the best it can be at most when no layer lags.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from hilgate.compile.graph import Graph, Site

SHUFFLES = 400  # placement orders that are tried after the usual ones
ALIGNMENT = 4  # kernels read words; the arena's base is 16-byte aligned


@dataclass
class Buffer:
    """Memory that one or more tensors share. first and last: layers, -1 before the first, `layers` after the last."""

    tensors: list[str]
    bytes: int
    first: int
    last: int
    offset: int = -1
    lags: dict[int, int] = field(default_factory=dict)  # id of a later buffer: how far it must begin before this one

    def overlaps(self, other: Buffer) -> bool:
        return self.first <= other.last and other.first <= self.last

    @property
    def end(self) -> int:
        return self.offset + self.bytes


@dataclass
class Plan:
    """offset: of each tensor; scratch: offset by layer index; buffers: for the map."""

    arena_bytes: int = 0
    lower_bound: int = 0
    offset: dict[str, int] = field(default_factory=dict)
    scratch: dict[int, int] = field(default_factory=dict)
    buffers: list[Buffer] = field(default_factory=list)


def plan(graph: Graph) -> Plan:
    """Place every tensor of a lowered graph."""
    layers = [site for site in graph.sites() if not site.node.op.view]
    buffers = _buffers(graph, layers)
    scratch = [
        Buffer([f"scratch of {site.node.name}"], site.node.op.scratch_bytes(site), index, index)
        for index, site in enumerate(layers)
    ]
    everything = [b for b in [*buffers, *scratch] if b.bytes > 0]
    _allow_lags(layers, {name: buffer for buffer in buffers for name in buffer.tensors})
    arena_bytes = _place(everything)
    result = Plan(arena_bytes, _lower_bound(everything, len(layers)), buffers=everything)
    result.offset = {name: buffer.offset for buffer in buffers for name in buffer.tensors}
    result.scratch = {buffer.first: buffer.offset for buffer in scratch if buffer.bytes > 0}
    return result


def _buffers(graph: Graph, layers: list[Site]) -> list[Buffer]:
    """One buffer per group of tensors that share memory."""
    index = {id(site.node): i for i, site in enumerate(layers)}
    last = _last_reads(graph, index, len(layers))
    group: dict[str, Buffer] = {}
    for name in graph.inputs:
        group[name] = Buffer([name], _round_up(graph.tensors[name].bytes), -1, max(last.get(name, -1), -1))
    for site in graph.sites():
        if site.node.op.view:
            _join(group, site.node.inputs[0], site, last)
            continue
        here = index[id(site.node)]
        for output in site.outputs:
            shared = _in_place(graph, group, site, here)
            if shared is not None and output is site.output:
                _join(group, shared, site, last)
            else:
                size = _round_up(output.bytes)
                group[output.name] = Buffer([output.name], size, here, max(last.get(output.name, here), here))
    return list({id(buffer): buffer for buffer in group.values()}.values())


def _allow_lags(layers: list[Site], buffer: dict[str, Buffer]) -> None:
    """Where an input's buffer ends and the output's begins at one layer, the two may overlap as the operator says."""
    for here, site in enumerate(layers):
        target = buffer[site.output.name]
        for index, lag in site.node.op.overlap_lag(site).items():
            source = buffer[site.inputs[index].name]
            if source is not target and source.last == here == target.first and len(site.outputs) == 1:
                source.lags[id(target)] = max(lag, source.lags.get(id(target), lag))


def _last_reads(graph: Graph, index: dict[int, int], layers: int) -> dict[str, int]:
    """The last layer that reads each tensor; outputs are read after the last layer; a view is read when its output
    is.
    """
    last: dict[str, int] = dict.fromkeys(graph.outputs, layers)
    for node in reversed(graph.nodes):
        when = index.get(id(node), max((last.get(name, -1) for name in node.outputs), default=-1))
        for name in node.inputs:
            last[name] = max(last.get(name, -1), when)
    return last


def _in_place(graph: Graph, group: dict[str, Buffer], site: Site, here: int) -> str | None:
    """An input that dies here and whose memory is large enough for the output."""
    for index in site.node.op.overlap_inputs(site):
        tensor = site.inputs[index]
        buffer = group.get(tensor.name)
        if buffer is not None and buffer.last == here and buffer.bytes >= site.output.bytes:
            return tensor.name
    return None


def _join(group: dict[str, Buffer], source: str, site: Site, last: dict[str, int]) -> None:
    buffer, name = group[source], site.output.name
    buffer.tensors.append(name)
    buffer.last = max(buffer.last, last.get(name, buffer.last))
    group[name] = buffer


def _place(buffers: list[Buffer]) -> int:
    """Give offsets by the best of several greedy orders; returns the arena's bytes."""
    orders = (
        lambda b: (-b.bytes, b.first),
        lambda b: (-(b.last - b.first), -b.bytes),
        lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.bytes),
        lambda b: (-b.last, -b.bytes),
    )
    starts = [sorted(buffers, key=order) for order in orders]
    generator = random.Random(len(buffers))  # noqa: S311  equal graphs get equal arenas
    best, layout, order = math.inf, [], starts[0]
    for attempt in range(len(starts) + SHUFFLES):
        tried = starts[attempt] if attempt < len(starts) else _swapped(order, generator)
        total = _greedy(tried)
        if total <= best:
            if total < best:
                layout = [b.offset for b in buffers]
            best, order = total, tried
    for buffer, offset in zip(buffers, layout, strict=True):
        buffer.offset = offset
    return int(best) if buffers else 0


def _swapped(order: list[Buffer], generator: random.Random) -> list[Buffer]:
    """The same order but for one buffer that moves."""
    changed = list(order)
    if changed:
        changed.insert(generator.randrange(len(changed)), changed.pop(generator.randrange(len(changed))))
    return changed


def _greedy(buffers: list[Buffer]) -> int:
    """Each buffer at the lowest place that is free for its whole life."""
    placed: list[Buffer] = []
    for buffer in buffers:
        offset = 0
        for low, high in sorted(_forbidden(buffer, other) for other in placed if other.overlaps(buffer)):
            if offset <= low:
                break
            offset = max(offset, high)
        buffer.offset = offset
        placed.append(buffer)
    return max((b.end for b in placed), default=0)


def _forbidden(buffer: Buffer, other: Buffer) -> tuple[int, int]:
    """The offsets strictly between these two would let a living byte of `other` be written over, or the reverse."""
    low, high = other.offset - buffer.bytes, other.end
    lag = other.lags.get(id(buffer))  # then `buffer` is written while `other` is read
    if lag is not None:
        low = max(low, _round_down(other.offset - lag))
    lag = buffer.lags.get(id(other))  # the reverse
    if lag is not None:
        high = min(high, max(_round_up(other.offset + lag), 0))
    return low, max(low, high)


def _lower_bound(buffers: list[Buffer], layers: int) -> int:
    return max((sum(b.bytes for b in buffers if b.first <= i <= b.last) for i in range(-1, layers + 1)), default=0)


def _round_down(size: int) -> int:
    return size // ALIGNMENT * ALIGNMENT


def _round_up(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
