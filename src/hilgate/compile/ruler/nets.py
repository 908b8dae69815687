"""Small int8 networks to measure with, equal everywhere: QDQ ONNX from a fixed seed, without training tools.

    residual_net(Path("build/residual.onnx"))

Their weights are noise, so nothing can be dropped by looking at values; their shapes are those that products use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SEED = 20
ACTIVATION_SCALE, WEIGHT_SCALE, FITTED_SCALE = 0.05, 0.01, 0.012


def residual_net(path: Path) -> Path:
    """16x16x3, three 3x3 convolutions of 16 channels around a skip, one to 32 with stride 2, mean, 10 classes."""
    net = _Net()
    stem = net.conv(net.input((1, 3, 16, 16)), 3, 16)
    inner = net.conv(net.conv(stem, 16, 16), 16, 16, relu=False)
    joined = net.quantized(net.node("Relu", [net.node("Add", [stem, inner])]))
    last = net.conv(joined, 16, 32, stride=2)
    return net.write(path, net.head(last, 32, 10))


def mobile_net(path: Path) -> Path:
    """24x24x3, a 3x3 convolution with stride 2, three depthwise and 1x1 pairs up to 64 channels, mean, 2 classes."""
    net = _Net()
    x = net.conv(net.input((1, 3, 24, 24)), 3, 8, stride=2)
    for inputs, outputs, stride in ((8, 16, 1), (16, 32, 2), (32, 64, 1)):
        x = net.conv(x, inputs, inputs, stride=stride, groups=inputs)
        x = net.conv(x, inputs, outputs, kernel=1)
    return net.write(path, net.head(x, 64, 2))


def speech_net(path: Path) -> Path:
    """49x10x1, a 10x4 convolution with stride 2 to 64 channels, four depthwise and 1x1 pairs, mean, 12 classes."""
    net = _Net(fitted=True)
    x = net.conv(net.input((1, 1, 49, 10)), 1, 64, kernel=(10, 4), stride=2, pads=(4, 1, 5, 1))
    for _ in range(4):
        x = net.conv(net.conv(x, 64, 64, groups=64), 64, 64, kernel=1)
    return net.write(path, net.head(x, 64, 12))


def motion_net(path: Path) -> Path:
    """128 steps of 6 sensors: convolutions 9 and 7 wide, depthwise 9 and dilated 5 wide, mean, 7 classes."""
    net = _Net(fitted=True)
    x = net.conv(net.input((1, 6, 1, 128)), 6, 24, kernel=(1, 9), stride=2)
    x = net.conv(net.conv(x, 24, 24, kernel=(1, 9), groups=24), 24, 32, kernel=1)
    x = net.conv(net.conv(x, 32, 32, kernel=(1, 5), groups=32, dilation=2), 32, 48, kernel=(1, 7))
    return net.write(path, net.head(x, 48, 7))


def gated_net(path: Path) -> Path:
    """48x48x1, depthwise 5x5 and 7x7, two channels from each, a gate from the mean, hard swish, max pool, 4 classes."""
    net = _Net(fitted=True)
    x = net.conv(net.input((1, 1, 48, 48)), 1, 12, kernel=5, stride=2, relu=False)
    x = net.quantized(net.node("HardSwish", [x]))
    x = net.gated(net.conv(x, 12, 12, kernel=5, groups=12), 12)
    x = net.pooled(net.conv(x, 12, 24, kernel=1))
    x = net.conv(net.conv(x, 24, 48, groups=24), 48, 40, kernel=1)
    return net.write(path, net.head(net.conv(x, 40, 40, kernel=7, groups=40), 40, 4))


def segment_net(path: Path) -> Path:
    """32x32x3 to 32x32x2 and back up: max pools, a transposed convolution, a concatenation, a resize, a sum."""
    net = _Net(fitted=True)
    wide = net.conv(net.input((1, 3, 32, 32)), 3, 8)
    half = net.conv(net.pooled(wide), 8, 16)
    low = net.transposed(net.conv(net.pooled(half), 16, 24), 24, 16)
    both = net.conv(net.quantized(net.node("Concat", [low, half], axis=1)), 32, 8)
    scales = net.constant(np.array([1, 1, 2, 2], np.float32))
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    up = net.quantized(net.node("Resize", [both, "", scales], **nearest))
    joined = net.quantized(net.node("Add", [up, wide]))
    return net.write(path, net.conv(joined, 8, 2, kernel=1, relu=False))


OWN = {  # by the name that their rows have
    "residual": residual_net,
    "mobile": mobile_net,
    "speech": speech_net,
    "motion": motion_net,
    "gated": gated_net,
    "segment": segment_net,
}


class _Net:
    """Nodes and initializers; every method returns the name of the dequantized tensor that it made.

    fitted: weights are scaled by the number of products, so that results fill their int8 and do not saturate.
    """

    def __init__(self, *, fitted: bool = False) -> None:
        self.fitted = fitted
        self.random = np.random.default_rng(SEED)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.shape: tuple[int, ...] = ()

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        from onnx import helper

        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f"node_{name}", **attributes))
        return name

    def constant(self, array: np.ndarray) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def quantized(self, tensor: str) -> str:
        edge = [self.constant(np.array(ACTIVATION_SCALE, np.float32)), self.constant(np.array(-3, np.int8))]
        return self.node("DequantizeLinear", [self.node("QuantizeLinear", [tensor, *edge]), *edge])

    def input(self, shape: tuple[int, ...]) -> str:
        self.shape = shape
        return self.quantized("x")

    def weights(self, shape: tuple[int, ...]) -> list[str]:
        """Dequantized int8 weights, one scale per output, and their int32 bias."""
        products = shape[1] * int(np.prod(shape[2:]))
        scale = np.full(shape[0], FITTED_SCALE / products**0.5 if self.fitted else WEIGHT_SCALE, np.float32)
        values = self.random.integers(-127, 128, shape).astype(np.int8)
        bias = self.random.integers(-500, 500, shape[0]).astype(np.int32)
        zeros = (np.zeros(shape[0], np.int8), np.zeros(shape[0], np.int32))
        sides = ((values, scale, zeros[0]), (bias, scale * np.float32(ACTIVATION_SCALE), zeros[1]))
        return [self.node("DequantizeLinear", [self.constant(part) for part in side], axis=0) for side in sides]

    def conv(  # noqa: PLR0913
        self,
        x: str,
        inputs: int,
        outputs: int,
        *,
        kernel: int | tuple[int, int] = 3,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        pads: tuple[int, ...] | None = None,
        relu: bool = True,
    ) -> str:
        sizes = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        steps = {"strides": [1 if k == 1 and sizes != (1, 1) else stride for k in sizes]}
        if dilation > 1:
            steps["dilations"] = [dilation if k > 1 else 1 for k in sizes]
        around = pads or [dilation * (k // 2) for k in (*sizes, *sizes)]
        weights = self.weights((outputs, inputs // groups, *sizes))
        y = self.node("Conv", [x, *weights], group=groups, **steps, pads=list(around))
        return self.quantized(self.node("Relu", [y]) if relu else y)

    def transposed(self, x: str, inputs: int, outputs: int) -> str:
        """Twice as high and wide, kernel 3."""
        values = self.random.integers(-127, 128, (inputs, outputs, 3, 3)).astype(np.int8)
        scale = np.full(outputs, 2 * FITTED_SCALE / (9 * inputs) ** 0.5, np.float32)
        constants = [self.constant(part) for part in (values, scale, np.zeros(outputs, np.int8))]
        weights = self.node("DequantizeLinear", constants, axis=1)
        window = {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
        return self.quantized(self.node("Relu", [self.node("ConvTranspose", [x, weights], **window)]))

    def pooled(self, x: str) -> str:
        return self.quantized(self.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2]))

    def gated(self, x: str, channels: int) -> str:
        """Squeeze and excite by a quarter of the channels."""
        inner = self.conv(self.quantized(self.node("GlobalAveragePool", [x])), channels, channels // 4, kernel=1)
        gate = self.node("Sigmoid", [self.conv(inner, channels // 4, channels, kernel=1, relu=False)])
        return self.quantized(self.node("Mul", [x, self.quantized(gate)]))

    def head(self, x: str, channels: int, classes: int) -> str:
        mean = self.quantized(self.node("Flatten", [self.quantized(self.node("GlobalAveragePool", [x]))]))
        return self.quantized(self.node("Gemm", [mean, *self.weights((classes, channels))], transB=1))

    def write(self, path: Path, output: str) -> Path:
        import onnx
        from onnx import TensorProto, helper

        edges = (
            helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape),
            helper.make_tensor_value_info(output, TensorProto.FLOAT, None),
        )
        graph = helper.make_graph(self.nodes, path.stem, [edges[0]], [edges[1]], self.constants)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        return path
