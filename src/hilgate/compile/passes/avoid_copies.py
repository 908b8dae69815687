"""Slices and concatenations that copy nothing: a stretch of memory stays in the tensor that it is cut from, and parts
that lie one behind the other are made in the joined tensor from the start.

Each tensor has one place. Where a part of a concatenation has another one already (it stands in it twice, or in two of
them), that part alone is copied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node, Site, Tensor
from hilgate.compile.homes import ALIGNMENT, Homes, Region, Segment, round_up
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.slice.op import Slice

if TYPE_CHECKING:
    from hilgate.compile.options import Options

TENSORS_MAX = 256  # that may share one stretch of memory; damaged files may have thousands
FOREVER = 1 << 40  # bytes of two values never lie in one place, whenever they live: how long is not yet known here


def run(graph: Graph, options: Options) -> int:
    """Turn each into a view, where its bytes can lie so. Returns how many."""
    homes, changes = Homes(), 0
    for name in graph.inputs:
        _settle(homes, graph.tensors[name])
    for node in list(graph.nodes):
        site = Site(graph, node)
        if isinstance(node.op, Slice | Concat) and not node.op.view:
            changes += _made_a_view(homes, graph, site)
        elif node.op.view:
            _join(homes, site, range(len(site.inputs)))
        else:
            for tensor in site.outputs:
                _settle(homes, tensor)
    return changes


def bytes_copied(graph: Graph) -> int:
    """What slices and concatenations move in one inference."""
    moving = (s for s in graph.sites() if isinstance(s.node.op, Slice | Concat) and not s.node.op.view)
    return sum(site.output.bytes for site in moving)


def why_not(site: Site) -> str:
    """Why a slice or a concatenation that is no view copies."""
    offsets = site.node.op.placement(site)
    if offsets is None:
        joins = isinstance(site.node.op, Concat)
        return "its parts alternate in memory" if joins else "what it cuts out is no one stretch of memory"
    if any(offset % ALIGNMENT for offset in offsets):
        return f"a part would not begin at a multiple of {ALIGNMENT} bytes"
    return "what it shows has another place already"


def _settle(homes: Homes, tensor: Tensor) -> None:
    homes.add(tensor.name, [Segment(tensor.name, 0, round_up(tensor.bytes), -1, FOREVER)])


def _join(homes: Homes, site: Site, indices: Iterable[int]) -> set[int]:
    """Let these inputs of a view lie in its output. Returns those that cannot."""
    homes.add(site.output.name, [])
    offsets = site.node.op.placement(site) or ()
    return {i for i in indices if not homes.join(site.output.name, site.inputs[i].name, offsets[i])}


def _made_a_view(homes: Homes, graph: Graph, site: Site) -> bool:
    """Whether a slice or concatenation became one; parts that have another place are copied by a layer before it."""
    node, op = site.node, site.node.op
    assert isinstance(op, Slice | Concat)  # noqa: S101  narrows the type
    offsets = op.placement(site)
    stay = _parts_that_stay(homes, site) if offsets and not any(offset % ALIGNMENT for offset in offsets) else set()
    if not stay:
        _settle(homes, site.output)
        return False
    _join(homes, site, sorted(stay))
    for index in set(range(len(node.inputs))) - stay:
        node.inputs[index] = _copied(graph, site, index)
        _settle(homes, graph.tensors[node.inputs[index]])
        homes.join(site.output.name, node.inputs[index], (offsets or ())[index])
    node.op = replace(op, view=True)
    return True


def _parts_that_stay(homes: Homes, site: Site) -> set[int]:
    """The inputs that can lie in the output, while copies of the others still find their places there free."""
    wanted, names = set(range(len(site.inputs))), dict.fromkeys(site.node.inputs)
    regions = {id(homes.region[name]): homes.region[name] for name in names}.values()
    if sum(len(region.place) for region in regions) > TENSORS_MAX:
        return set()
    while wanted:
        saved = homes.saved(names)
        stay = wanted - _join(homes, site, sorted(wanted))
        free = _free_for_copies(homes, site, stay)
        homes.restore(saved)
        if free:
            return stay
        wanted.discard(max(stay, key=lambda index: _extent(homes.region[site.inputs[index].name])))
    return wanted


def _extent(region: Region) -> int:
    return max(s.high for s in region.segments) - min(s.low for s in region.segments)


def _free_for_copies(homes: Homes, site: Site, stay: set[int]) -> bool:
    """Whether nothing lies where the inputs that do not stay must come."""
    offsets, begin = site.node.op.placement(site) or (), homes.place(site.output.name)
    taken = homes.region[site.output.name].segments
    for index in set(range(len(site.inputs))) - stay:
        low = begin + offsets[index]
        if any(s.low < low + site.inputs[index].bytes and low < s.high for s in taken):
            return False
    return True


def _copied(graph: Graph, site: Site, index: int) -> str:
    """A layer before the node that copies an input."""
    tensor, node = site.inputs[index], site.node
    name = graph.fresh(f"{node.name}.part_{index}")
    graph.add(Tensor(name, tensor.shape, tensor.dtype, tensor.quantization))
    whole = Slice((0,) * len(tensor.shape), tensor.shape, (1,) * len(tensor.shape))
    graph.nodes.insert(graph.nodes.index(node), Node(name, whole, [tensor.name], [name]))
    return name
