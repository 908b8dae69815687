"""How a depthwise layer's planes lie in working memory, and which core of depthwise_plane_dsp.h fits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hilgate.compile.graph import Site
    from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
    from hilgate.compile.options import Options

OUTPUTS = (6, 4, 2)  # at a time
TAPS = 3  # the narrowest kernel that a core multiplies; others are filled up with zeros to an odd width
TAPS_MAX = 15  # DEPTHWISE_TAPS_MAX
MOST_WORDS = 96  # of a channel at all: kernels up to 9x9; the core is unrolled
ROW_CYCLES = 20  # from one row of outputs to the next
PLANES_BYTES = {"speed": 5376, "size": 5376, "ram": 2048}
MAX_OFFSET = 4095  # of an LDR


def step_cycles(outputs: int, rows: int, taps: int, stride: int) -> int:
    """Of so many outputs, zero wait states, counted from depthwise_plane_dsp.h."""
    pairs = taps // 2
    products = outputs * (pairs + 1)
    words = outputs // 2 if stride == 1 else outputs
    loads = words + 2 + 3 + (1 if stride == 2 and outputs == 6 else 0)
    if taps > TAPS:
        loads = words + 2 + (pairs - 1) * (4 if stride == 1 else 3) + 3
    return rows * (products + loads) + 6 * outputs + 2


@dataclass(frozen=True)
class Lie:
    """How planes lie, of one phase where the kernel is dilated: pairs of (rows, columns) of a plane.

    in_bytes, out_bytes: from one row, one pixel of the whole image to the next.
    """

    size: tuple[int, int]
    out: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    in_bytes: tuple[int, int]
    out_bytes: tuple[int, int]

    @property
    def taps(self) -> int:
        """Kernel width that the core multiplies."""
        return max(TAPS, self.kernel[1] // 2 * 2 + 1)

    @property
    def most(self) -> tuple[int, int]:
        """Outputs of the largest phase."""
        return self._of_phase(self.out, 0), self._of_phase(self.out, 1)

    def _of_phase(self, pair: tuple[int, int], axis: int) -> int:
        return -(-pair[axis] // self.dilation[axis])

    @property
    def pitch(self) -> int:
        inside = self._of_phase(self.size, 1) + self._of_phase(self.pad, 1)
        columns = max(inside, (self.most[1] - 1) * self.stride[1] + self.taps)
        return (columns * 2 + 3) // 4 * 4

    def band(self, pitch: int, options: Options) -> int:
        """Rows of outputs whose input fits two planes."""
        rows = PLANES_BYTES[options.optimize] // (2 * pitch)
        return min(self.most[0], max(1, (rows - self.kernel[0]) // self.stride[0] + 1))

    def outputs(self) -> tuple[int, int] | None:
        """(cycles of a channel, outputs at a time), or None where no core fits."""
        fewest = self.out[1] // self.dilation[1]  # of the smallest phase
        wide = self.stride[1] == 2 and self.taps > TAPS
        possible = [n for n in OUTPUTS if n <= fewest and not (wide and n == OUTPUTS[0])]
        fits = self.taps <= TAPS_MAX and self.kernel[0] * (self.taps - 1) <= MOST_WORDS and self.stride[1] <= 2
        plain = self.dilation == (1, 1) or (
            self.stride == (1, 1)
            and all(d <= min(i, o) for d, i, o in zip(self.dilation, self.size, self.out, strict=True))
        )
        last = 4 * (OUTPUTS[0] + self.taps // 2)  # bytes from a row's start to the last word that is read
        if not possible or not fits or not plain or (self.kernel[0] - 1) * self.pitch + last > MAX_OFFSET:
            return None
        return min((self._cycles(n), n) for n in possible)

    def _cycles(self, outputs: int) -> int:
        rows, row = self.most[0], self.most[1] // outputs * self.step(outputs)
        edge = self.edge(outputs) or (outputs if self.most[1] % outputs else 0)
        return self.dilation[0] * self.dilation[1] * rows * (row + (self.step(edge) if edge else 0) + ROW_CYCLES)

    def step(self, outputs: int) -> int:
        """Cycles of so many outputs."""
        return step_cycles(outputs, self.kernel[0], self.taps, self.stride[1])

    def edge(self, outputs: int) -> int:
        """Outputs of the smallest core that takes what whole steps leave of a row; 0 where none is smaller."""
        rest = self.out[1] % outputs
        smaller = [n for n in OUTPUTS if rest <= n < outputs]
        return min(smaller) if rest and smaller and self.dilation == (1, 1) else 0


def lie(op: DepthwiseConv2D, site: Site, turned: bool) -> Lie:
    """The planes of a layer, upright or turned."""
    _, height, width, channels = site.inputs[0].shape
    _, out_height, out_width, outputs = site.output.shape
    pairs = (
        (height, width),
        (out_height, out_width),
        op.window.kernel,
        op.window.stride,
        op.window.dilation,
        (op.window.pad[0], op.window.pad[1]),
        (width * channels, channels),
        (out_width * outputs, outputs),
    )
    return Lie(*((b, a) if turned else (a, b) for a, b in pairs))
