"""Let layers share instances of kernels where the flash that this saves is worth the cycles that it costs.

A panel with more constants is faster and fits fewer layers. Starting from each layer's own instance, the two whose
merger gains most are merged until no merger gains. A byte of flash is worth CYCLES_PER_BYTE cycles of an inference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node, Site
from hilgate.compile.kernels import panel as panels
from hilgate.compile.kernels.panel import DOUBLE, POSITIVE, Panel
from hilgate.compile.ops.conv2d.kernel import ConvKernel
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d import plane
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.depthwise_conv2d.plane import PlaneKernel
from hilgate.compile.ops.fully_connected import wide
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.fully_connected.wide import WideKernel
from hilgate.compile.options import CYCLES_PER_BYTE

if TYPE_CHECKING:
    from hilgate.compile.options import Options

PORTABLE_BYTES, PORTABLE_CYCLES_PER_MAC = 450, 2.5  # of a fully connected layer without a wide kernel


@dataclass(frozen=True)
class Use:
    """A layer that runs on a panel. channels: of one group; rows: of `kernel.width` outputs, times groups; weight: of a
    cycle (Options.weight).
    """

    node: Node
    op: Conv2D
    kernel: ConvKernel
    channels: int
    rows: int
    weight: float

    @property
    def k_pairs(self) -> int:
        return self.kernel.k // 2

    @property
    def free(self) -> bool:
        """Whether its outputs' runs may lie further apart."""
        return self.kernel.mode in ("pixels", "patches")


@dataclass(frozen=True)
class Instance:
    """A panel and the layers that run on it. cost: cycles and bytes, in cycles."""

    panel: Panel
    uses: tuple[Use, ...]
    cost: float


def share(graph: Graph, options: Options) -> None:
    """Change the kernels of the graph's layers."""
    worth = CYCLES_PER_BYTE[options.optimize]
    for instance in _merged(_instances(graph, options), worth):
        for use in instance.uses:
            use.node.op = replace(use.op, kernel=replace(use.kernel, panel=instance.panel))
    _share_pitches(graph, options, worth)
    _share_edges(graph, options, worth)
    _share_unrolls(graph, options, worth)


