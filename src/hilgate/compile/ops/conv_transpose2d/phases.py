"""A transposed convolution as convolutions: the outputs of one phase of the stride see the same taps of the kernel.

Output y of height reads input row (y + pad - tap) / stride for the taps that leave no rest. So the outputs a,
a + stride, a + 2 stride, ... are a plain convolution of stride 1 with every stride-th tap, on the panels of conv2d.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.graph import Site, Tensor
from hilgate.compile.ops.base import STREAMED, Call, Section
from hilgate.compile.ops.conv2d import kernel as panels
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.window import Window

if TYPE_CHECKING:
    from hilgate.compile.ops.conv2d.kernel import ConvKernel
    from hilgate.compile.ops.conv_transpose2d.op import ConvTranspose2D

SOURCES = ("ops/conv_transpose2d/conv_transpose2d_phases.c", "ops/conv_transpose2d/conv_transpose2d_phases.h")


@dataclass(frozen=True)
class Side:
    """One phase along one axis. taps: of the kernel, in the order of the input that they meet; first: input row of the
    first of them at the phase's first output; pad: how many such rows lie before the input; outputs: how many.
    """

    taps: tuple[int, ...]
    first: int
    pad: int
    outputs: int


@dataclass(frozen=True)
class Phase:
    """The convolution that computes every stride-th output from (row, column) on."""

    row: int
    column: int
    height: Side
    width: Side
    op: Conv2D
    site: Site
    kernel: ConvKernel


def side(op: ConvTranspose2D, axis: int, phase: int, size: int) -> Side | None:
    """The phase along one axis of `size` inputs, or None where it has no taps or no input."""
    stride, pad, kernel = op.window.stride[axis], op.window.pad[axis], op.window.kernel[axis]
    taps = [tap for tap in range(kernel) if (phase + pad - tap) % stride == 0]
    if not taps:
        return None
    start = (phase + pad - taps[-1]) // stride
    outputs = -(-(op.size[axis] - phase) // stride)
    if start >= size or outputs < 1:
        return None
    return Side(tuple(reversed(taps)), max(0, start), max(0, -start), outputs)


def choose(op: ConvTranspose2D, site: Site) -> tuple[Phase, ...] | None:
    """Every phase with its kernel, or None where one of them has none."""
    found = []
    for row in range(op.window.stride[0]):
        for column in range(op.window.stride[1]):
            phase = _phase(op, site, row, column)
            if phase is None:
                return None
            found.append(phase)
    return tuple(found)


def _phase(op: ConvTranspose2D, site: Site, row: int, column: int) -> Phase | None:
    _, in_height, in_width, depth = site.inputs[0].shape
    height, width = side(op, 0, row, in_height), side(op, 1, column, in_width)
    if height is None or width is None or op.window.dilation != (1, 1):
        return None
    source, weights, target = site.inputs[0], site.inputs[1], site.output
    part = Site(site.graph, site.node)
    data = np.ascontiguousarray(weights.values[:, height.taps][:, :, width.taps])
    size = (1, in_height - height.first, in_width - width.first, depth)
    part.inputs[0] = Tensor(source.name, size, source.dtype, source.quantization)
    part.inputs[1] = Tensor(weights.name, data.shape, weights.dtype, weights.quantization, data)
    shape = (1, height.outputs, width.outputs, target.shape[3])
    part.outputs[0] = Tensor(target.name, shape, target.dtype, target.quantization)
    window = Window((len(height.taps), len(width.taps)), pad=(height.pad, width.pad, 0, 0))
    conv = Conv2D(window, 1, op.activation)
    kernel = panels.choose(conv, part, _spread(op, site))
    return None if kernel is None else Phase(row, column, height, width, conv, part, kernel)


def _spread(op: ConvTranspose2D, site: Site) -> int:
    return op.window.stride[1] * site.output.shape[3]


def sources() -> tuple[str, ...]:
    """The C files of this way."""
    return (*panels.sources(), *SOURCES)


def scratch_bytes(phases: tuple[Phase, ...]) -> int:
    """The largest strip."""
    return max(panels.scratch_bytes(phase.op, phase.site, phase.kernel) for phase in phases)


def sections(phases: tuple[Phase, ...]) -> list[Section]:
    """`output`, `fill`, and `stream`: the packed weights of one phase after the other."""
    parts = [panels.sections(phase.op, phase.site, phase.kernel) for phase in phases]
    stream = b"".join(section.content for part in parts for section in part if section.name == "stream")
    return [*parts[0][:2], Section("stream", stream)]


def cycles(phases: tuple[Phase, ...]) -> int:
    """Of the layer, zero wait states."""
    return sum(panels.cycles(phase.op, phase.site, phase.kernel) for phase in phases)


def call(op: ConvTranspose2D, site: Site, phases: tuple[Phase, ...]) -> Call:
    """The call with the instances and the table of phases, which stand before the layers."""
    rows, stream = [], 0
    _, _, width, depth = site.inputs[0].shape
    _, _, out_width, outputs = site.output.shape
    for phase in phases:
        facts: dict[str, object] = {
            "first": (phase.height.first * width + phase.width.first) * depth,
            "in_row": width * depth,
            "out_first": (phase.row * out_width + phase.column) * outputs,
            "out_row": op.window.stride[0] * out_width * outputs,
            "stream": stream,
            "conv": f"{{{panels.initializer(phase.op, phase.site, phase.kernel, _spread(op, site))}}}",
        }
        rows.append("{" + ", ".join(f".{key} = {value}" for key, value in facts.items()) + "}")
        packed = panels.sections(phase.op, phase.site, phase.kernel)
        stream += sum(len(section.content) for section in packed if section.name == "stream")
    content = ",\n    ".join(rows)
    name = f"conv_transpose2d_phases_{zlib.crc32(content.encode()):08x}"
    text = f"static const conv_transpose2d_phase {name}[{len(rows)}] = {{\n    {content}}};\n"
    constants: dict[str, int | str] = {"phases": name, "count": len(rows), "bytes": site.output.bytes}
    instances = tuple(dict.fromkeys(phase.kernel.panel.preamble for phase in phases))
    return Call("conv_transpose2d_phases_s8", STREAMED, constants, (*instances, text))
