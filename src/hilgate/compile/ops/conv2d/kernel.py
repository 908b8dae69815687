"""Which panel and which strip a convolution runs on, and its weights in that order (conv2d_panel.h)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.kernels import panel as panels
from hilgate.compile.kernels.panel import Integers, Panel
from hilgate.compile.ops.affine import Affine, affine
from hilgate.compile.ops.base import STREAMED, Call, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.graph import Site
    from hilgate.compile.ops.conv2d.op import Conv2D

SOURCES = (
    "ops/conv2d/conv2d_panel.c",
    "ops/conv2d/conv2d_panel.h",
    "kernels/bytes.h",
    "kernels/panel.h",
    "kernels/panel_dsp.h",
    "kernels/strip.h",
)
RGB = ((0, 0), (0, 2), (1, 0), (1, 2), (2, 0), (2, 2), (0, 1), (1, 1), (2, 1))  # (row, channel) as strip_rgb stores
COLUMNS = ("columns", "narrow", "rgb")  # modes in which neighbouring outputs share columns
MOST_GROUPS = 8  # of panels per strip of pixels or patches
NARROW = 3  # input channels that strip_widen_narrow takes
LARGEST = 65535  # fields of conv2d_shape


@dataclass(frozen=True)
class ConvKernel:
    """mode: columns, narrow, rgb, pixels or patches. column: values of a column or of one kx; k: values of a
    receptive field, even; panel: the instance; width: outputs of a row; strip_groups: panels per call."""

    mode: str
    column: int
    k: int
    panel: Panel
    width: int

    @property
    def strip_groups(self) -> int:
        pixels = self.panel.pixels
        if self.mode in COLUMNS:
            return self.width // pixels
        possible = [g for g in range(1, MOST_GROUPS + 1) if g * pixels <= self.width]
        return min(possible, key=lambda g: (-(-self.width // (g * pixels)) * g, -g))  # fewest panels, then fewest calls


def sources() -> tuple[str, ...]:
    """The C files of this way."""
    return SOURCES


def choose(op: Conv2D, site: Site, spread: int = 0) -> ConvKernel | None:
    """The kernel with the fewest predicted cycles, or None where only the portable definition fits.

    share.py then weighs cycles against flash. spread: bytes from one output to the next where other outputs lie in
    between, row by row (conv_transpose2d).
    """
    layer = affine(site, op.activation)
    mode, column, k = _strip(op, site, rows_apart=spread > 0)
    parts = _integers(op, layer, mode, column, k)
    first = parts[0]
    if first is None or max(*site.inputs[0].shape, *site.output.shape, k) > LARGEST:
        return None
    if any(p is None or (p.rounding, p.top, p.shared) != (first.rounding, first.top, first.shared) for p in parts):
        return None
    width = site.output.shape[2] * (site.output.shape[1] if mode == "pixels" else 1)
    pitch = 2 * op.window.stride[1] * column if mode in COLUMNS else 2 * k
    channels = site.output.shape[3] // op.groups
    pixels = panels.best_pixels(first.shared, k // 2, channels, width, pitch)
    if pixels is None or pitch > LARGEST or width > LARGEST or max(op.window.pad) > 127:
        return None
    unroll, out_pixel = panels.unroll(k // 2, pixels), spread or site.output.shape[3]
    place = out_pixel if pixels * out_pixel <= panels.MAX_OFFSET else 0
    instance = Panel(pixels, pitch, k // 2, unroll, place, bool(channels % 2), first.rounding, first.top, first.shared)
    return ConvKernel(mode, column, k, instance, width)


def cycles(op: Conv2D, site: Site, kernel: ConvKernel) -> int:
    """Of a layer in columns mode, zero wait states."""
    rows, outputs = site.output.shape[1], site.output.shape[3]
    columns = (kernel.width - 1) * op.window.stride[1] + op.window.kernel[1]
    strips = rows * columns * (kernel.column * 2 + 20)
    return strips + panels.layer_cycles(kernel.panel, kernel.k // 2, outputs, kernel.width, rows)


def _strip(op: Conv2D, site: Site, *, rows_apart: bool) -> tuple[str, int, int]:
    """(mode, values per column or kx, values per receptive field)."""
    rows, width = op.window.kernel
    channels = site.inputs[1].shape[3]
    if rows_apart:
        column = rows * channels + rows * channels % 2
        return "columns", column, width * column
    if op.groups == 1 and op.window.dilation[1] == 1 and width > op.window.stride[1]:
        column = rows * channels + rows * channels % 2
        rgb = channels == 3 and rows == 3 and op.window.pad[1] < site.output.shape[2]
        return "rgb" if rgb else "columns" if channels > NARROW else "narrow", column, width * column
    mode = "pixels" if op.window.plain and op.groups == 1 else "patches"
    k = rows * width * channels
    return mode, rows * channels, k + k % 2


def _integers(op: Conv2D, layer: Affine, mode: str, column: int, k: int) -> list[Integers | None]:
    """Per group of the convolution, in the strip's order."""
    weights = layer.weights
    outputs, rows, width, channels = weights.shape
    places = np.zeros((rows, width, channels), np.int64)
    for kx in range(width):
        for ky in range(rows):
            if mode == "rgb":
                inside = [RGB.index((ky, c)) for c in range(3)]
            else:
                order = panels.run_order(channels)
                inside = [ky * channels + order.index(c) for c in range(channels)]
            places[ky, kx] = kx * column + np.array(inside)
    runs = np.zeros((outputs, k), np.int64)
    runs[:, places.reshape(-1)] = weights.reshape(outputs, -1)
    size = outputs // op.groups
    results = []
    for start in range(0, outputs, size):
        part = slice(start, start + size)
        output = replace(layer.output, multiplier=layer.output.multiplier[part], shift=layer.output.shift[part])
        results.append(panels.integers(Affine(weights[part], layer.bias[part], output), runs[part]))
    return results


