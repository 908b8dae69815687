"""Choose and pack for depthwise_plane.h: one channel's plane at a time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.kernels.panel import Integers, integers, words
from hilgate.compile.ops.affine import Affine
from hilgate.compile.ops.base import STREAMED, Call, Section, int32_section
from hilgate.compile.ops.depthwise_conv2d.lie import MAX_OFFSET, TAPS, lie

if TYPE_CHECKING:
    from hilgate.compile.graph import Site
    from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
    from hilgate.compile.options import Options

FOLDER = "ops/depthwise_conv2d/depthwise_plane"
SOURCES = (f"{FOLDER}.c", f"{FOLDER}.h", f"{FOLDER}_dsp.h", "kernels/bytes.h", "kernels/panel.h")
FEW_WORDS = 14  # DEPTHWISE_WORDS_FEW: of a channel in depthwise_plane_s8
GATHER_CYCLES, CHANNEL_CYCLES, WEIGHT_CYCLES = 3.6, 226, 6  # a value of a plane, a channel, one of its weights: fitted
BIAS_LIMIT = 1 << 26  # it shares a word with n
MOST_LEFT = 8  # weights are shifted left within int16


@dataclass(frozen=True)
class PlaneKernel:
    """outputs: at a time; rows, taps: of the kernel; pitch: bytes of a plane's row; band: rows of outputs per plane;
    rounding, top: see panel.h; out_pixel: 0 where it is an argument; turned: the planes' rows are the image's columns;
    general: runs in depthwise_general_s8; edge: outputs of the core that ends rows, 0 where it is the same.
    """

    outputs: int
    stride: int
    rows: int
    taps: int
    pitch: int
    band: int
    rounding: int
    top: int
    out_pixel: int = 0
    turned: bool = False
    general: bool = False
    edge: int = 0

    @property
    def edge_core(self) -> PlaneKernel:
        """The instance that ends rows."""
        return replace(self, outputs=self.edge or self.outputs, edge=0)

    @property
    def words(self) -> int:
        """Pairs of weights of a channel."""
        return self.rows * (self.taps - 1)

    @property
    def name(self) -> str:
        kernel = f"{self.rows}" if self.taps == TAPS else f"{self.rows}x{self.taps}"
        shape = f"{self.outputs}s{self.stride}k{kernel}p{self.pitch}o{self.out_pixel}"
        return f"depthwise_{shape}_r{self.rounding}n{self.top}"

    @property
    def preamble(self) -> str:
        """The C text that makes the instance."""
        facts = {
            "NAME": self.name,
            "OUTPUTS": self.outputs,
            "STRIDE": self.stride,
            "ROWS": self.rows,
            "TAPS": self.taps,
            "PITCH": self.pitch,
            "ROUNDING": self.rounding,
            "SHIFT": self.top,
            "OUT_PIXEL": self.out_pixel,
        }
        lines = [f"#define DEPTHWISE_{key} {value}" for key, value in facts.items()]
        return "\n".join([*lines, '#include "depthwise_plane_dsp.h" /* NOLINT */', ""])


def code_bytes(kernel: PlaneKernel) -> int:
    """About, of an instance."""
    pairs, words = kernel.taps // 2, kernel.outputs if kernel.stride == 2 else kernel.outputs // 2
    row = 4 * (kernel.outputs * (pairs + 1) + words + pairs + kernel.taps - 1)
    return 110 + kernel.rows * row + 14 * kernel.outputs


def choose(op: DepthwiseConv2D, site: Site, options: Options) -> PlaneKernel | None:
    """The kernel, or None where only the portable definition fits."""
    channels, sizes = site.output.shape[3], site.inputs[0].shape
    if max(op.window.pad) > 127 or max(*sizes, channels) > 8191 or channels > 255 * sizes[3]:
        return None
    found = _integers(op.affine(site))
    tried = []
    for turned in (False, True):
        planes = lie(op, site, turned)
        core, rows = planes.outputs(), planes.band(planes.pitch, options)
        if core is not None and (not turned or rows == planes.most[0]):  # turned bands would not follow the image
            tried.append((core, turned, planes, rows))
    if found is None or not tried:
        return None
    (_, outputs), turned, planes, rows = min(tried, key=lambda t: (t[0][0], t[1]))
    shape = (outputs, planes.stride[1], planes.kernel[0], planes.taps, planes.pitch, rows)
    kernel = PlaneKernel(*shape, found.rounding, found.top, turned=turned)
    plain = planes.taps == TAPS and kernel.words <= FEW_WORDS and op.window.dilation == (1, 1)
    return replace(kernel, general=not plain or sizes[3] != channels)


def cycles(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> float:
    """Of a layer, zero wait states."""
    planes, channels = lie(op, site, kernel.turned), site.output.shape[3]
    phases = planes.dilation[0] * planes.dilation[1]
    row = planes.most[1] // kernel.outputs * planes.step(kernel.outputs)
    if planes.most[1] % kernel.outputs:
        row += planes.step(kernel.edge or kernel.outputs)
    per_channel = CHANNEL_CYCLES + WEIGHT_CYCLES * kernel.rows * kernel.taps
    rows = channels * phases * planes.most[0]
    return rows * row + GATHER_CYCLES * site.inputs[0].elements + per_channel * channels * phases


def edge(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> tuple[int, int]:
    """(outputs of a smaller core that could end rows or 0, cycles that it saves)."""
    planes = lie(op, site, kernel.turned)
    found = planes.edge(kernel.outputs)
    saved = planes.step(kernel.outputs) - planes.step(found) if found else 0
    return found, saved * planes.out[0] * site.output.shape[3]


def band(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel, options: Options) -> int:
    """Rows of outputs whose input fits two planes of the kernel's pitch."""
    return lie(op, site, kernel.turned).band(kernel.pitch, options)


