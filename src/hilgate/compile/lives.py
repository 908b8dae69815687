"""When each byte of each value is needed: from the layer that writes it to the last that reads it.

A value is what a layer or the application writes. A view has no bytes of its own: reading it reads the values that it
shows, and only the bytes that it shows, so the rows of an image die one after another where strips are cut from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hilgate.compile.graph import Graph, Site
from hilgate.compile.homes import Segment, round_down, round_up


@dataclass(frozen=True)
class Piece:
    """Bytes of a value inside a tensor. at: where they begin in the tensor; low: where in the value."""

    value: str
    at: int
    low: int
    bytes: int


@dataclass(frozen=True)
class Lives:
    """pieces: of each tensor, in order; segments: of each value, counted from its own beginning."""

    pieces: dict[str, list[Piece]]
    segments: dict[str, list[Segment]]


def lives(graph: Graph, layers: list[Site]) -> Lives:
    """Times are indices of `layers`; -1: before the first; len(layers): after the last."""
    index = {id(site.node): i for i, site in enumerate(layers)}
    born = dict.fromkeys(graph.inputs, -1)
    pieces = {name: [Piece(name, 0, 0, graph.tensors[name].bytes)] for name in graph.inputs}
    for site in graph.sites():
        if site.node.op.view:
            pieces[site.output.name] = shown(site, pieces)
            continue
        for tensor in site.outputs:
            born[tensor.name] = index[id(site.node)]
            pieces[tensor.name] = [Piece(tensor.name, 0, 0, tensor.bytes)]
    reads = _reads(graph, index, len(layers))
    marks: dict[str, list[tuple[int, int, int]]] = {name: [] for name in born}
    for name, when in reads.items():
        for piece in pieces.get(name, []):
            marks[piece.value].append((round_down(piece.low), round_up(piece.low + piece.bytes), when))
    segments = {name: _segments(name, graph.tensors[name].bytes, first, marks[name]) for name, first in born.items()}
    return Lives(pieces, segments)


def shown(site: Site, pieces: dict[str, list[Piece]]) -> list[Piece]:
    """What a view shows of the pieces of its inputs."""
    size, result = site.output.bytes, []
    for tensor, begin in zip(site.inputs, site.node.op.placement(site) or (), strict=True):
        for piece in pieces[tensor.name]:
            low, high = max(0, begin + piece.at), min(size, begin + piece.at + piece.bytes)
            if low < high:
                result.append(Piece(piece.value, low, piece.low + low - begin - piece.at, high - low))
    return result


def _reads(graph: Graph, index: dict[int, int], layers: int) -> dict[str, int]:
    """The last layer that reads each tensor itself; outputs are read after the last layer."""
    last: dict[str, int] = {}
    for node in graph.nodes:
        for name in node.inputs if id(node) in index else ():
            last[name] = index[id(node)]
    return last | dict.fromkeys(graph.outputs, layers)


def _segments(value: str, size: int, first: int, marks: list[tuple[int, int, int]]) -> list[Segment]:
    """Neighbouring bytes that die together are one segment; bytes that nobody reads die at once."""
    edges = sorted({0, round_up(size), *(edge for low, high, _ in marks for edge in (low, high))})
    result: list[Segment] = []
    for low, high in pairwise(edges):
        last = max((when for begin, end, when in marks if begin <= low and high <= end), default=first)
        if result and result[-1].last == max(first, last):
            result[-1].high = high
        else:
            result.append(Segment(value, low, high, first, max(first, last)))
    return result
