"""Sliding windows over NHWC: kernel, stride, dilation and padding, shared by convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hilgate.compile.graph import Shape

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """Heights first. pad: rows above, columns left, rows below, columns right."""

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def padded(self) -> bool:
        return any(self.pad)

    @property
    def plain(self) -> bool:
        """One pixel in, one pixel out: a 1x1 convolution without stride or padding."""
        return self.kernel == (1, 1) and self.stride == (1, 1) and not self.padded

    def reach(self, axis: int) -> int:
        """Input pixels that one window spans along an axis."""
        return (self.kernel[axis] - 1) * self.dilation[axis] + 1

    def output(self, height: int, width: int) -> Pair:
        """Output height and width. Raises ValueError when no window fits."""
        sizes = []
        for axis, size in enumerate((height, width)):
            room = size + self.pad[axis] + self.pad[axis + 2] - self.reach(axis)
            if room < 0:
                raise ValueError(f"a window of {self.reach(axis)} does not fit {size} with padding {self.pad}")
            sizes.append(room // self.stride[axis] + 1)
        return sizes[0], sizes[1]

    def constants(self) -> dict[str, int]:
        """The compile-time constants of a C call."""
        names = ("kernel", "stride", "dilation")
        pairs = zip(names, (self.kernel, self.stride, self.dilation), strict=True)
        result = {f"{name}_{axis}": value[i] for name, value in pairs for i, axis in enumerate("hw")}
        return result | {"pad_top": self.pad[0], "pad_left": self.pad[1]}

    def patches(self, x: np.ndarray, fill: int) -> np.ndarray:
        """(N, H, W, C) to (N, output H, output W, kernel H, kernel W, C), a view where nothing is padded."""
        top, left, bottom, right = self.pad
        height, width = self.output(x.shape[1], x.shape[2])
        if self.padded:
            x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
        view = np.lib.stride_tricks.sliding_window_view(x, (self.reach(0), self.reach(1)), axis=(1, 2))
        view = view[:, :: self.stride[0], :: self.stride[1], :, :: self.dilation[0], :: self.dilation[1]]
        return view[:, :height, :width].transpose(0, 1, 2, 4, 5, 3)


def one_image(shape: Shape) -> None:
    """Kernels over height and width run one image. Raises ValueError."""
    if len(shape) != 4:
        raise ValueError(f"an input of shape {shape} is no image (1, H, W, C)")
    if shape[0] != 1:
        raise ValueError(f"a batch of {shape[0]} is not supported: export with batch 1")


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> Pair:
    """TFLite's SAME: output ceil(size / stride), the odd pixel of padding after."""
    reach = (kernel - 1) * dilation + 1
    total = max(0, (-(-size // stride) - 1) * stride + reach - size)
    return total // 2, total - total // 2


def onnx_window(node: OnnxNode, kernel: Pair, size: Pair) -> Window:
    """The attributes strides, dilations, pads and auto_pad of Conv and the pools, 1-D or 2-D."""
    rank = len(node.attribute("kernel_shape", [])) or 2
    stride = _pair(node.attribute("strides", [1] * rank))
    dilation = _pair(node.attribute("dilations", [1] * rank))
    pads = node.attribute("pads", [0] * 2 * rank)
    auto = node.attribute("auto_pad", "NOTSET")
    if any(v <= 0 for v in (*stride, *dilation)) or any(p < 0 for p in pads) or len(pads) not in (2, 4):
        raise node.refuse(f"strides {stride}, dilations {dilation}, pads {pads} are not supported")
    pad = (0, pads[0], 0, pads[1]) if len(pads) == 2 else (pads[0], pads[1], pads[2], pads[3])
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        sides = [same_padding(size[i], kernel[i], stride[i], dilation[i]) for i in (0, 1)]
        if auto == "SAME_LOWER":
            sides = [(after, before) for before, after in sides]
        pad = (sides[0][0], sides[1][0], sides[0][1], sides[1][1])
    elif auto not in ("NOTSET", "VALID"):
        raise node.refuse(f"attribute auto_pad={auto} is not supported", "use explicit pads")
    return Window(kernel, stride, dilation, pad)


def _pair(values: Any) -> Pair:
    """(h, w) of a list of one (1-D: a row) or two."""
    if len(values) == 1:
        return 1, int(values[0])
    height, width = values
    return int(height), int(width)
