"""Random layers of every operator: shapes, windows, quantizations and activations by a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import strategies as st

from hilgate.compile import ops
from hilgate.compile.graph import Graph, Node, Quantization, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.add.op import Add
from hilgate.compile.ops.argmax.op import ArgMax, index_zero_point
from hilgate.compile.ops.avg_pool2d.op import AvgPool2D
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.conv_transpose2d.op import ConvTranspose2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.dequantize.op import Dequantize
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.lookup.functions import FUNCTIONS
from hilgate.compile.ops.lookup.op import Lookup
from hilgate.compile.ops.max_pool2d.op import MaxPool2D
from hilgate.compile.ops.mul.op import Mul
from hilgate.compile.ops.pad.op import Pad
from hilgate.compile.ops.quantize.op import Quantize
from hilgate.compile.ops.requantize.op import Requantize
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.resize.op import Resize
from hilgate.compile.ops.slice.op import Slice
from hilgate.compile.ops.softmax.op import Softmax
from hilgate.compile.ops.transpose.op import Transpose
from hilgate.compile.ops.window import Window
from hilgate.errors import ModelError

ATTEMPTS = 300
ACTIVATIONS = (NONE, NONE, Activation(0.0, float("inf")), Activation(0.0, 6.0), Activation(-1.0, 1.0))


@dataclass
class Draw:
    """A source of small random things for one layer."""

    rng: np.random.Generator
    double: bool

    def up_to(self, most: int, least: int = 1) -> int:
        return int(self.rng.integers(least, most + 1))

    def image(self) -> tuple[int, ...]:
        return (1, self.up_to(9), self.up_to(9), self.up_to(9))

    def any_shape(self) -> tuple[int, ...]:
        return (1, *(self.up_to(7) for _ in range(self.up_to(3))))

    def quantization(self) -> Quantization:
        return Quantization((self.scale(0.01, 0.1),), self.up_to(127, -128))

    def scale(self, low: float, high: float) -> float:
        return float(np.float32(self.rng.uniform(low, high)))

    def activation(self) -> Activation:
        return ACTIVATIONS[self.up_to(len(ACTIVATIONS) - 1, 0)]

    def window(self, *, dilated: bool = True) -> Window:
        kernel = self.up_to(4), self.up_to(4)
        dilation = (self.up_to(2), self.up_to(2)) if dilated else (1, 1)
        pad = tuple(self.up_to((kernel[i % 2] - 1) * dilation[i % 2], 0) for i in range(4))
        return Window(kernel, (self.up_to(3), self.up_to(3)), dilation, pad)

    def x(self, shape: tuple[int, ...], quantization: Quantization | None = None) -> Tensor:
        return Tensor("", shape, "int8", quantization or self.quantization())

    def weights(self, shape: tuple[int, ...], axis: int, x: Tensor) -> list[Tensor]:
        """Weights per tensor or per channel, and a bias or none."""
        scales = tuple(self.scale(0.002, 0.02) for _ in range(shape[axis] if self.up_to(2) == 1 else 1))
        axes = (axis, 0) if len(scales) > 1 or shape[axis] == 1 else (None, None)
        data = self.rng.integers(-127, 128, shape).astype(np.int8)
        found = [Tensor("", shape, "int8", Quantization(scales, 0, axes[0]), data)]
        if self.up_to(3) > 1:
            products = tuple(float(np.float32(x.quant.only_scale) * np.float32(s)) for s in scales)
            bias = self.rng.integers(-3000, 3000, shape[axis]).astype(np.int32)
            found.append(Tensor("", bias.shape, "int32", Quantization(products, 0, axes[1]), bias))
        return found


class Chosen(Draw):
    """The same things chosen by hypothesis, which makes a layer that fails as small as it can; weights stay random."""

    def __init__(self, data: st.DataObject, double: bool) -> None:
        super().__init__(np.random.default_rng(data.draw(st.integers(0, 255))), double)
        self.data = data

    def up_to(self, most: int, least: int = 1) -> int:
        return self.data.draw(st.integers(least, most))

    def scale(self, low: float, high: float) -> float:
        return float(np.float32(low + (high - low) * self.data.draw(st.integers(0, 50)) / 50))


Layer = tuple[Op, list[Tensor]]


def convolution(d: Draw) -> Layer:
    groups, x, window = d.up_to(3), d.x(d.image()), d.window()
    depth, channels = x.shape[3], d.up_to(4) * groups
    x.shape = (*x.shape[:3], depth * groups)
    return Conv2D(window, groups, d.activation()), [x, *d.weights((channels, *window.kernel, depth), 0, x)]


def depthwise(d: Draw) -> Layer:
    x, window = d.x(d.image()), d.window()
    channels = x.shape[3] * d.up_to(3)
    return DepthwiseConv2D(window, d.activation()), [x, *d.weights((1, *window.kernel, channels), 3, x)]


def transposed(d: Draw) -> Layer:
    x, window = d.x(d.image()), d.window()
    sides = [
        (x.shape[1 + i] - 1) * window.stride[i] + window.reach(i) - window.pad[i] - window.pad[i + 2] for i in (0, 1)
    ]
    op = ConvTranspose2D(window, (max(1, sides[0]), max(1, sides[1])), d.activation())
    return op, [x, *d.weights((d.up_to(6), *window.kernel, x.shape[3]), 0, x)]


def dense(d: Draw) -> Layer:
    x = d.x((1, d.up_to(3), d.up_to(40)))
    return FullyConnected(d.activation()), [x, *d.weights((d.up_to(20), x.shape[-1]), 0, x)]


def average(d: Draw) -> Layer:
    x = d.x(d.image())
    if d.up_to(3) == 1:
        return AvgPool2D(Window((x.shape[1], x.shape[2])), mean=d.double), [x]
    return AvgPool2D(d.window(dilated=False), not d.double and d.up_to(2) == 1, d.activation()), [x]


def pair(d: Draw) -> list[Tensor]:
    a = d.x(d.image())
    return [a, d.x((1, 1, 1, a.shape[3]) if d.up_to(3) == 1 else a.shape)]


def joined(d: Draw) -> Layer:
    first, axis, parts = d.x(d.image()), d.up_to(3), d.up_to(10, 2)
    shapes = [tuple(d.up_to(4) if i == axis else size for i, size in enumerate(first.shape)) for _ in range(parts)]
    return Concat(axis), [d.x(shape, first.quantization) for shape in shapes]


def padded(d: Draw) -> Layer:
    x = d.x(d.any_shape())
    sides = [(0, *(d.up_to(3, 0) for _ in x.shape[1:])) for _ in range(2)]
    return Pad(sides[0], sides[1], d.scale(-1, 1)), [x]


def cut(d: Draw) -> Layer:
    x = d.x(d.any_shape())
    start, size, step = [], [], []
    for length in x.shape:
        each, first = d.up_to(3) * (1 if d.up_to(2) == 1 else -1), d.up_to(length - 1, 0)
        room = (length - 1 - first if each > 0 else first) // abs(each)
        start, size, step = [*start, first], [*size, d.up_to(room + 1)], [*step, each]
    return Slice(tuple(start), tuple(size), tuple(step)), [x]


def turned(d: Draw) -> Layer:
    x = d.x(d.any_shape())
    return Transpose(tuple(int(i) for i in d.rng.permutation(len(x.shape)))), [x]


def table(d: Draw) -> Layer:
    names = ("leaky_relu", "sigmoid", "tanh", "hard_swish") if d.double else tuple(FUNCTIONS)[:12]  # later ones too are
    # but tables, and the seeds of test_shapes.py keep their layers
    name = names[d.up_to(len(names) - 1, 0)]
    return Lookup(name, (0.1, 0.5) if name in ("leaky_relu", "elu", "hard_sigmoid") else ()), [d.x(d.any_shape())]


def reshaped(d: Draw) -> Layer:
    x = d.x(d.any_shape())
    return Reshape((1, x.elements)), [x]


DRAW: dict[str, Callable[[Draw], Layer]] = {
    "add": lambda d: (Add(d.up_to(2) == 1, d.activation()), pair(d)),
    "argmax": lambda d: (ArgMax(d.up_to(2) == 1, d.up_to(2) == 1), [d.x((1, d.up_to(4), d.up_to(200)))]),
    "avg_pool2d": average,
    "concat": joined,
    "conv2d": convolution,
    "conv_transpose2d": transposed,
    "depthwise_conv2d": depthwise,
    "dequantize": lambda d: (Dequantize(), [d.x(d.any_shape())]),
    "fully_connected": dense,
    "lookup": table,
    "max_pool2d": lambda d: (MaxPool2D(d.window(), d.activation()), [d.x(d.image())]),
    "mul": lambda d: (Mul(d.activation()), pair(d)),
    "pad": padded,
    "quantize": lambda d: (Quantize(), [Tensor("", d.any_shape(), "float32")]),
    "requantize": lambda d: (Requantize(d.activation()), [d.x(d.any_shape())]),
    "reshape": reshaped,
    "resize": lambda d: (Resize(d.up_to(3), d.up_to(3)), [d.x(d.image())]),
    "slice": cut,
    "softmax": lambda d: (Softmax(), [d.x(d.any_shape())]),
    "transpose": turned,
}


def output_quantization(op: Op, inputs: list[Tensor], d: Draw) -> Quantization | None:
    """One that suits: outputs fill a good part of int8."""
    if op.keeps_quantization or (isinstance(op, AvgPool2D | MaxPool2D) and d.double and not getattr(op, "mean", 0)):
        return inputs[0].quantization
    if isinstance(op, ArgMax):
        return Quantization((1.0,), index_zero_point(inputs[0].shape[-1]))
    if isinstance(op, Dequantize):
        return None
    if isinstance(op, Softmax):
        return Quantization((1 / 256,), -128)
    if len(inputs) > 1 and inputs[1].constant:
        taps = inputs[1].elements // max(len(inputs[1].quantization.scale), 1)
        return Quantization((float(np.float32(0.3 * inputs[0].quant.only_scale * np.sqrt(taps))),), d.up_to(40, -128))
    return d.quantization()


def add_layer(graph: Graph, kind: str, d: Draw) -> None:
    """One layer with inputs of its own, tried until its operator finds it legal."""
    for _ in range(ATTEMPTS):
        op, inputs = DRAW[kind](d)
        try:
            shape = op.output_shapes(inputs)[0]
        except ValueError:
            continue
        for index, tensor in enumerate(inputs):
            tensor.name = f"{kind}.{index}"
        dtype = "float32" if kind == "dequantize" else "int8"
        tensors = [*inputs, Tensor(kind, shape, dtype, output_quantization(op, inputs, d))]
        trial = Graph(kind, {t.name: t for t in tensors}, rounding=graph.rounding)
        node = Node(kind, op, [t.name for t in inputs], [kind])
        try:
            op.check(Site(trial, node))
        except (ModelError, ValueError):
            continue
        graph.tensors |= trial.tensors
        graph.inputs += [t.name for t in inputs if not t.constant]
        graph.outputs.append(kind)
        graph.nodes.append(node)
        return
    raise AssertionError(f"no legal {kind} in {ATTEMPTS} attempts")


@pytest.fixture(scope="session")
def drawn_kinds() -> set[str]:
    return set(DRAW)


@pytest.fixture(scope="session")
def chosen_layer() -> Callable[[st.DataObject], Graph]:
    """chosen_layer(data) -> a graph of one layer that hypothesis chooses."""

    def make(data: st.DataObject) -> Graph:
        kind, rounding = data.draw(st.sampled_from(sorted(DRAW))), data.draw(st.sampled_from(["single", "double"]))
        graph = Graph(f"one_{kind}", rounding=rounding)
        add_layer(graph, kind, Chosen(data, rounding == "double"))
        return graph

    return make


@pytest.fixture(scope="session")
def random_layers() -> Callable[[int], Graph]:
    """random_layers(seed) -> a graph with one layer of every operator, side by side."""

    def make(seed: int) -> Graph:
        graph = Graph(f"layers_{seed}", rounding=("single", "double")[seed % 2])
        for kind in ops.operators():
            add_layer(graph, kind, Draw(np.random.default_rng([seed, *kind.encode()]), graph.rounding == "double"))
        return graph

    return make
