"""Which kernel each layer got, and why: for `hilgate compile --explain`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from hilgate.compile.cost import predicted_cycles
from hilgate.compile.graph import Node, Site
from hilgate.compile.kernels.panel import DOUBLE, POSITIVE, SINGLE
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d.kernel import ConvKernel
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.slice.op import Slice
from hilgate.compile.options import Options
from hilgate.compile.passes.avoid_copies import why_not

STRIPS = {
    "columns": "neighbouring outputs share input columns, widened once",
    "narrow": "columns of one to three channels, widened pixel by pixel",
    "rgb": "three channels and three rows: columns in the order in which RGB widens fastest",
    "pixels": "1x1 with stride 1: every input pixel is a receptive field",
    "patches": "outputs share no columns: each one's patch is gathered",
}
ROUNDINGS = {SINGLE: "rounds once", DOUBLE: "rounds twice", POSITIVE: "rounds twice, cheap behind a ReLU"}
ADDS = {
    "add_linear_s8": "one linear form proved for all 65,536 pairs of inputs",
    "add_table_s8": "a table per input: new scales stay data",
    "add_constant_s8": "the other side is a constant",
    "add_double_s8": "no cheaper form is exact",
}


@dataclass(frozen=True)
class Reason:
    """One layer. portable_cycles: of its plain definition in C, None where that is what runs or there is no other."""

    layer: str
    kernel: str
    cycles: int
    portable_cycles: int | None
    why: str


def reasons(layers: list[Site], options: Options) -> list[Reason]:
    """In order."""
    calls = [site.node.op.call(site) for site in layers]
    shared = Counter(instance for instance, _ in {(_instance(site), site.node.layer) for site in layers})
    return [
        Reason(
            site.node.layer,
            call.function if call else "",
            predicted_cycles(site),
            _portable(site),
            _chosen(site, options) + _why(site, call.function if call else "", shared[_instance(site)], options),
        )
        for site, call in zip(layers, calls, strict=True)
    ]


def _chosen(site: Site, options: Options) -> str:
    choice = options.layers.get(site.node.layer)
    return f"optimize: {choice.optimize} for this layer; " if choice else ""


def _instance(site: Site) -> object:
    """What layers that run on the same code have in common; the node itself where nothing is shared."""
    op = site.node.op
    if isinstance(op, Conv2D) and op.kernel:
        return op.kernel.panel.name if isinstance(op.kernel, ConvKernel) else ("winograd", site.inputs[0].shape[3])
    return op.kernel.name if isinstance(op, DepthwiseConv2D) and op.kernel else site.node


def _portable(site: Site) -> int | None:
    op = site.node.op
    if not isinstance(op, Conv2D | DepthwiseConv2D | FullyConnected) or op.kernel is None:
        return None
    plain = Node(site.node.name, replace(op, kernel=None), site.node.inputs, site.node.outputs)
    return predicted_cycles(Site(site.graph, plain))


def _why(site: Site, function: str, users: int, options: Options) -> str:
    op = site.node.op
    if isinstance(op, Slice) and site.node.origin:
        return "moves the rows that the next strip still needs to the front of its window"
    if isinstance(op, Slice | Concat):
        return f"copies: {'avoid_copies is off' if 'avoid_copies' in options.without else why_not(site)}"
    if not isinstance(op, Conv2D | DepthwiseConv2D | FullyConnected):
        return ADDS.get(function, "the operator's only kernel")
    if op.kernel is None:
        off = "fast_kernels" in options.without
        return "fast_kernels is off" if off else "no faster kernel fits, or none that is worth its flash"
    if isinstance(op, FullyConnected):
        return "8 outputs at a time, one widening for two of them"
    text = _convolution(op) if isinstance(op, Conv2D) else _plane(op)
    return text if users == 1 else f"{text}; {users} layers share the code"


def _convolution(op: Conv2D) -> str:
    kernel = op.kernel
    if not isinstance(kernel, ConvKernel):
        return "Winograd's F(2x2, 3x3): 16 products where the definition takes 36, paid for with scratch"
    panel = kernel.panel
    each = "one widening for two channels" if panel.shared else "each channel widened: sums may need over 23 bits"
    return f"{STRIPS[kernel.mode]}; 2 channels x {panel.pixels} outputs, {each}; {ROUNDINGS[panel.rounding]}"


def _plane(op: DepthwiseConv2D) -> str:
    kernel = op.kernel
    if kernel is None:
        raise ValueError("this layer runs on its portable definition")
    turned = ", rows and columns swapped" if kernel.turned else ""
    return f"a channel's plane widened once{turned}; {kernel.outputs} outputs at a time; {ROUNDINGS[kernel.rounding]}"
