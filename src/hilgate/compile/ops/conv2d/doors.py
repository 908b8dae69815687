"""How a convolution is read from ONNX and TFLite; depthwise ones become depthwise_conv2d."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.graph import Quantization, Tensor
from hilgate.compile.ops.window import Window, onnx_window

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode


def from_onnx(node: OnnxNode) -> None:
    """Conv, 1-D or 2-D: weights (channels, depth, kernel...) become (channels, kernel H, kernel W, depth)."""
    from hilgate.compile.ops.conv2d.op import Conv2D
    from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D

    node.constant(1)
    x, weights = node.channels_last_2d(0), _channels_last(node, node.input(1))
    kernel = (weights.shape[1], weights.shape[2])
    declared = node.attribute("kernel_shape", [*kernel[2 - (len(node.input(1).shape) - 2) :]])
    if tuple(declared) != kernel[2 - len(declared) :]:
        raise node.refuse(f"attribute kernel_shape={declared} does not fit weights {node.input(1).shape}")
    window = onnx_window(node, kernel, (x.shape[1], x.shape[2]))
    groups = int(node.attribute("group", 1))
    bias = []
    if node.has(2):
        node.constant(2)
        bias = [node.input(2)]
    if groups > 1 and groups == x.shape[3] and weights.shape[3] == 1:
        taps = node.graph.add(_depthwise(weights, node.graph.fresh(f"{weights.name}.depthwise")))
        node.emit_channels_last(DepthwiseConv2D(window), [x, taps, *bias])
    else:
        node.emit_channels_last(Conv2D(window, groups), [x, weights, *bias])


def _channels_last(node: OnnxNode, weights: Tensor) -> Tensor:
    if len(weights.shape) not in (3, 4):
        raise node.refuse(f"weights of shape {weights.shape} are not supported", "supported: 1-D and 2-D convolutions")
    data = weights.values if len(weights.shape) == 4 else weights.values[:, :, None, :]
    if weights.quantization is not None and weights.quantization.axis not in (None, 0):
        raise node.refuse(f"weights are quantized along axis {weights.quantization.axis}", "quantize per channel")
    data = np.ascontiguousarray(data.transpose(0, 2, 3, 1))
    name = node.graph.fresh(f"{weights.name}.channels_last")
    return node.graph.add(Tensor(name, data.shape, weights.dtype, weights.quantization, data))


def _depthwise(weights: Tensor, name: str) -> Tensor:
    """(channels, kernel H, kernel W, 1) to (1, kernel H, kernel W, channels)."""
    data = np.ascontiguousarray(weights.values.transpose(3, 1, 2, 0))
    quant = weights.quantization
    if quant is not None and quant.axis is not None:
        quant = Quantization(quant.scale, quant.zero_point, 3)
    return Tensor(name, data.shape, weights.dtype, quant, data)


def batch_norm_from_onnx(node: OnnxNode) -> None:
    """BatchNormalization as a depthwise 1x1 convolution: weights of +-127 whose scales are the factors, exactly."""
    from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
    from hilgate.compile.ops.reshape.op import Reshape

    epsilon = float(node.attribute("epsilon", 1e-5))
    node.attribute("momentum", 0.9)  # of training
    node.must_be("training_mode", 0)
    for index in range(1, 5):
        node.constant(index)
    gamma, beta, mean, variance = (node.input(index).real().reshape(-1) for index in range(1, 5))
    if np.any(variance + epsilon <= 0):
        raise node.refuse("a variance is negative")
    factor = gamma / np.sqrt(variance + epsilon)
    scale = tuple(float(np.float32(s)) for s in np.where(factor == 0, 1.0, np.abs(factor) / 127))
    data = (127 * np.sign(factor)).astype(np.int8).reshape(1, 1, 1, -1)
    name = node.graph.fresh(f"{node.name}.factor")
    weights = node.graph.add(Tensor(name, data.shape, "int8", Quantization(scale, 0, 3), data))
    shift = (beta - mean * factor).astype(np.float32)
    bias = node.graph.add(Tensor(node.graph.fresh(f"{node.name}.shift"), shift.shape, "float32", None, shift))
    op, x = DepthwiseConv2D(Window((1, 1))), node.raw(0)
    if len(x.shape) == 2 and not x.constant:  # of vectors: an image of one row
        row = node.door.view(x, (1, 1, *x.shape))
        node.emit(Reshape(x.shape), [node.inner(op, [row, weights, bias])])
    else:
        node.emit_channels_last(op, [node.channels_last_2d(0), weights, bias])


def from_tflite(node: TfliteNode) -> None:
    """CONV_2D: weights are (channels, kernel H, kernel W, depth) already."""
    from hilgate.compile.ops.conv2d.op import Conv2D

    options = node.options("Conv2DOptions")
    x, weights = node.input(0), node.constant(1)
    window = node.window(options, (weights.shape[1], weights.shape[2]), dilated=True)
    if x.shape[3] % weights.shape[3]:
        raise node.refuse(f"weights of shape {weights.shape} do not fit an input of shape {x.shape}")
    activation = node.activation(options.FusedActivationFunction())
    node.emit(Conv2D(window, x.shape[3] // weights.shape[3], activation), [x, weights, *node.bias(2)])


def depthwise_from_tflite(node: TfliteNode) -> None:
    """DEPTHWISE_CONV_2D: weights are (1, kernel H, kernel W, channels)."""
    from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D

    options = node.options("DepthwiseConv2DOptions")
    x, weights = node.input(0), node.constant(1)
    window = node.window(options, (weights.shape[1], weights.shape[2]), dilated=True)
    activation = node.activation(options.FusedActivationFunction())
    node.emit(DepthwiseConv2D(window, activation), [x, weights, *node.bias(2)])
