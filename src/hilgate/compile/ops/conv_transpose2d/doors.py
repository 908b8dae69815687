"""How a transposed convolution is read from ONNX and TFLite."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.graph import Quantization, Tensor
from hilgate.compile.ops.window import Window, onnx_window, same_padding

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


def from_onnx(node: OnnxNode) -> None:
    """ConvTranspose: weights (depth, channels, kernel...) become (channels, kernel H, kernel W, depth)."""
    from hilgate.compile.ops.conv_transpose2d.op import ConvTranspose2D

    node.constant(1)
    x = node.channels_last_2d(0)
    weights = _weights(node, node.input(1), int(node.attribute("group", 1)), x.shape[3])
    kernel = (weights.shape[1], weights.shape[2])
    node.attribute("kernel_shape")
    if node.attribute("output_shape") is not None:
        raise node.refuse("attribute output_shape is not supported", "use pads and output_padding")
    window = onnx_window(node, kernel, (x.shape[1], x.shape[2]))
    auto = node.attribute("auto_pad", "NOTSET")
    if auto.startswith("SAME"):  # here it means an output of input times stride
        totals = [max(0, window.reach(i) - window.stride[i]) for i in (0, 1)]
        first = [total // 2 if auto == "SAME_UPPER" else total - total // 2 for total in totals]
        pad = (first[0], first[1], totals[0] - first[0], totals[1] - first[1])
        window = replace(window, pad=pad)
    extra = [int(v) for v in node.attribute("output_padding", [0, 0])]
    extra = [0] * (2 - len(extra)) + extra
    pad, sizes = window.pad, []
    for i in (0, 1):
        full = (x.shape[1 + i] - 1) * window.stride[i] + window.reach(i)
        sizes.append(full - pad[i] - pad[i + 2] + extra[i])
    bias = []
    if node.has(2):
        node.constant(2)
        bias = [node.input(2)]
    node.emit_channels_last(ConvTranspose2D(window, (sizes[0], sizes[1])), [x, weights, *bias])


def _weights(node: OnnxNode, weights: Tensor, groups: int, depth: int) -> Tensor:
    """Channels last; those of groups become dense, with zeros where a channel does not read."""
    if len(weights.shape) not in (3, 4):
        raise node.refuse(f"weights of shape {weights.shape} are not supported", "supported: 1-D and 2-D")
    data = weights.values if len(weights.shape) == 4 else weights.values[:, :, None, :]
    quant = weights.quantization
    if quant is not None and quant.axis not in (None, 1):
        raise node.refuse(f"weights are quantized along axis {quant.axis}", "quantize per output channel")
    if quant is not None and quant.axis == 1:
        quant = Quantization(quant.scale, quant.zero_point, 0)
    data = np.ascontiguousarray(data.transpose(1, 2, 3, 0))
    if groups < 1 or depth % groups or data.shape[3] != depth:
        raise node.refuse(f"weights of shape {weights.shape} in {groups} groups do not fit {depth} channels")
    if groups > 1:
        dense = np.zeros((groups, *data.shape), data.dtype)
        for group, part in enumerate(np.split(data, groups, axis=3)):
            dense[group, ..., group * part.shape[3] : (group + 1) * part.shape[3]] = part
        data = dense.reshape(-1, *data.shape[1:])
        if quant is not None and quant.axis is not None:
            quant = Quantization(quant.scale * groups, quant.zero_point, 0)
    name = node.graph.fresh(f"{weights.name}.channels_last")
    return node.graph.add(Tensor(name, data.shape, weights.dtype, quant, data))


def from_tflite(node: TfliteNode) -> None:
    """TRANSPOSE_CONV: inputs are the output's shape, the weights as they are, x, maybe a bias."""
    from hilgate.compile.ops.conv_transpose2d.op import ConvTranspose2D

    options = node.options("TransposeConvOptions")
    size, weights, x = node.numbers(0), node.constant(1), node.input(2)
    stride, kernel = (int(options.StrideH()), int(options.StrideW())), (weights.shape[1], weights.shape[2])
    if len(size) != 4 or min(stride) <= 0:
        raise node.refuse(f"output shape {size} and stride {stride} are not supported")
    pad = (0, 0, 0, 0)
    if options.Padding() == 0:  # SAME, of the convolution that this one transposes
        sides = [same_padding(size[1 + i], kernel[i], stride[i], 1) for i in (0, 1)]
        pad = (sides[0][0], sides[1][0], sides[0][1], sides[1][1])
    activation = node.activation(options.FusedActivationFunction())
    op = ConvTranspose2D(Window(kernel, stride, pad=pad), (size[1], size[2]), activation)
    node.emit(op, [x, weights, *node.bias(3)])
