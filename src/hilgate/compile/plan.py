"""Where each tensor lies in the arena: by lifetimes, views and in-place operators sharing memory, then greedy
placement.

A buffer lives from the layer that writes it to the last that reads it. Several placement orders are tried and the
smallest arena wins; `lower_bound` (the largest sum of buffers alive at once) says how far from the best it can be at
most.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hilgate.compile.graph import Graph, Site

ALIGNMENT = 4  # kernels read words; the arena's base is 16-byte aligned


@dataclass
class Buffer:
    """Memory that one or more tensors share. first and last: layers, -1 before the first, `layers` after the last."""

    tensors: list[str]
    bytes: int
    first: int
    last: int
    offset: int = -1

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
    best: tuple[int, list[int]] | None = None
    for order in orders:
        total = _greedy(sorted(buffers, key=order))
        if best is None or total < best[0]:
            best = total, [b.offset for b in buffers]
    if best is None:
        return 0
    for buffer, offset in zip(buffers, best[1], strict=True):
        buffer.offset = offset
    return best[0]


def _greedy(buffers: list[Buffer]) -> int:
    """Each buffer at the lowest place that is free for its whole life."""
    placed: list[Buffer] = []
    for buffer in buffers:
        offset = 0
        for other in sorted((b for b in placed if b.overlaps(buffer)), key=lambda b: b.offset):
            if offset + buffer.bytes <= other.offset:
                break
            offset = max(offset, other.end)
        buffer.offset = offset
        placed.append(buffer)
    return max((b.end for b in placed), default=0)


def _lower_bound(buffers: list[Buffer], layers: int) -> int:
    return max((sum(b.bytes for b in buffers if b.first <= i <= b.last) for i in range(-1, layers + 1)), default=0)


def _round_up(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
