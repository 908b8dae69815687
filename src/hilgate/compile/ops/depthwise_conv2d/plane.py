"""Choose and pack for depthwise_plane.h: one channel's plane at a time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.kernels.panel import Integers, integers, words
from hilgate.compile.ops.affine import Affine
from hilgate.compile.ops.base import Call, Pointer, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.graph import Site
    from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
    from hilgate.compile.options import Options

FOLDER = "ops/depthwise_conv2d/depthwise_plane"
SOURCES = (f"{FOLDER}.c", f"{FOLDER}.h", f"{FOLDER}_dsp.h", "kernels/panel.h")
STEP_CYCLES = {6: 95, 4: 67, 2: 40}  # per call of so many outputs, 3x3
CODE_BYTES = {6: 410, 4: 330, 2: 240}  # about, of an instance
TAPS = 3  # kernel width that a core multiplies; narrower kernels are filled up with zeros
ROWS_MAX = 7  # DEPTHWISE_ROWS_MAX
ROW_CYCLES = 20  # from one row of outputs to the next
PLANES_BYTES = {"speed": 5376, "size": 5376, "ram": 2048}
MAX_OFFSET = 4095  # of an LDR
BIAS_LIMIT = 1 << 23  # it shares a word with n
MOST_LEFT = 8  # weights are shifted left within int16


@dataclass(frozen=True)
class PlaneKernel:
    """outputs: at a time; pitch: bytes of a plane's row; band: rows of outputs per plane; rounding, top: see panel.h;
    out_pixel: 0 where it is an argument; turned: the planes' rows are the image's columns.
    """

    outputs: int
    stride: int
    rows: int
    pitch: int
    band: int
    rounding: int
    top: int
    out_pixel: int = 0
    turned: bool = False

    @property
    def name(self) -> str:
        shape = f"{self.outputs}s{self.stride}k{self.rows}p{self.pitch}o{self.out_pixel}"
        return f"depthwise_{shape}_r{self.rounding}n{self.top}"

    @property
    def preamble(self) -> str:
        """The C text that makes the instance."""
        facts = {
            "NAME": self.name,
            "OUTPUTS": self.outputs,
            "STRIDE": self.stride,
            "ROWS": self.rows,
            "PITCH": self.pitch,
            "ROUNDING": self.rounding,
            "SHIFT": self.top,
            "OUT_PIXEL": self.out_pixel,
        }
        lines = [f"#define DEPTHWISE_{key} {value}" for key, value in facts.items()]
        return "\n".join([*lines, '#include "depthwise_plane_dsp.h" /* NOLINT */', ""])


@dataclass(frozen=True)
class Lie:
    """How planes lie: pairs of (rows, columns) of a plane. in_bytes, out_bytes: from one row, one pixel to the next."""

    size: tuple[int, int]
    out: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    in_bytes: tuple[int, int]
    out_bytes: tuple[int, int]

    @property
    def pitch(self) -> int:
        columns = max(self.size[1] + self.pad[1], (self.out[1] - 1) * self.stride[1] + TAPS)
        return (columns * 2 + 3) // 4 * 4

    def band(self, pitch: int, options: Options) -> int:
        """Rows of outputs whose input fits two planes."""
        rows = PLANES_BYTES[options.optimize] // (2 * pitch)
        return min(self.out[0], max(1, (rows - self.kernel[0]) // self.stride[0] + 1))

    def outputs(self) -> tuple[int, int] | None:
        """(cycles of a channel, outputs at a time), or None where no core fits."""
        possible = [n for n in STEP_CYCLES if n <= self.out[1]]
        fits = self.kernel[1] <= TAPS and self.kernel[0] <= ROWS_MAX and self.stride[1] <= 2
        if not possible or not fits or (self.kernel[0] - 1) * self.pitch + 28 > MAX_OFFSET:
            return None
        return min((self.out[0] * (-(-self.out[1] // n) * STEP_CYCLES[n] + ROW_CYCLES), n) for n in possible)


def lie(op: DepthwiseConv2D, site: Site, turned: bool) -> Lie:
    """The planes of a layer, upright or turned."""
    _, height, width, channels = site.inputs[0].shape
    _, out_height, out_width, _ = site.output.shape
    pairs = (
        (height, width),
        (out_height, out_width),
        op.window.kernel,
        op.window.stride,
        (op.window.pad[0], op.window.pad[1]),
        (width * channels, channels),
        (out_width * channels, channels),
    )
    return Lie(*((b, a) if turned else (a, b) for a, b in pairs))


def choose(op: DepthwiseConv2D, site: Site, options: Options) -> PlaneKernel | None:
    """The kernel, or None where only the portable definition fits."""
    channels, sizes = site.output.shape[3], site.inputs[0].shape
    if sizes[3] != channels or op.window.dilation != (1, 1) or max(op.window.pad) > 127 or max(sizes) > 8191:
        return None
    found = _integers(op.affine(site))
    tried = []
    for turned in (False, True):
        planes = lie(op, site, turned)
        core, rows = planes.outputs(), planes.band(planes.pitch, options)
        if core is not None and (not turned or rows == planes.out[0]):  # turned bands would not follow the image
            tried.append((core, turned, planes, rows))
    if found is None or not tried:
        return None
    (_, outputs), turned, planes, rows = min(tried, key=lambda t: (t[0][0], t[1]))
    shape = (outputs, planes.stride[1], planes.kernel[0], planes.pitch, rows)
    return PlaneKernel(*shape, found.rounding, found.top, turned=turned)


def band(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel, options: Options) -> int:
    """Rows of outputs whose input fits two planes of the kernel's pitch."""
    return lie(op, site, kernel.turned).band(kernel.pitch, options)


