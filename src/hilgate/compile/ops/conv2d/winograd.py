"""Choose and pack for winograd.h: 3x3 convolutions of stride 1 by F(2x2, 3x3)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.kernels.panel import DOUBLE, POSITIVE, Integers, integers, run_order, words
from hilgate.compile.ops.affine import Affine, affine
from hilgate.compile.ops.base import STREAMED, Call, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.graph import Site
    from hilgate.compile.ops.conv2d.op import Conv2D

SOURCES = (
    "ops/conv2d/conv2d_winograd.c",
    "ops/conv2d/conv2d_winograd.h",
    "kernels/bytes.h",
    "kernels/panel.h",
    "kernels/strip.h",
    "kernels/winograd.h",
    "kernels/winograd_dsp.h",
)
MOST_CHANNELS = 68  # offsets of LDR and STR, and the range of the products
SCRATCH_BYTES = 16384  # allowed in any case; more where other layers need as much memory anyway
CODE_BYTES = 2400  # about, of the three steps of a channel count


@dataclass(frozen=True)
class WinogradKernel:
    """tile_rows: rows of tiles transformed together; rounding, top: see panel.h."""

    channels: int
    tile_rows: int
    tiles_w: int
    rounding: int
    top: int

    @property
    def groups(self) -> int:
        """Of four tiles."""
        return -(-self.tile_rows * self.tiles_w // 4)

    @property
    def row_name(self) -> str:
        return f"winograd_row_r{self.rounding}n{self.top}"

    @property
    def scratch_bytes(self) -> int:
        """V; then the band or U and M."""
        band = 2 * (2 * self.tile_rows + 2) * (2 * self.tiles_w + 2) * self.channels
        return 128 * self.groups * self.channels + max(band, 64 * self.channels + 512 * self.groups)

    @property
    def preamble(self) -> tuple[str, str]:
        """The steps for the channel count, and the requantization."""
        steps = f'#define WINOGRAD_C {self.channels}\n#include "winograd_dsp.h" /* NOLINT */\n'
        arguments = "m, first, tiles, scale, bias4, y, pixel, row, right, below"
        row = (
            f"HILGATE_SHARED void {self.row_name}(const hilgate_i32 *m, uint32_t first, uint32_t tiles,\n"
            "    const hilgate_i32 *scale, int32_t bias4, int8_t *y, uint32_t pixel, uint32_t row, uint32_t right,\n"
            f"    uint32_t below) {{\n    winograd_row({arguments}, {self.rounding}, {self.top});\n}}\n"
        )
        return steps, row


def sources() -> tuple[str, ...]:
    """The C files of this way."""
    return SOURCES


def scratch_bytes(op: Conv2D, site: Site, kernel: WinogradKernel) -> int:
    """Working memory."""
    return kernel.scratch_bytes


def choose(op: Conv2D, site: Site, panel_cycles: int, worth: int) -> WinogradKernel | None:
    """The kernel, or None where it does not fit or a panel of so many cycles is better; a byte of code is worth so many
    cycles.
    """
    _, height, width, outputs = site.output.shape
    channels = site.inputs[0].shape[3]
    plain = op.groups == 1 and op.window.kernel == (3, 3) and op.window.stride == op.window.dilation == (1, 1)
    if not plain or channels % 4 or channels > MOST_CHANNELS or max(op.window.pad) > 127 or max(height, width) < 4:
        return None
    found = _integers(affine(site, op.activation))
    if found is None:
        return None
    tiles_w, rows = -(-width // 2), -(-height // 2)
    limit = max(SCRATCH_BYTES, _peak_bytes(site) - _own_bytes(site))
    shapes = [WinogradKernel(channels, n, tiles_w, found.rounding, found.top) for n in range(1, rows + 1)]
    fitting = [kernel for kernel in shapes if kernel.scratch_bytes <= limit]
    if not fitting:
        return None
    best = min(fitting, key=lambda kernel: (cycles(kernel, rows, outputs), kernel.tile_rows))
    return best if cycles(best, rows, outputs) + worth * CODE_BYTES < panel_cycles else None


def cycles(kernel: WinogradKernel, rows: int, outputs: int) -> int:
    """Of a layer of so many rows of tiles, zero wait states, counted from winograd_dsp.h."""
    c, blocks, pairs = kernel.channels, -(-rows // kernel.tile_rows), (outputs + 1) // 2
    tiles = kernel.tile_rows * kernel.tiles_w
    products = kernel.groups * 16 * (8 * c + 17 + (14 if c > 32 else 0))
    band = 4 * (kernel.tile_rows + 1) * (kernel.tiles_w + 1) * c * 2
    return blocks * (band + tiles * (47 * c + 30) + pairs * (60 * c + products + 190 * tiles + 80))


def _peak_bytes(site: Site) -> int:
    """The most that one layer's inputs and outputs take."""
    return max(_own_bytes(other) for other in site.graph.sites())


