"""The TFLite door: every operator that it reads equals LiteRT's reference kernels to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hilgate.compile.compile import load, lower
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference

NONE, RELU, RELU_N1, RELU6 = 0, 1, 2, 3
SAME, VALID = 0, 1
RANDOM = np.random.default_rng(11)
NETWORKS: dict[str, Callable] = {}


def network(function: Callable) -> Callable:
    """Register a function that fills a maker."""
    NETWORKS[function.__name__] = function
    return function


def layer(m, x: int, shape: list[int], axis: int, scale: float = 0.02) -> list[int]:
    """Constant weights per channel and a bias for them."""
    channels = shape[axis]
    scales = RANDOM.uniform(0.002, 0.02, channels).astype(np.float32)
    weights = m.tensor(shape, scales, axis=axis, data=RANDOM.integers(-127, 128, shape).astype(np.int8))
    products = scales * np.float32(m.tensors[x]["scale"][0])
    data = RANDOM.integers(-3000, 3000, channels).astype(np.int32)
    return [weights, m.tensor([channels], products, data=data, dtype="int32")]


def conv(m, x: int, channels: int, output: list[int], kernel=(3, 3), **options) -> int:
    depth = m.tensors[x]["shape"][3]
    y = m.tensor([1, *output, channels], 0.35, 4)
    fields = {"Padding": SAME, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, **options}
    m.op("CONV_2D", [x, *layer(m, x, [channels, *kernel, depth], 0)], [y], "Conv2DOptions", **fields)
    return y


@network
def convolutions(m) -> None:
    x = m.input([1, 9, 8, 3])
    y = conv(m, x, 6, [5, 4], StrideH=2, StrideW=2, FusedActivationFunction=RELU)
    y = conv(m, y, 5, [3, 4], (3, 1), Padding=VALID)
    y = conv(m, y, 8, [3, 4], (1, 1), FusedActivationFunction=RELU6)
    m.outputs = [conv(m, y, 7, [3, 4], DilationHFactor=2, FusedActivationFunction=RELU_N1)]


@network
def depthwise(m) -> None:
    x = m.input([1, 8, 7, 4])
    y = m.tensor([1, 4, 4, 4], 0.1, -128)
    fields = {"DilationHFactor": 1, "DilationWFactor": 1, "StrideH": 2, "StrideW": 2, "Padding": SAME}
    fields |= {"DepthMultiplier": 1, "FusedActivationFunction": RELU}
    m.op("DEPTHWISE_CONV_2D", [x, *layer(m, x, [1, 3, 3, 4], 3)], [y], "DepthwiseConv2DOptions", **fields)
    z = m.tensor([1, 2, 2, 8], 0.2, 5)
    fields |= {"StrideH": 1, "StrideW": 1, "Padding": VALID, "DepthMultiplier": 2, "FusedActivationFunction": NONE}
    m.op("DEPTHWISE_CONV_2D", [y, *layer(m, y, [1, 3, 3, 8], 3)], [z], "DepthwiseConv2DOptions", **fields)
    m.outputs = [z]


@network
def means(m) -> None:
    """Over the width, then over the steps of what is left."""
    x, y, z = conv(m, m.input([1, 6, 8, 3]), 5, [6, 8]), m.tensor([1, 6, 5], 0.1, -3), m.tensor([1, 5], 0.1, -3)
    m.op("MEAN", [x, m.ints([2])], [y], "ReducerOptions", KeepDims=False)
    m.op("MEAN", [y, m.ints([1])], [z], "ReducerOptions", KeepDims=False)
    m.outputs = [z]


@network
def dense(m) -> None:
    x = m.input([1, 4, 4, 3])
    flat = m.tensor([1, 48], 0.05, 3)
    m.op("RESHAPE", [x, m.ints([1, 48])], [flat], "ReshapeOptions", NewShape=[1, 48])
    weights = m.tensor([10, 48], 0.0116, data=RANDOM.integers(-127, 128, (10, 48)).astype(np.int8))
    bias = m.tensor([10], 0.05 * 0.0116, data=RANDOM.integers(-900, 900, 10).astype(np.int32), dtype="int32")
    logits, out = m.tensor([1, 10], 0.13, 9), m.tensor([1, 10], 1 / 256, -128)
    m.op("FULLY_CONNECTED", [flat, weights, bias], [logits], "FullyConnectedOptions", FusedActivationFunction=NONE)
    m.op("SOFTMAX", [logits], [out], "SoftmaxOptions", Beta=1.0)
    m.outputs = [out]


@network
def dense_with_ties(m) -> None:
    """Scales that are powers of two, so that half-way results are common."""
    x = m.input([1, 6], 0.25, 0)
    weights = m.tensor([40, 6], 0.5, data=RANDOM.integers(-127, 128, (40, 6)).astype(np.int8))
    bias = m.tensor([40], 0.125, data=RANDOM.integers(-900, 900, 40).astype(np.int32), dtype="int32")
    y = m.tensor([1, 40], 64.0, -3)
    m.op("FULLY_CONNECTED", [x, weights, bias], [y], "FullyConnectedOptions", FusedActivationFunction=NONE)
    m.outputs = [y]


@network
def sums(m) -> None:
    a, b = m.input([1, 5, 6, 7], 0.0312, -7), m.input([1, 5, 6, 7], 0.0712, 12)
    c, d, e = m.tensor([1, 5, 6, 7], 0.05, 2), m.tensor([1, 5, 6, 7], 0.11, -128), m.tensor([1, 5, 6, 7], 0.2, 3)
    m.op("ADD", [a, b], [c], "AddOptions", FusedActivationFunction=NONE)
    m.op("ADD", [c, b], [d], "AddOptions", FusedActivationFunction=RELU)
    m.op("SUB", [d, a], [e], "SubOptions", FusedActivationFunction=NONE)
    m.outputs = [e]


@network
def sum_with_a_constant(m) -> None:
    x = m.input([1, 4, 3, 5])
    constant = m.tensor([5], 0.043, -20, data=RANDOM.integers(-128, 128, 5).astype(np.int8))
    y = m.tensor([1, 4, 3, 5], 0.06, 4)
    m.op("ADD", [x, constant], [y], "AddOptions", FusedActivationFunction=NONE)
    m.outputs = [y]


@network
def pools(m) -> None:
    x = m.input([1, 9, 8, 5])
    y, z, out = m.tensor([1, 5, 4, 5], 0.05, 3), m.tensor([1, 4, 4, 5], 0.05, 3), m.tensor([1, 1, 1, 5], 0.05, 3)
    three = {"FilterHeight": 3, "FilterWidth": 3, "StrideH": 2, "StrideW": 2, "Padding": SAME}
    m.op("AVERAGE_POOL_2D", [x], [y], "Pool2DOptions", **three, FusedActivationFunction=RELU)
    two = {"FilterHeight": 2, "FilterWidth": 1, "StrideH": 1, "StrideW": 1, "Padding": VALID}
    m.op("MAX_POOL_2D", [y], [z], "Pool2DOptions", **two, FusedActivationFunction=RELU6)
    whole = {"FilterHeight": 4, "FilterWidth": 4, "StrideH": 4, "StrideW": 4, "Padding": VALID}
    m.op("AVERAGE_POOL_2D", [z], [out], "Pool2DOptions", **whole, FusedActivationFunction=NONE)
    m.outputs = [out]


@network
def transposed(m) -> None:
    x = m.input([1, 4, 3, 5])
    y = m.tensor([1, 5, 4, 3], 0.05, 3)
    m.op("TRANSPOSE", [x, m.ints([0, 3, 1, 2])], [y], "TransposeOptions")
    m.outputs = [y]


@network
def products(m) -> None:
    a, b, c = m.input([1, 5, 4, 3], 0.03, -7), m.input([1, 5, 4, 3], 0.07, 12), m.input([1, 1, 1, 3], 1 / 256, -128)
    d, e, f = (m.tensor([1, 5, 4, 3], 0.2, 2), m.tensor([1, 5, 4, 3], 0.11, -128), m.tensor([1, 5, 4, 3], 0.02, -3))
    m.op("MUL", [a, b], [d], "MulOptions", FusedActivationFunction=NONE)
    m.op("MUL", [d, c], [e], "MulOptions", FusedActivationFunction=RELU)
    constant = m.tensor([3], 0.011, 5, data=RANDOM.integers(-128, 128, 3).astype(np.int8))
    m.op("MUL", [e, constant], [f], "MulOptions", FusedActivationFunction=RELU6)
    m.outputs = [f]


@network
def joined(m) -> None:
    a, b = m.input([1, 3, 4, 2]), m.input([1, 3, 4, 5])
    c, d = m.tensor([1, 3, 4, 7], 0.05, 3), m.tensor([1, 6, 4, 7], 0.05, 3)
    m.op("CONCATENATION", [a, b], [c], "ConcatenationOptions", Axis=-1, FusedActivationFunction=NONE)
    m.op("CONCATENATION", [c, c], [d], "ConcatenationOptions", Axis=1, FusedActivationFunction=NONE)
    m.outputs = [d]


@network
def padded(m) -> None:
    x = m.input([1, 4, 3, 2])
    y, z = m.tensor([1, 7, 4, 2], 0.05, 3), m.tensor([1, 7, 6, 3], 0.05, 3)
    m.op("PAD", [x, m.ints([[0, 0], [1, 2], [0, 1], [0, 0]])], [y], "PadOptions")
    value = m.tensor([1], 0.05, 3, data=np.array([-40], np.int8))
    m.op("PADV2", [y, m.ints([[0, 0], [0, 0], [2, 0], [0, 1]]), value], [z], "PadV2Options")
    m.outputs = [z]


@network
def sliced(m) -> None:
    x = m.input([1, 7, 6, 4])
    y, z, w = m.tensor([1, 3, 6, 4], 0.05, 3), m.tensor([1, 3, 2, 4], 0.05, 3), m.tensor([3, 2, 2], 0.05, 3)
    bounds = [m.ints([0, 1, 0, 0]), m.ints([1, 6, 6, 4]), m.ints([1, 2, 1, 1])]
    masks = {"EndMask": 0, "EllipsisMask": 0, "NewAxisMask": 0}
    m.op("STRIDED_SLICE", [x, *bounds], [y], "StridedSliceOptions", BeginMask=1, ShrinkAxisMask=0, **masks)
    m.op("SLICE", [y, m.ints([0, 0, 3, 0]), m.ints([1, -1, 2, 4])], [z], "SliceOptions")
    bounds = [m.ints([0, 0, 0, 3]), m.ints([1, 3, 2, 0]), m.ints([1, 1, 1, -2])]
    m.op("STRIDED_SLICE", [z, *bounds], [w], "StridedSliceOptions", BeginMask=0, ShrinkAxisMask=1, **masks)
    m.outputs = [w]


@network
def split(m) -> None:
    x = m.input([1, 4, 6, 2])
    parts = [m.tensor([1, 4, 2, 2], 0.05, 3) for _ in range(3)]
    m.op("SPLIT", [m.ints(2), x], parts, "SplitOptions", NumSplits=3)
    m.outputs = [parts[2], parts[0], parts[1]]


@network
def enlarged(m) -> None:
    x = m.input([1, 3, 2, 4])
    y, z = m.tensor([1, 6, 6, 4], 0.05, 3), m.tensor([1, 12, 6, 4], 0.05, 3)
    m.op("RESIZE_NEAREST_NEIGHBOR", [x, m.ints([6, 6])], [y], "ResizeNearestNeighborOptions", HalfPixelCenters=True)
    m.op("RESIZE_NEAREST_NEIGHBOR", [y, m.ints([12, 6])], [z], "ResizeNearestNeighborOptions", HalfPixelCenters=False)
    m.outputs = [z]


@network
def upward(m) -> None:
    x = m.input([1, 4, 3, 5])
    y, z = m.tensor([1, 8, 6, 4], 0.3, -5), m.tensor([1, 9, 7, 3], 0.7, 2)
    weights, bias = layer(m, x, [4, 3, 3, 5], 0)
    strides = {"StrideH": 2, "StrideW": 2, "Padding": SAME}
    m.op("TRANSPOSE_CONV", [m.ints([1, 8, 6, 4]), weights, x, bias], [y], "TransposeConvOptions", **strides)
    strides = {"StrideH": 1, "StrideW": 1, "Padding": VALID}
    weights, _ = layer(m, y, [3, 2, 2, 4], 0)
    m.op("TRANSPOSE_CONV", [m.ints([1, 9, 7, 3]), weights, y], [z], "TransposeConvOptions", **strides)
    m.outputs = [z]


@network
def mean(m) -> None:
    x = m.input([1, 5, 3, 9], 0.05, 3)
    y, z = m.tensor([1, 1, 1, 9], 0.031, -20), m.tensor([1, 9], 0.02, 4)
    m.op("MEAN", [x, m.ints([1, 2])], [y], "ReducerOptions", KeepDims=True)
    m.op("MEAN", [y, m.ints([1, 2])], [z], "ReducerOptions", KeepDims=False)
    m.outputs = [z]


def one_by_one(m, kind: str, x: int, quantization: tuple[float, int]) -> int:
    y = m.tensor(m.tensors[x]["shape"], *quantization)
    m.op(kind, [x], [y])
    return y


@network
def curves(m) -> None:
    a, b, c = m.input([1, 256], 0.043, -11), m.input([1, 256], 0.031, 40), m.input([1, 256], 0.1, 0)
    m.outputs = [
        one_by_one(m, "LOGISTIC", a, (1 / 256, -128)),
        one_by_one(m, "TANH", b, (1 / 128, 0)),
        *(one_by_one(m, "HARD_SWISH", x, q) for x, q in ((a, (0.03, -60)), (b, (0.09, 7)), (c, (0.05, -128)))),
    ]


@network
def clamps(m) -> None:
    a = m.input([1, 256], 0.043, -11)
    chosen = (("RELU", (0.03, -128)), ("RELU6", (0.05, 3)), ("RELU_N1_TO_1", (0.01, 0)), ("QUANTIZE", (0.11, 9)))
    m.outputs = [one_by_one(m, kind, a, quantization) for kind, quantization in chosen]


@network
def leaky(m) -> None:
    x, y = m.input([1, 400], 0.043, -11), m.tensor([1, 400], 0.037, -60)
    m.op("LEAKY_RELU", [x], [y], "LeakyReluOptions", Alpha=0.2)
    m.outputs = [y]


@pytest.fixture(params=sorted(NETWORKS))
def made(request, maker, tmp_path: Path) -> tuple[Path, Graph]:
    """A file and its lowered graph."""
    global RANDOM  # noqa: PLW0603  the same constants whichever tests run
    RANDOM = np.random.default_rng(sorted(NETWORKS).index(request.param))
    NETWORKS[request.param](maker)
    path = maker.write(tmp_path / f"{request.param}.tflite")
    graph = load(path)
    lower(graph, Options(updatable=False))
    return path, graph


def test_reference_equals_litert(made, litert) -> None:
    path, graph = made
    inputs = random_inputs(graph, 40, seed=2)
    theirs = litert(path, [inputs[name] for name in graph.inputs])
    for one, other in zip(run_reference(graph, inputs), theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_host_c_equals_litert(made, litert, make_bundle) -> None:
    path, graph = made
    inputs = random_inputs(graph, 10, seed=5)
    theirs = litert(path, [inputs[name] for name in graph.inputs])
    for one, other in zip(make_bundle([graph]).host(0, inputs), theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.arm
def test_cortex_m4_equals_litert(made, litert, make_bundle) -> None:
    path, graph = made
    inputs = random_inputs(graph, 4, seed=6)
    theirs = litert(path, [inputs[name] for name in graph.inputs])
    for one, other in zip(make_bundle([graph]).core("cortex-m4", 0, inputs), theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_float_edges_are_stripped(maker, tmp_path: Path) -> None:
    x = maker.tensor([1, 8], dtype="float32")
    maker.inputs = [x]
    q, y = maker.tensor([1, 8], 0.05, 3), maker.tensor([1, 8], dtype="float32")
    maker.op("QUANTIZE", [x], [q])
    maker.op("DEQUANTIZE", [one_by_one(maker, "RELU", q, (0.05, 3))], [y])
    maker.outputs = [y]
    graph = load(maker.write(tmp_path / "edges.tflite"))
    lower(graph, Options())
    assert [node.op.kind for node in graph.nodes] == ["requantize"]
    assert [graph.tensors[name].dtype for name in (*graph.inputs, *graph.outputs)] == ["int8", "int8"]
