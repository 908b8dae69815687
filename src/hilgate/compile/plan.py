"""Where each tensor lies in the arena: by lifetimes, shared memory and overlaps, then greedy placement.

A value lives from the layer that writes it to the last that reads it, byte by byte (lives.py). Views lie inside what
they show, and an output takes the place of an input that dies, where the operator allows it (homes.py). Where a layer
reads its input for the last time and says how far behind its reading it writes (Op.overlap_lag), its output may begin
inside the input. Several placement orders are tried and the smallest arena wins (place.py); `lower_bound` (the largest
sum of buffers alive at once, as if none of them overlapped) says how far from the best it can be at most when no layer
lags.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from hilgate.compile.drawing import Drawing
from hilgate.compile.graph import Graph, Site
from hilgate.compile.homes import Homes, Segment, round_up
from hilgate.compile.lives import Lives, lives
from hilgate.compile.place import SHUFFLES, Buffer, Cluster, place


@dataclass(frozen=True)
class View:
    """A tensor whose bytes are a part of a value's, or several values' in a row. first, last: layers."""

    tensor: str
    offset: int
    bytes: int
    first: int
    last: int

    @property
    def end(self) -> int:
        return self.offset + self.bytes


@dataclass
class Plan:
    """offset: of each tensor; scratch: offset by layer index; buffers, views: for the map."""

    arena_bytes: int = 0
    lower_bound: int = 0
    offset: dict[str, int] = field(default_factory=dict)
    scratch: dict[int, int] = field(default_factory=dict)
    buffers: list[Buffer] = field(default_factory=list)
    views: list[View] = field(default_factory=list)


def plan(graph: Graph, without: Collection[str] = (), shuffles: int = SHUFFLES) -> Plan:
    """Place every tensor of a lowered graph. without: may name `in_place` and `overlap`; shuffles: orders to try."""
    layers = [site for site in graph.sites() if not site.node.op.view]
    found = lives(graph, layers)
    homes = share_views(graph, found.segments)
    for here, site in enumerate(layers if "in_place" not in without else ()):
        _take_place_of_an_input(homes, site, here)
    aliases = _aliases(graph, found)
    regions = {id(region): region for region in homes.region.values()}
    drawings = {key: Drawing(region, aliases) for key, region in regions.items()}
    for here, site in enumerate(layers if "overlap" not in without else ()):
        if len(site.outputs) == 1:
            _allow_lag(homes, drawings, site, here)
    scratch = [_scratch(site, index) for index, site in enumerate(layers)]
    clusters = [c for c in (*(drawing.cluster for drawing in drawings.values()), *scratch) if c.bytes > 0]
    result = Plan(place(clusters, shuffles), buffers=[buffer for cluster in clusters for buffer in cluster.buffers])
    result.lower_bound = _lower_bound(result.buffers, len(layers))
    result.offset = {name: drawings[id(region)].offset(name) for name, region in homes.region.items()}
    result.scratch = {cluster.first: cluster.offset for cluster in scratch if cluster.bytes > 0}
    known = {name for names in aliases.values() for name in names}
    result.views = [view for view in _views(graph, result.offset, layers) if view.tensor not in known]
    return result


def share_views(graph: Graph, segments: dict[str, list[Segment]]) -> Homes:
    """Every tensor in its region, views inside what they show. Raises ModelError where a view cannot lie there."""
    homes = Homes()
    for name in graph.inputs:
        homes.add(name, segments[name])
    for site in graph.sites():
        for tensor in site.outputs:
            homes.add(tensor.name, segments.get(tensor.name, []))
        offsets = site.node.op.placement(site) if site.node.op.view else None
        for tensor, begin in zip(site.inputs, offsets or (), strict=False):
            if not homes.join(site.output.name, tensor.name, begin):
                raise site.refuse(
                    f"`{tensor.name}` cannot lie inside `{site.output.name}`", "leave out the pass `avoid_copies`"
                )
    return homes


def _take_place_of_an_input(homes: Homes, site: Site, here: int) -> None:
    """Let the output take the memory of an input that dies here, where the operator allows it."""
    output, allowed = site.output, site.node.op.overlap_inputs(site)

    def dies(old: Segment, new: Segment) -> bool:
        return old.first < here == old.last and new.first == here and new.value == output.name

    for index in allowed:
        tensor = site.inputs[index]
        if tensor.constant or round_up(tensor.bytes) < output.bytes or _read_elsewhere(homes, site, index, allowed):
            continue
        if homes.join(tensor.name, output.name, 0, dies):
            return


def _read_elsewhere(homes: Homes, site: Site, index: int, allowed: tuple[int, ...]) -> bool:
    """Whether another input reads bytes that an output in place of input `index` would overwrite, and not in step."""
    name = site.inputs[index].name
    begin, end = homes.place(name), homes.place(name) + site.output.bytes
    for i, tensor in enumerate(site.inputs):
        if tensor.constant or homes.region[tensor.name] is not homes.region[name]:
            continue
        low = homes.place(tensor.name)
        if (i not in allowed or low != begin) and low < end and begin < low + tensor.bytes:
            return True
    return False


def _allow_lag(homes: Homes, drawings: dict[int, Drawing], site: Site, here: int) -> None:
    """Where an input ends and the output begins at one layer, the two may overlap as the operator says."""
    region, lags = homes.region[site.output.name], site.node.op.overlap_lag(site)
    written = drawings[id(region)].needed(site.output.name, site.output.bytes, here)
    targets = [(buffer, after) for buffer, after in written if buffer.first == here]
    sources: dict[int, tuple[Buffer, list[int | None]]] = {}  # and how far each input that reads it lets it be
    for index, tensor in enumerate(site.inputs):
        if tensor.constant or homes.region[tensor.name] is region:
            continue
        for source, after in drawings[id(homes.region[tensor.name])].needed(tensor.name, tensor.bytes, here):
            ends = (
                index in lags and source.last == here and 0 <= after <= after + source.bytes <= round_up(tensor.bytes)
            )
            sources.setdefault(id(source), (source, []))[1].append(lags[index] + after if ends else None)
    for source, wanted in sources.values():
        if None not in wanted:
            lag = max(each for each in wanted if each is not None)
            source.lags |= {id(target): lag - after for target, after in targets}


def _aliases(graph: Graph, found: Lives) -> dict[str, list[str]]:
    """Of a value, the views that are all of it."""
    result: dict[str, list[str]] = {}
    for name, pieces in found.pieces.items():
        if len(pieces) == 1 and name != pieces[0].value and pieces[0].bytes == graph.tensors[pieces[0].value].bytes:
            result.setdefault(pieces[0].value, []).append(name)
    return result


def _scratch(site: Site, index: int) -> Cluster:
    size = site.node.op.scratch_bytes(site)
    return Cluster([Buffer([f"scratch of {site.node.name}"], size, index, index)], [0])


def _views(graph: Graph, offset: dict[str, int], layers: list[Site]) -> Iterator[View]:
    index, before = {id(site.node): i for i, site in enumerate(layers)}, -1
    for site in graph.sites():
        before = index.get(id(site.node), before)
        if site.node.op.view:
            name = site.output.name
            last = max((index.get(id(reader), before) for reader in graph.consumers(name)), default=before)
            last = len(layers) if name in graph.outputs else last
            yield View(name, offset[name], site.output.bytes, before, last)


def _lower_bound(buffers: list[Buffer], layers: int) -> int:
    return max((sum(b.bytes for b in buffers if b.first <= i <= b.last) for i in range(-1, layers + 1)), default=0)