def _instances(graph: Graph, options: Options) -> list[Instance]:
    """One for each set of constants."""
    worth = CYCLES_PER_BYTE[options.optimize]
    uses: dict[Panel, list[Use]] = {}
    for site in graph.sites():
        op = site.node.op
        if isinstance(op, Conv2D) and isinstance(op.kernel, ConvKernel):
            outputs = site.output.shape[1] * site.output.shape[2]
            rows = outputs // op.kernel.width * op.groups
            weight = options.weight(site.node.layer)
            use = Use(site.node, op, op.kernel, site.output.shape[3] // op.groups, rows, weight)
            uses.setdefault(op.kernel.panel, []).append(use)
    return [_best_unroll(panel, tuple(users), worth) for panel, users in uses.items()]


def _merged(instances: list[Instance], worth: int) -> list[Instance]:
    tried: dict[tuple[int, int], tuple[Instance | None, Instance, Instance]] = {}  # holds both: ids stay theirs
    while True:
        best: tuple[float, Instance, Instance, Instance] | None = None
        for a, b in combinations(instances, 2):
            key = (id(a), id(b))
            if key not in tried:
                tried[key] = _merge(a, b, worth), a, b
            both = tried[key][0]
            gain = a.cost + b.cost - both.cost if both else 0
            if both and gain > (best[0] if best else 0):
                best = gain, both, a, b
        if best is None:
            return instances
        _, both, a, b = best
        instances = [i for i in instances if i is not a and i is not b] + [both]


def _merge(a: Instance, b: Instance, worth: int) -> Instance | None:
    """The cheapest instance that serves both, or None."""
    uses = (*a.uses, *b.uses)
    found = [
        _best_unroll(p, uses, worth) for p in (_common(a.panel, b.panel, n, uses) for n in panels.STEP_CYCLES) if p
    ]
    return min(found, key=lambda instance: instance.cost, default=None)


def _common(a: Panel, b: Panel, pixels: int, uses: tuple[Use, ...]) -> Panel | None:
    """A panel of so many outputs that can do what either does."""
    if a.shared != b.shared or pixels not in (a.pixels, b.pixels) or any(use.kernel.width < pixels for use in uses):
        return None
    same = (a.rounding, a.top) == (b.rounding, b.top)
    if not same and not {a.rounding, b.rounding} <= {DOUBLE, POSITIVE}:
        return None
    fixed = {use.kernel.panel.pixel_bytes for use in uses if not use.free}
    needed = max(use.kernel.panel.pixel_bytes for use in uses)
    if len(fixed) > 1 or (fixed and needed > max(fixed)) or (pixels - 1) * needed > panels.MAX_OFFSET:
        return None
    return replace(
        a,
        pixels=pixels,
        pixel_bytes=needed,
        k_pairs=a.k_pairs if a.k_pairs == b.k_pairs else 0,
        out_pixel=a.out_pixel if a.out_pixel == b.out_pixel else 0,
        odd=a.odd or b.odd,
        rounding=a.rounding if same else DOUBLE,
        top=a.top if same else 0,
    )


def _best_unroll(panel: Panel, uses: tuple[Use, ...], worth: int) -> Instance:
    """The panel with the loop that costs least."""
    longest = max(use.k_pairs for use in uses)
    candidates = {
        panels.unroll(longest, panel.pixels, limit) for limit in range(2, panels.MAX_UNROLL[panel.pixels] + 1)
    }

    def instance(unroll: int) -> Instance:
        made = replace(panel, unroll=unroll)
        each = [(u, panels.layer_cycles(made, u.k_pairs, u.channels, u.kernel.width, u.rows)) for u in uses]
        cycles = sum(use.weight * cycles for use, cycles in each)
        return Instance(made, uses, cycles + worth * panels.code_bytes(made))

    return min((instance(unroll) for unroll in sorted(candidates)), key=lambda made: made.cost)


def _share_pitches(graph: Graph, options: Options, worth: int) -> None:
    """Depthwise layers that differ only in their planes' pitch take the largest that costs none of them more bands; a
    layer large enough gets an instance of its own that knows how far its outputs lie apart.
    """
    groups: dict[PlaneKernel, list[tuple[Site, DepthwiseConv2D, PlaneKernel]]] = {}
    found = [(site, site.node.op) for site in graph.sites()]
    layers = [(site, op, op.kernel) for site, op in found if isinstance(op, DepthwiseConv2D) and op.kernel]
    general = any(kernel.general for _, _, kernel in layers)  # then one function for all
    for site, op, kernel in layers:
        one = replace(kernel, general=general)
        groups.setdefault(replace(one, pitch=0, band=0, turned=False), []).append((site, op, one))
    for users in groups.values():
        pitches = {kernel.pitch for _, _, kernel in users}
        for site, op, kernel in users:
            fitting = [replace(kernel, pitch=pitch) for pitch in pitches]
            own = options.of(site.node.layer, sparing=site.node.sparing)
            whole = [k.pitch for k in fitting if plane.band(op, site, k, own) >= kernel.band]
            gain = options.weight(site.node.layer) * plane.fixed_gain(op, site, kernel)
            alone = gain > worth * plane.code_bytes(kernel) or (gain > 0 and len(users) == 1)
            place = plane.out_pixel(op, site, kernel) if alone else 0
            site.node.op = replace(op, kernel=replace(kernel, pitch=max(whole), out_pixel=place))


def _share_edges(graph: Graph, options: Options, worth: int) -> None:
    """Rows that do not end with a whole step of a depthwise core end with a smaller one, where that is worth its code
    or another layer has it."""
    users: dict[PlaneKernel, list[tuple[Site, DepthwiseConv2D, PlaneKernel]]] = {}
    here, gains = set(), dict[PlaneKernel, float]()
    for site in graph.sites():
        op = site.node.op
        if not isinstance(op, DepthwiseConv2D) or not op.kernel:
            continue
        here.add(op.kernel.name)
        outputs, saved = plane.edge(op, site, op.kernel)
        if outputs:
            smaller = replace(op.kernel, edge=outputs)
            users.setdefault(smaller.edge_core, []).append((site, op, smaller))
            gains[smaller.edge_core] = gains.get(smaller.edge_core, 0) + options.weight(site.node.layer) * saved
    for core, layers in users.items():
        if core.name in here or gains[core] > worth * plane.code_bytes(core):
            for site, op, smaller in layers:
                site.node.op = replace(op, kernel=smaller)


def _share_unrolls(graph: Graph, options: Options, worth: int) -> None:
    """Wide kernels of fully connected layers take the loop that costs all of them least, or give way to the portable
    one where there is too little to compute."""
    groups: dict[WideKernel, list[tuple[Site, FullyConnected]]] = {}
    for site in graph.sites():
        op = site.node.op
        if isinstance(op, FullyConnected) and op.kernel:
            groups.setdefault(op.kernel, []).append((site, op))
    for kernel, users in groups.items():
        sites = [(site, options.weight(site.node.layer)) for site, _ in users]
        costs: dict[WideKernel | None, float] = {None: _portable_cost(sites, worth)}
        for unroll in range(2, wide.MAX_UNROLL + 1):
            tried = replace(kernel, unroll=unroll)
            cycles = sum(weight * _wide_cycles(tried, site) for site, weight in sites)
            costs[tried] = cycles + worth * wide.code_bytes(tried)
        best = min(costs, key=lambda k: costs[k])
        for site, op in users:
            site.node.op = replace(op, kernel=best)


def _portable_cost(sites: list[tuple[Site, float]], worth: int) -> float:
    macs = sum(weight * site.node.op.macs(site) for site, weight in sites)
    return PORTABLE_CYCLES_PER_MAC * macs + worth * PORTABLE_BYTES * len(sites)


def _wide_cycles(kernel: WideKernel, site: Site) -> int:
    outputs, inputs = site.inputs[1].shape
    return wide.cycles(kernel, inputs, outputs, site.output.elements // outputs)
