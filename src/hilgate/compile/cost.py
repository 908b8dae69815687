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
from hilgate.compile.ops.conv2d import winograd
from hilgate.compile.ops.conv2d.kernel import ConvKernel
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.conv2d.winograd import WinogradKernel
from hilgate.compile.ops.depthwise_conv2d import plane
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected import wide
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.max_pool2d.op import MaxPool2D

CALL = 40  # entering a layer: fitted
PER_OUTPUT = {  # fitted
    "add_linear_s8": 9.2,
    "add_table_s8": 9.3,
    "add_constant_s8": 13.5,
    "add_double_s8": 105,
    "concat_s8": 7,
    "dequantize_s8_f32": 13,
    "lookup_s8": 11,
    "mul_s8": 30,
    "pad_s8": 4,
    "quantize_f32_s8": 49,
    "requantize_s8": 17,
    "resize_s8": 9.5,
    "slice_s8": 8,
    "softmax_s8": 115,
    "softmax_float_s8": 52,
    "transpose_s8": 9,
}
PER_CALL = {"add_table_s8": 11_600}  # filling its table: fitted
PER_MAC = {"conv2d_s8": 13, "depthwise_conv2d_s8": 30, "conv_transpose2d_s8": 35}  # portable definitions: fitted
PER_TAP = 8.3  # a window position of a pool: fitted
PER_CLASS = 11.5  # argmax: fitted
STRIP = {"columns": 4.2, "rgb": 2.6, "pixels": 2.6, "patches": 8.4}  # a value widened into a strip: fitted
PLANE, CHANNEL = 3.6, 280  # a value widened into a plane, and a channel's own cost: fitted


def predicted_cycles(site: Site) -> int:
    """Cycles of one layer whose kernel is chosen."""
    call = site.node.op.call(site)
    function = call.function if call else ""
    return CALL + round(_with_weights(site) or _by_outputs(site, function))


def _with_weights(site: Site) -> float:
    """Layers with weights on their fast kernels; 0 for others."""
    op = site.node.op
    if isinstance(op, Conv2D) and isinstance(op.kernel, WinogradKernel):
        return winograd.cycles(op.kernel, math.ceil(site.output.shape[1] / 2), site.output.shape[3])
    if isinstance(op, Conv2D) and isinstance(op.kernel, ConvKernel):
        return _convolution(site, op, op.kernel)
    if isinstance(op, DepthwiseConv2D) and op.kernel:
        _, height, width, channels = site.output.shape
        calls = channels * height * math.ceil(width / op.kernel.outputs)
        return (
            calls * plane.STEP_CYCLES[op.kernel.outputs] * op.window.kernel[0] / 3
            + PLANE * site.inputs[0].elements
            + CHANNEL * channels
        )
    if isinstance(op, FullyConnected):
        outputs, inputs = site.inputs[1].shape
        rows = site.output.elements // outputs
        if op.kernel:
            return wide.cycles(op.kernel, inputs, outputs, rows)
        return rows * outputs * (2.3 * inputs + 110)
    return 0.0


def _convolution(site: Site, op: Conv2D, kernel: ConvKernel) -> float:
    _, height, width, channels = site.output.shape
    rows = 1 if kernel.mode == "pixels" else height
    macs = op.groups * panel.layer_cycles(kernel.panel, kernel.k // 2, channels // op.groups, kernel.width, rows)
    if kernel.mode in ("columns", "rgb"):
        values = rows * ((width - 1) * op.window.stride[1] + op.window.kernel[1]) * kernel.column
    else:
        values = rows * kernel.width * kernel.k * op.groups
    return macs + STRIP[kernel.mode] * values


def _by_outputs(site: Site, function: str) -> float:
    op = site.node.op
    if isinstance(op, AvgPool2D | MaxPool2D):
        return site.output.elements * (30 + PER_TAP * op.window.kernel[0] * op.window.kernel[1])
    if function == "argmax_s8":
        return PER_CLASS * site.inputs[0].elements
    if function in PER_MAC:
        return PER_MAC[function] * op.macs(site)
    return PER_CALL.get(function, 0) + PER_OUTPUT.get(function, 10) * site.output.elements
