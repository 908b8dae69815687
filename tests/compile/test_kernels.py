"""Fast kernels equal the definition to the bit on any shape: each on its own, and sharing instances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hilgate.compile.compile import allocate
from hilgate.compile.graph import Graph, Node, Quantization, Site, Tensor
from hilgate.compile.kernels import panel, share
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.affine import affine
from hilgate.compile.ops.conv2d import winograd
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.window import Window
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference

VECTORS = 3
FREE = -(10**9)  # bytes of code: Winograd then pays for any shape
OWN = Options(without=("share_kernels",))
SIZE = Options(optimize="size")
RELU = Activation(0.0, float("inf"))


@dataclass
class Sketch:
    """A graph under construction, with its source of numbers; one_scale: weights have one scale for all channels."""

    graph: Graph
    rng: np.random.Generator
    one_scale: bool = False

    def layer(self, op, x: str, weights: tuple[int, ...], zero_point: int) -> str:
        """Add a node with random weights whose outputs fill int8."""
        graph, rng, name = self.graph, self.rng, f"node_{len(self.graph.nodes)}"
        axis = 3 if isinstance(op, DepthwiseConv2D) else 0
        channels, taps = weights[axis], int(np.prod(weights)) // weights[axis]
        scales = tuple(float(np.float32(s)) for s in rng.uniform(0.002, 0.02, 1 if self.one_scale else channels))
        quantization = Quantization(scales, 0, None if self.one_scale else axis)
        graph.add(Tensor(f"{name}.w", weights, "int8", quantization, rng.integers(-127, 128, weights).astype(np.int8)))
        bias_scales = tuple(float(np.float32(0.02) * np.float32(s)) for s in scales)
        bias_quantization = Quantization(bias_scales, 0, None if self.one_scale else 0)
        bias = rng.integers(-4000, 4000, channels).astype(np.int32)
        graph.add(Tensor(f"{name}.b", (channels,), "int32", bias_quantization, bias))
        inputs = [x, f"{name}.w", f"{name}.b"]
        shape = op.output_shapes([graph.tensors[i] for i in inputs])[0]
        scale = float(np.float32(0.011 * np.sqrt(taps)))
        graph.add(Tensor(f"{name}.y", shape, "int8", Quantization((scale,), zero_point)))
        graph.nodes.append(Node(name, op, inputs, [f"{name}.y"]))
        op.check(Site(graph, graph.nodes[-1]))
        return f"{name}.y"


def start(shape: tuple[int, ...], rounding: str, zero_point: int) -> Graph:
    graph = Graph("kernels", rounding=rounding)
    graph.add(Tensor("x", shape, "int8", Quantization((float(np.float32(0.02)),), zero_point)))
    graph.inputs = ["x"]
    return graph


def random_convolution(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    kernel = tuple(int(k) for k in rng.integers(1, 4, 2)) if seed % 3 else (1, 1)
    groups = int(rng.choice([1, 1, 1, 2]))
    channels, outputs = int(rng.integers(1, 20)) * groups, int(rng.integers(1, 20)) * groups
    stride, dilation = (int(rng.integers(1, 3)), int(rng.integers(1, 3))), (1, int(rng.choice([1, 1, 2])))
    pad = tuple(int(p) for p in rng.integers(0, 2, 4)) if kernel != (1, 1) else (0, 0, 0, 0)
    zero_point = int(rng.choice([-128, -128, -7, 60]))
    activation = RELU if zero_point == -128 or seed % 4 == 0 else NONE
    height, width = int(rng.integers(5, 13)), int(rng.integers(5, 18))
    graph = start((1, height, width, channels), "double" if seed % 2 else "single", int(rng.integers(-128, 128)))
    op = Conv2D(Window(kernel, stride, dilation, pad), groups, activation)
    weights = (outputs, *kernel, channels // groups)
    graph.outputs = [Sketch(graph, rng).layer(op, "x", weights, zero_point)]
    return graph


def random_depthwise(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    kernel = (int(rng.integers(1, 6)), int(rng.integers(1, 4)))
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 3)))
    pad = tuple(int(p) for p in rng.integers(0, 2, 4))
    channels, zero_point = int(rng.integers(1, 8)), int(rng.choice([-128, -3]))
    size = (int(rng.integers(6, 16)), int(rng.integers(8, 34)))
    if seed % 3 == 0:  # a tall image
        kernel, stride, size = kernel[::-1], stride[::-1], (size[1], size[0] // 2)
    shape = (1, *size, channels)
    graph = start(shape, "double" if seed % 2 else "single", int(rng.integers(-128, 128)))
    op = DepthwiseConv2D(Window(kernel, stride, (1, 1), pad), RELU if zero_point == -128 else NONE)
    graph.outputs = [Sketch(graph, rng).layer(op, "x", (1, *kernel, channels), zero_point)]
    return graph


def random_fully_connected(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    inputs, outputs = int(rng.integers(1, 90)), int(rng.integers(8, 40))
    graph = start((int(rng.integers(1, 3)), inputs), "double" if seed % 2 else "single", int(rng.integers(-128, 128)))
    zero_point = int(rng.choice([-128, 11]))
    op = FullyConnected(RELU if seed % 3 == 0 else NONE)
    sketch = Sketch(graph, rng, one_scale=seed % 5 < 3)
    graph.outputs = [sketch.layer(op, "x", (outputs, inputs), zero_point)]
    return graph


def random_winograd(seed: int) -> Graph:
    """A convolution that F(2x2, 3x3) can compute: odd and even sizes, paddings and outputs."""
    rng = np.random.default_rng(seed)
    channels, outputs = int(rng.choice([4, 8, 12, 16, 32, 36, 48, 64])), int(rng.integers(1, 10))
    zero_point = int(rng.choice([-128, -128, -7]))
    graph = start(
        (1, int(rng.integers(6, 12)), int(rng.integers(6, 15)), channels),
        "double" if seed % 2 else "single",
        int(rng.integers(-128, 128)),
    )
    pad = tuple(int(p) for p in rng.integers(0, 3, 4))
    op = Conv2D(Window((3, 3), (1, 1), (1, 1), pad), 1, RELU if zero_point == -128 else NONE)
    graph.outputs = [Sketch(graph, rng).layer(op, "x", (outputs, 3, 3, channels), zero_point)]
    return graph


def neighbours(seed: int) -> Graph:
    """Many convolutions of one input, which share instances: other depths, widths, roundings, odd channels."""
    rng = np.random.default_rng(seed)
    graph = start((1, 6, 12, 10), "double", -128)
    sketch = Sketch(graph, rng)
    shapes = [(3, 7, -128), (3, 12, 4), (1, 9, -128), (1, 16, -20), (1, 5, -128)]
    for size, outputs, zero_point in shapes:
        pad = (size // 2,) * 4
        op = Conv2D(Window((size, size), (1, 1), (1, 1), pad), 1, RELU if zero_point == -128 else NONE)
        y = sketch.layer(op, "x", (outputs, size, size, 10), zero_point)
        deeper = Conv2D(Window((1, 1)), 1, NONE)
        graph.outputs += [sketch.layer(deeper, y, (6 + outputs % 2, 1, 1, outputs), zero_point)]
    return graph


CONVOLUTIONS = [random_convolution(seed) for seed in range(24)]
DEPTHWISE = [random_depthwise(seed) for seed in range(12)]
DENSE = [random_fully_connected(seed) for seed in range(10)]
WINOGRAD = [random_winograd(seed) for seed in range(12)]
SETS = {
    "winograd": (Options(), WINOGRAD),
    "own": (OWN, [*CONVOLUTIONS, *DEPTHWISE, *DENSE]),
    "shared": (SIZE, [neighbours(1), neighbours(2), DENSE[0], DEPTHWISE[1]]),
}


@pytest.fixture(scope="module", params=list(SETS))
def bundle(request, make_bundle):
    options, graphs = SETS[request.param]
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "winograd":
            patch.setattr(winograd, "CODE_BYTES", FREE)
        return make_bundle(graphs, options)


def check(bundle, run) -> None:
    for index, built in enumerate(bundle.built):
        inputs = random_inputs(built.graph, VECTORS, seed=index)
        wanted = run_reference(built.graph, inputs)
        for one, other in zip(run(index, inputs), wanted, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"graph {index}: {built.graph.nodes[0].op}")
            assert len(np.unique(other)) > 4, "the case says too little"


def test_kernels_equal_the_reference_on_the_host(bundle) -> None:
    check(bundle, bundle.host)


@pytest.mark.arm
def test_kernels_equal_the_reference_on_cortex_m4(bundle) -> None:
    check(bundle, lambda index, inputs: bundle.core("cortex-m4", index, inputs))


def kernels_of(graph: Graph, options: Options) -> list:
    allocate(graph, options, "0" * 64)
    return [node.op.kernel for node in graph.nodes]


def test_the_cases_reach_every_kernel() -> None:
    found = [kernels_of(random_convolution(seed), OWN)[0] for seed in range(24)]
    chosen = [kernel for kernel in found if kernel is not None]
    assert len(chosen) >= 20
    assert {kernel.mode for kernel in chosen} >= {"columns", "pixels", "patches"}
    assert {kernel.panel.rounding for kernel in chosen} == {panel.SINGLE, panel.DOUBLE, panel.POSITIVE}
    planes = [kernels_of(random_depthwise(seed), OWN)[0] for seed in range(12)]
    assert {kernel.outputs for kernel in planes if kernel} >= {4, 6}
    assert {kernel.turned for kernel in planes if kernel} == {True, False}
    dense = [kernels_of(random_fully_connected(seed), OWN)[0] for seed in range(10)]
    assert {kernel.per_tensor for kernel in dense if kernel} == {True, False}


def test_winograd_is_taken_where_it_pays_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not all(isinstance(kernels_of(g, Options())[0], winograd.WinogradKernel) for g in WINOGRAD)
    monkeypatch.setattr(winograd, "CODE_BYTES", FREE)
    chosen = [kernels_of(graph, Options())[0] for graph in WINOGRAD]
    found = [kernel for kernel in chosen if isinstance(kernel, winograd.WinogradKernel)]
    assert len(WINOGRAD) > len(found) >= 9  # the others would need more working memory than such a model has
    assert {kernel.rounding for kernel in found} == {panel.SINGLE, panel.DOUBLE, panel.POSITIVE}
    assert {kernel.channels > 32 for kernel in found} == {True, False}
    assert not isinstance(kernels_of(WINOGRAD[0], Options(without=("winograd",)))[0], winograd.WinogradKernel)
    assert not isinstance(kernels_of(WINOGRAD[0], Options(optimize="ram"))[0], winograd.WinogradKernel)


def test_sharing_makes_fewer_instances() -> None:
    own = {kernel.panel for kernel in kernels_of(neighbours(1), OWN)}
    shared = {kernel.panel for kernel in kernels_of(neighbours(1), SIZE)}
    assert len(shared) < len(own) / 2
    assert any(instance.k_pairs == 0 and instance.out_pixel == 0 for instance in shared)


def test_fast_kernels_can_be_left_out() -> None:
    assert kernels_of(random_convolution(1), Options(without=("fast_kernels",))) == [None]


def test_a_weight_of_minus_128_or_a_wide_accumulator_is_not_shared() -> None:
    graph = random_convolution(0)
    site = next(graph.sites())
    weights = affine(site, NONE).weights
    whole = affine(site, NONE)
    found = panel.integers(whole, weights.reshape(len(weights), -1))
    assert found is not None
    assert found.shared
    lowest = weights.reshape(len(weights), -1).astype(np.int64).copy()
    lowest[0, 0] = -128
    changed = panel.integers(whole, lowest)
    assert changed is not None
    assert not changed.shared
    assert panel.integers(whole, lowest * (1 << 20)) is None


def test_double_rounding_is_one_floor_where_negative_sums_clamp() -> None:
    """The proof of PANEL_POSITIVE in panel.h, tried on the accumulators where rounding differs."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        n, multiplier = int(rng.integers(1, 12)), int(rng.integers(1 << 30, 1 << 31))
        ties = (np.arange(0, 256) * 2 + 1 << 30 + n) // multiplier
        acc = np.concatenate([ties + d for d in (-1, 0, 1)] + [rng.integers(-(1 << 19), 1 << 19, 500)])
        high = (2 * acc * multiplier + (1 << 31)) >> 32
        mask = (1 << n) - 1
        wanted = np.clip((high >> n) + ((high & mask) > (mask >> 1) + (high < 0)) - 128, -128, 127)
        top = n + int(rng.integers(1, 7))
        constant = (-128 << top) + (1 << top - 1) + (1 << top - n - 1)
        found = np.clip((((acc << top - n + 1) * multiplier >> 32) + constant) >> top, -128, 127)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("worth", [0, 20, 1000])
def test_sharing_loses_no_layer_and_stops_where_nothing_gains(worth: int) -> None:
    graph = neighbours(3)
    for site in graph.sites():
        site.node.op = site.node.op.tuned(site, SIZE)
    merged = share._merged(share._instances(graph, SIZE), worth)
    served = [use.node.name for instance in merged for use in instance.uses]
    assert sorted(served) == sorted(node.name for node in graph.nodes)
    for index, one in enumerate(merged):
        for other in merged[:index]:
            both = share._merge(one, other, worth)
            assert both is None or both.cost >= one.cost + other.cost
