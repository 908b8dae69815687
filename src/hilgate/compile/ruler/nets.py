"""Two small int8 networks to measure with, equal everywhere: QDQ ONNX from a fixed seed, without training tools.

    residual_net(Path("build/residual.onnx"))

Their weights are noise, so nothing can be dropped by looking at values; their shapes are those that products use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SEED = 20
ACTIVATION_SCALE, WEIGHT_SCALE = 0.05, 0.01


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


class _Net:
    """Nodes and initializers; every method returns the name of the dequantized tensor that it made."""

    def __init__(self) -> None:
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
        scale = np.full(shape[0], WEIGHT_SCALE, np.float32)
        values = self.random.integers(-127, 128, shape).astype(np.int8)
        bias = self.random.integers(-500, 500, shape[0]).astype(np.int32)
        zeros = (np.zeros(shape[0], np.int8), np.zeros(shape[0], np.int32))
        sides = ((values, scale, zeros[0]), (bias, scale * np.float32(ACTIVATION_SCALE), zeros[1]))
        return [self.node("DequantizeLinear", [self.constant(part) for part in side], axis=0) for side in sides]

    def conv(  # noqa: PLR0913
        self, x: str, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> str:
        pads = [kernel // 2] * 4
        weights = self.weights((outputs, inputs // groups, kernel, kernel))
        y = self.node("Conv", [x, *weights], group=groups, strides=[stride, stride], pads=pads)
        return self.quantized(self.node("Relu", [y]) if relu else y)

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