def _integers(layer: Affine) -> Integers | None:
    found = integers(layer, layer.weights.reshape(layer.channels, -1), most_left=MOST_LEFT)
    return found if found is not None and np.abs(found.bias).max() < BIAS_LIMIT else None


def whole(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> bool:
    """Whether one band takes the image."""
    return kernel.band == lie(op, site, kernel.turned).out[0]


def out_pixel(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> int:
    """Bytes from one output of a plane's row to the next."""
    return lie(op, site, kernel.turned).out_bytes[1]


def fixed_gain(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> int:
    """Cycles that the layer saves where out_pixel is a constant; 0 where it cannot be one."""
    rows, columns = lie(op, site, kernel.turned).out
    possible = kernel.outputs * out_pixel(op, site, kernel) <= MAX_OFFSET
    return rows * site.output.shape[3] * -(-columns // kernel.outputs) * (kernel.outputs - 1) if possible else 0


def plane_rows(op: DepthwiseConv2D, kernel: PlaneKernel) -> int:
    """Rows of a plane."""
    return (kernel.band - 1) * op.window.stride[int(kernel.turned)] + kernel.rows


def scratch_bytes(op: DepthwiseConv2D, kernel: PlaneKernel) -> int:
    """Two planes; they are filled in steps of 16 bytes, and the last word of a row may be read beyond it."""
    return 2 * plane_rows(op, kernel) * kernel.pitch + 16


def overlap_lag(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> int:
    """Bytes that the output must begin before the input: a band is read until its last channel is written."""
    _, _, width, channels = site.inputs[0].shape
    _, out_height, out_width, _ = site.output.shape
    if kernel.turned:
        return site.output.bytes
    firsts = range(0, out_height, kernel.band)
    tops = [max(0, first * op.window.stride[0] - op.window.pad[0]) for first in firsts]
    ends = [min(first + kernel.band, out_height) for first in firsts]
    return max(end * out_width * channels - top * width * channels for top, end in zip(tops, ends, strict=True))


def sections(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> list[Section]:
    """`output`, `fill` and `stream`."""
    layer = op.affine(site)
    found = _integers(layer)
    if found is None:
        raise ValueError("this layer has no plane kernel")
    taps = found.weights.reshape(layer.channels, *op.window.kernel)
    taps = taps.transpose(0, 2, 1) if kernel.turned else taps
    taps = np.pad(taps, ((0, 0), (0, 0), (0, TAPS - taps.shape[2]))).astype(np.int8)
    records = words(np.stack([found.bias * 256 + found.shift, found.multiplier], axis=1))
    fill = int32_section("fill", [site.inputs[0].quant.zero_point])
    return [layer.sections()[0], fill, Section("stream", records + taps.tobytes())]


def call(op: DepthwiseConv2D, site: Site, kernel: PlaneKernel) -> Call:
    """The call with its instance and its shape, which stand before the layers."""
    name, text = _shape(op, site, kernel)
    pointers = (
        Pointer("input", 0, "int8_t"),
        Pointer("section", "stream", "uint8_t"),
        Pointer("section", "output", "hilgate_output"),
        Pointer("section", "fill", "hilgate_i32"),
        Pointer("output", 0, "int8_t"),
        Pointer("scratch", 0, "int16_t"),
    )
    return Call("depthwise_plane_s8", pointers, {"shape": f"&{name}"}, (kernel.preamble, text))


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
        "rows": kernel.rows,
        "outputs": kernel.outputs,
        "pitch": kernel.pitch,
        "plane_rows": plane_rows(op, kernel),
        "band": kernel.band,
        "rounding": kernel.rounding,
        "top": kernel.top,
        "run": kernel.name,
    }
    content = ", ".join(f".{key} = {value}" for key, value in facts.items())
    name = f"depthwise_shape_{zlib.crc32(content.encode()):08x}"
    return name, f"static const depthwise_shape {name} = {{{content}}};\n"