def sections(op: Conv2D, site: Site, kernel: ConvKernel) -> list[Section]:
    """`output`, `fill`, and `stream`: every group's packed weights."""
    layer = affine(site, op.activation)
    parts = _integers(op, layer, kernel.mode, kernel.column, kernel.k)
    rounding, top = kernel.panel.rounding, kernel.panel.top
    stream = b"".join(panels.pack(replace(part, rounding=rounding, top=top)) for part in parts if part is not None)
    fill = int32_section("fill", [site.inputs[0].quant.zero_point])
    return [layer.sections()[0], fill, Section("stream", stream)]


def scratch_bytes(op: Conv2D, site: Site, kernel: ConvKernel) -> int:
    """The strip; `rgb` keeps a row of padding after it."""
    width = site.output.shape[2]
    columns = (width - 1) * op.window.stride[1] + op.window.kernel[1]
    if kernel.mode in ("columns", "narrow"):
        return 2 * columns * kernel.column
    if kernel.mode == "rgb":
        return 2 * columns * kernel.column + 3 * site.inputs[0].shape[2]
    return kernel.strip_groups * kernel.panel.pixels * kernel.panel.pixel_bytes


def overlap_lag(op: Conv2D, site: Site, kernel: ConvKernel) -> int:
    """Bytes that the output must begin before the input: see Op.overlap_lag."""
    _, height, width, channels = site.inputs[0].shape
    _, out_height, _, outputs = site.output.shape
    step = kernel.strip_groups * kernel.panel.pixels
    starts = [min(at, kernel.width - step) for at in range(0, kernel.width, step)]
    if kernel.mode == "pixels":
        return _lag([first * channels for first in starts], [(first + step) * outputs for first in starts])
    row, out_row = width * channels, site.output.shape[2] * outputs
    tops = [min(max(0, oh * op.window.stride[0] - op.window.pad[0]), height) * row for oh in range(out_height)]
    if kernel.mode in COLUMNS:
        return _lag(tops, [(oh + 1) * out_row for oh in range(out_height)])
    steps = [(tops[oh], oh * out_row + (first + step) * outputs) for oh in range(out_height) for first in starts]
    each = [event for event in steps for _ in range(op.groups)]  # a group is read after the one before was written
    return _lag([read for read, _ in each], [write for _, write in each])


def _lag(reads: list[int], writes: list[int]) -> int:
    """reads: first input byte of each step; writes: the output byte after each step's last."""
    later, worst = reads[-1], -reads[-1]
    for first, end in zip(reads[:0:-1], writes[-2::-1], strict=True):
        later = min(later, first)
        worst = max(worst, end - later)
    return worst


def call(op: Conv2D, site: Site, kernel: ConvKernel) -> Call:
    """The call with its instance and its shape, which stand before the layers."""
    name, text = _shape(op, site, kernel)
    preamble = (kernel.panel.preamble, text)
    return Call(f"conv2d_{kernel.mode}_s8", STREAMED, {"shape": f"&{name}"}, preamble)


def _shape(op: Conv2D, site: Site, kernel: ConvKernel) -> tuple[str, str]:
    """(name, C definition) of the conv2d_shape."""
    content = initializer(op, site, kernel)
    name = f"conv2d_shape_{zlib.crc32(content.encode()):08x}"
    return name, f"static const conv2d_shape {name} = {{{content}}};\n"


def initializer(op: Conv2D, site: Site, kernel: ConvKernel, spread: int = 0) -> str:
    """The fields of a conv2d_shape. spread: see `choose`."""
    _, height, width, channels = site.inputs[0].shape
    _, out_height, out_width, outputs = site.output.shape
    if kernel.mode == "pixels":
        height, width, out_height, out_width = 1, height * width, 1, out_height * out_width
    groups, out_pixel = op.groups, spread or outputs
    panel = kernel.panel.shape(kernel.k // 2, outputs // groups, out_pixel, kernel.strip_groups)
    facts: dict[str, object] = {
        "in_h": height,
        "in_w": width,
        "out_h": out_height,
        "out_w": out_width,
        "in_pixel": channels,
        "out_pixel": out_pixel,
        "channels": channels // groups,
        "column": kernel.column,
        "pixels": kernel.panel.pixels,
        "pixel_bytes": kernel.panel.pixel_bytes,
        **op.window.constants(),
        "groups": groups,
        "group_outputs": outputs // groups,
        "run": kernel.panel.name,
        "panel": panel,
    }
    return ", ".join(f".{key} = {value}" for key, value in facts.items())
