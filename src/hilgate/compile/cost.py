"""Predicted Cortex-M4 cycles of a layer at zero wait states: for the table, not for a verdict.

The fast kernels' own formulas, and for the rest cycles per output, window position or MAC, fitted on the cases of
cases.toml run on the bare virtual Cortex-M4 (tests/compile/test_explain.py compares). A verdict comes from the
virtual board.
"""

from __future__ import annotations

import math

from hilgate.compile.graph import Site
from hilgate.compile.kernels import panel
from hilgate.compile.ops.avg_pool2d.op import AvgPool2D
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d import winograd
from hilgate.compile.ops.conv2d.kernel import COLUMNS
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.conv2d.winograd import WinogradKernel
from hilgate.compile.ops.conv_transpose2d import phases
from hilgate.compile.ops.conv_transpose2d.op import ConvTranspose2D
from hilgate.compile.ops.depthwise_conv2d import plane
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected import wide
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.max_pool2d.op import MaxPool2D
from hilgate.compile.ops.resize.op import Resize
from hilgate.compile.ops.slice.op import Slice

CALL = 40  # entering a layer: fitted
PER_OUTPUT = {  # fitted
    "add_linear_s8": 9.2,
    "add_table_s8": 9.3,
    "add_constant_s8": 13.5,
    "add_double_s8": 105,
    "dequantize_s8_f32": 13,
    "lookup_s8": 5.3,
    "mul_s8": 11.5,
    "pad_s8": 2,
    "quantize_f32_s8": 49,
    "requantize_s8": 17,
    "softmax_s8": 115,
    "softmax_float_s8": 52,
    "transpose_s8": 4.6,
}
PER_CALL = {"add_table_s8": 11_600}  # filling its table: fitted
PER_RUN, PER_BYTE, PER_LONE_BYTE = 22, 0.75, 10  # of bytes that lie side by side and are copied: fitted
PER_MAC = {"conv2d_s8": 13, "depthwise_conv2d_s8": 30, "conv_transpose2d_s8": 35}  # portable definitions: fitted
POOL = {4: (2, 5.5), 1: (11, 9)}  # of so many channels of a window, and of each of its positions: fitted
PER_WINDOW, PER_MEAN = 20, 18  # a pool's window, and the scaling of one sum: fitted
PER_CLASS = 11.5  # argmax: fitted
STRIP = {"columns": 4.2, "narrow": 4.5, "rgb": 2.6, "pixels": 2.6, "patches": 8.4}  # a widened value: fitted


def predicted_cycles(site: Site) -> int:
    """Cycles of one layer whose kernel is chosen."""
    call = site.node.op.call(site)
    function = call.function if call else ""
    return CALL + round(_with_weights(site) or _by_outputs(site, function))


def _with_weights(site: Site) -> float:
    """Layers with weights on their fast kernels; 0 for others."""
    op = site.node.op
    if isinstance(op, Conv2D):
        return _convolution(site, op)
    if isinstance(op, DepthwiseConv2D) and op.kernel:
        return plane.cycles(op, site, op.kernel)
    if isinstance(op, ConvTranspose2D) and op.phases:
        return phases.cycles(op.phases)
    if isinstance(op, FullyConnected):
        outputs, inputs = site.inputs[1].shape
        rows = site.output.elements // outputs
        if op.kernel:
            return wide.cycles(op.kernel, inputs, outputs, rows)
        return rows * outputs * (2.3 * inputs + 110)
    return 0.0


def _convolution(site: Site, op: Conv2D) -> float:
    _, height, width, channels = site.output.shape
    kernel = op.kernel
    if isinstance(kernel, WinogradKernel):
        return winograd.cycles(kernel, math.ceil(height / 2), channels)
    if kernel is None:
        return 0.0
    rows = 1 if kernel.mode == "pixels" else height
    macs = op.groups * panel.layer_cycles(kernel.panel, kernel.k // 2, channels // op.groups, kernel.width, rows)
    if kernel.mode in COLUMNS:
        values = rows * ((width - 1) * op.window.stride[1] + op.window.kernel[1]) * kernel.column
    else:
        values = rows * kernel.width * kernel.k * op.groups
    return macs + STRIP[kernel.mode] * values


def _run_bytes(site: Site) -> int:
    """How many bytes one copy takes, at least; 0 for operators that copy none."""
    op = site.node.op
    if isinstance(op, Concat):
        return min(math.prod(tensor.shape[op.axis :]) for tensor in site.inputs)
    if isinstance(op, Resize):
        return site.output.shape[-1]
    if isinstance(op, Slice):
        return op.size[-1] if op.step[-1] == 1 else 1
    return 0


def _pool(site: Site, op: AvgPool2D | MaxPool2D) -> float:
    _, height, width, channels = site.output.shape
    at_once = 4 if channels >= 4 else 1
    start, tap = POOL[at_once]
    each = start + tap * op.window.kernel[0] * op.window.kernel[1]
    mean = PER_MEAN * channels if isinstance(op, AvgPool2D) else 0
    return height * width * (PER_WINDOW + -(-channels // at_once) * each + mean)


def _by_outputs(site: Site, function: str) -> float:
    op = site.node.op
    if isinstance(op, AvgPool2D | MaxPool2D):
        return _pool(site, op)
    run = _run_bytes(site)
    if run > 0:
        return site.output.elements * min(PER_BYTE + PER_RUN / run, PER_LONE_BYTE)
    if function == "argmax_s8":
        return PER_CLASS * site.inputs[0].elements
    if function in PER_MAC:
        return PER_MAC[function] * op.macs(site)
    return PER_CALL.get(function, 0) + PER_OUTPUT.get(function, 10) * site.output.elements