def _own_bytes(site: Site) -> int:
    return sum(tensor.bytes for tensor in (*site.inputs, *site.outputs) if not tensor.constant)


def _integers(layer: Affine) -> Integers | None:
    order = run_order(layer.weights.shape[3])
    return integers(layer, layer.weights[..., order].reshape(layer.channels, -1))


def sections(op: Conv2D, site: Site, kernel: WinogradKernel) -> list[Section]:
    """`output`, `fill` and `stream`."""
    layer = affine(site, op.activation)
    found = _integers(layer)
    if found is None:
        raise site.refuse("has no Winograd kernel")
    fill = int32_section("fill", [site.inputs[0].quant.zero_point])
    found = replace(found, rounding=kernel.rounding, top=kernel.top)
    return [layer.sections()[0], fill, Section("stream", _stream(found))]


def _stream(layer: Integers) -> bytes:
    outputs = len(layer.weights)
    missing = outputs % 2
    taps = np.pad(layer.weights.reshape(outputs, 9, -1), ((0, missing), (0, 0), (0, 0)))
    bias = np.pad(layer.bias, (0, missing)) * 4
    scale = np.pad(_scale(layer), ((0, missing), (0, 0)))
    parts = []
    for c in range(0, outputs, 2):
        pair = taps[c : c + 2].reshape(2, 9, -1, 2)  # channel, tap, pair of k, k
        parts += [words(bias[c : c + 2]), pair.transpose(2, 1, 3, 0).astype(np.int8).tobytes()]
        parts.append(words(scale[c : c + 2]))
    return b"".join(parts)


def _scale(layer: Integers) -> np.ndarray:
    """Per channel multiplier, c and n as winograd.h wants them."""
    shift = layer.shift
    if layer.rounding == POSITIVE:
        left = layer.top - shift + 1
        rounding = (layer.zero_point << layer.top) + (1 << layer.top - 1) + (np.int64(1) << left - 2)
        return np.stack([layer.multiplier, rounding, left - 2], axis=1)
    if layer.rounding == DOUBLE:
        return np.stack([layer.multiplier, (2 * layer.zero_point + 1) * (np.int64(1) << shift) >> 1, shift], axis=1)
    return np.stack([layer.multiplier, np.full_like(shift, layer.zero_point), np.zeros_like(shift)], axis=1)


def overlap_lag(op: Conv2D, site: Site, kernel: WinogradKernel) -> int:
    """Bytes that the output must begin before the input: see Op.overlap_lag."""
    _, height, width, channels = site.inputs[0].shape
    _, out_height, out_width, outputs = site.output.shape
    step = 2 * kernel.tile_rows
    lags = [
        oh * out_width * outputs - min(max(0, oh - op.window.pad[0]), height) * width * channels
        for oh in range(step, out_height, step)
    ]
    return max(lags, default=-site.inputs[0].bytes)


def call(op: Conv2D, site: Site, kernel: WinogradKernel) -> Call:
    """The call with its steps and its shape, which stand before the layers."""
    name, text = _shape(op, site, kernel)
    return Call("conv2d_winograd_s8", STREAMED, {"shape": f"&{name}"}, (*kernel.preamble, text))


def _shape(op: Conv2D, site: Site, kernel: WinogradKernel) -> tuple[str, str]:
    """(name, C definition) of the winograd_shape."""
    facts: dict[str, object] = {
        "in_h": site.inputs[0].shape[1],
        "in_w": site.inputs[0].shape[2],
        "out_h": site.output.shape[1],
        "out_w": site.output.shape[2],
        "channels": kernel.channels,
        "outputs": site.output.shape[3],
        "pad_top": op.window.pad[0],
        "pad_left": op.window.pad[1],
        "tiles_w": kernel.tiles_w,
        "tile_rows": kernel.tile_rows,
        "groups": kernel.groups,
        "pair_bytes": 8 + 18 * kernel.channels + 24,
        "input": f"winograd_input_{kernel.channels}",
        "weights": f"winograd_weights_{kernel.channels}",
        "products": f"winograd_products_{kernel.channels}",
        "row": kernel.row_name,
    }
    content = ", ".join(f".{key} = {value}" for key, value in facts.items())
    name = f"winograd_shape_{zlib.crc32(content.encode()):08x}"
    return name, f"static const winograd_shape {name} = {{{content}}};\n"