def _integers(layer: Affine) -> Integers | None:
    found = integers(layer, layer.weights.reshape(layer.channels, -1), most_left=MOST_LEFT)
    return found if found is not None and np.abs(found.bias).max() < BIAS_LIMIT else None


def whole(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> bool:
    """Whether one band takes the image, before any of it is written over."""
    return kernel.band == lie(op, site, kernel.turned).out[0] and op.window.dilation == (1, 1)


def out_pixel(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> int:
    """Bytes from one output of a plane's row to the next."""
    planes = lie(op, site, kernel.turned)
    return planes.out_bytes[1] * planes.dilation[1]


def fixed_gain(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> int:
    """Cycles that the layer saves where out_pixel is a constant; 0 where it cannot be one."""
    planes = lie(op, site, kernel.turned)
    rows, columns = planes.most[0] * planes.dilation[0], planes.out[1]
    possible = kernel.outputs * out_pixel(op, site, kernel) <= MAX_OFFSET
    return rows * site.output.shape[3] * -(-columns // kernel.outputs) * (kernel.outputs - 1) if possible else 0


def plane_rows(op: DepthwiseConv2D, kernel: PlaneKernel) -> int:
    """Rows of a plane."""
    return (kernel.band - 1) * op.window.stride[int(kernel.turned)] + kernel.rows


def scratch_bytes(op: DepthwiseConv2D, kernel: PlaneKernel) -> int:
    """Two planes; they are filled in steps of 16 bytes, and the last word of a row may be read beyond it."""
    channel = 4 * (4 + kernel.words) if kernel.general else 0
    return 2 * plane_rows(op, kernel) * kernel.pitch + 16 + channel


def overlap_lag(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> int:
    """Bytes that the output must begin before the input: a band is read until its last channel is written."""
    _, _, width, channels = site.inputs[0].shape
    _, out_height, out_width, outputs = site.output.shape
    if kernel.turned or op.window.dilation != (1, 1):
        return site.output.bytes
    firsts = range(0, out_height, kernel.band)
    tops = [max(0, first * op.window.stride[0] - op.window.pad[0]) for first in firsts]
    ends = [min(first + kernel.band, out_height) for first in firsts]
    return max(end * out_width * outputs - top * width * channels for top, end in zip(tops, ends, strict=True))


def sections(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> list[Section]:
    """`output`, `fill` and `stream`."""
    layer = op.affine(site)
    found = _integers(layer)
    if found is None:
        raise ValueError("this layer has no plane kernel")
    taps = found.weights.reshape(layer.channels, *op.window.kernel)
    taps = taps.transpose(0, 2, 1) if kernel.turned else taps
    taps = np.pad(taps, ((0, 0), (0, 0), (0, kernel.taps - taps.shape[2]))).astype(np.int8)
    records = words(np.stack([found.bias * 32 + found.shift, found.multiplier], axis=1))
    fill = int32_section("fill", [site.inputs[0].quant.zero_point])
    return [layer.sections()[0], fill, Section("stream", records + taps.tobytes())]


def call(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> Call:
    """The call with its instance and its shape, which stand before the layers."""
    name, text = _shape(op, site, kernel)
    function = "depthwise_general_s8" if kernel.general else "depthwise_plane_s8"
    instances = dict.fromkeys((kernel.preamble, kernel.edge_core.preamble))
    return Call(function, STREAMED, {"shape": f"&{name}"}, (*instances, text))


def _shape(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> tuple[str, str]:
    """(name, C definition) of the depthwise_shape."""
    planes = lie(op, site, kernel.turned)
    facts: dict[str, object] = {
        "in_row": planes.in_bytes[0],
        "in_pixel": planes.in_bytes[1],
        "out_row": planes.out_bytes[0],
        "out_pixel": planes.out_bytes[1],
        "in_h": planes.size[0],
        "in_w": planes.size[1],
        "out_h": planes.out[0],
        "out_w": planes.out[1],
        "channels": site.output.shape[3],
        "stride_h": planes.stride[0],
        "stride_w": planes.stride[1],
        "pad_top": planes.pad[0],
        "pad_left": planes.pad[1],
        "multiplier": site.output.shape[3] // site.inputs[0].shape[3],
        "dilation_h": planes.dilation[0],
        "dilation_w": planes.dilation[1],
        "rows": kernel.rows,
        "taps": kernel.taps,
        "outputs": kernel.outputs,
        "pitch": kernel.pitch,
        "band": kernel.band,
        "rounding": kernel.rounding,
        "top": kernel.top,
        "run": kernel.name,
        "edge_outputs": kernel.edge_core.outputs,
        "edge": kernel.edge_core.name,
    }
    content = ", ".join(f".{key} = {value}" for key, value in facts.items())
    name = f"depthwise_shape_{zlib.crc32(content.encode()):08x}"
    return name, f"static const depthwise_shape {name} = {{{content}}};\n"
