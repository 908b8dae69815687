"""Removal of constant and unread channels: the outputs stay the same to the bit, and what can go does go."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.compile.graph import Graph, Node, Quantization, Tensor
from hilgate.compile.ops.activation import RELU
from hilgate.compile.ops.add.op import Add
from hilgate.compile.ops.avg_pool2d.op import AvgPool2D
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.fully_connected.op import FullyConnected
from hilgate.compile.ops.max_pool2d.op import MaxPool2D
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.window import Window
from hilgate.compile.options import Options
from hilgate.compile.passes import drop_channels, drop_dead, rewrite
from hilgate.compile.ranges import ranges
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify, verify_lowered

SAME = Window((3, 3), pad=(1, 1, 1, 1))
POINT = Window((1, 1))


class Builder:
    """A chain of layers with random weights of which some channels are dead by seed."""

    def __init__(self, seed: int, rounding: str = "double", side: int = 4, channels: int = 3) -> None:
        self.random = np.random.default_rng(seed)
        self.graph = Graph("chain", rounding=rounding, inputs=["x"])
        self.graph.add(Tensor("x", (1, side, side, channels), "int8", Quantization((0.05,), -128)))

    def weights(self, shape: tuple[int, ...], axis: int, dead: float) -> Tensor:
        data = self.random.integers(-90, 91, shape)
        channels = shape[axis]
        data[(slice(None),) * axis + (self.random.random(channels) < dead,)] = 0
        quant = Quantization(tuple(self.random.uniform(0.002, 0.02, channels)), 0, axis)
        return self.constant(data.astype(np.int8), quant)

    def constant(self, data: np.ndarray, quant: Quantization) -> Tensor:
        return self.graph.add(Tensor(f"c{len(self.graph.tensors)}", data.shape, str(data.dtype), quant, data))

    def bias(self, channels: int, x: str, weights: Tensor, negative: float) -> Tensor:
        data = self.random.integers(-500, 500, channels)
        data[self.random.random(channels) < negative] = -(10**6)
        scale = self.graph.tensors[x].quant.only_scale * np.asarray(weights.quant.scale)
        return self.constant(data.astype(np.int32), Quantization(tuple(scale), 0, 0))

    def node(self, op: Op, inputs: list[str], zero_point: int = -128, scale: float = 0.08) -> str:
        name = f"t{len(self.graph.nodes)}"
        tensors = [self.graph.tensors[i] for i in inputs]
        quant = tensors[0].quantization if op.keeps_quantization else Quantization((scale,), zero_point)
        if isinstance(op, AvgPool2D):
            quant = tensors[0].quantization
        self.graph.add(Tensor(name, op.output_shapes(tensors)[0], "int8", quant))
        self.graph.nodes.append(Node(name, op, inputs, [name]))
        return name

    def conv(self, x: str, channels: int, window: Window = POINT, zero_point: int = -128) -> str:
        weights = self.weights((channels, *window.kernel, self.graph.tensors[x].shape[3]), 0, 0.3)
        bias = self.bias(channels, x, weights, 0.3)
        return self.node(Conv2D(window, activation=RELU), [x, weights.name, bias.name], zero_point)

    def depthwise(self, x: str, window: Window = SAME) -> str:
        channels = self.graph.tensors[x].shape[3]
        weights = self.weights((1, *window.kernel, channels), 3, 0.3)
        bias = self.bias(channels, x, weights, 0.3)
        return self.node(DepthwiseConv2D(window, RELU), [x, weights.name, bias.name])

    def dense(self, x: str, channels: int) -> str:
        weights = self.weights((channels, self.graph.tensors[x].shape[-1]), 0, 0)
        return self.node(FullyConnected(), [x, weights.name], zero_point=3)

    def finish(self, *outputs: str) -> Graph:
        self.graph.outputs = list(outputs)
        verify_lowered(self.graph, float_edges=False)
        return self.graph


def mobile(seed: int, rounding: str = "double") -> Graph:
    """What mobile networks are made of: pointwise, depthwise, add, pools, dense."""
    b = Builder(seed, rounding)
    first = b.conv("x", 8, SAME)
    other = b.conv(b.depthwise(first), 8, zero_point=int(b.random.choice([-128, 5])))
    total = b.node(Add(activation=RELU), [first, other])
    pooled = b.node(MaxPool2D(Window((2, 2), (2, 2))), [b.conv(total, 7, SAME)])
    mean = b.node(AvgPool2D(Window((2, 2))), [b.conv(pooled, 9)])
    return b.finish(b.dense(b.node(Reshape((1, 9)), [mean]), 4))


def dropped(graph: Graph) -> Graph:
    result = copy.deepcopy(graph)
    drop_channels.run(result, Options(updatable=False))
    drop_dead.run(result, Options())
    verify(result)
    verify_lowered(result, float_edges=False)
    return result


def parameters(graph: Graph) -> int:
    return sum(t.elements for t in graph.tensors.values() if t.constant and t.dtype == "int8")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), rounding=st.sampled_from(["single", "double"]))
def test_outputs_stay_the_same_to_the_bit(seed: int, rounding: str) -> None:
    graph = mobile(seed, rounding)
    after = dropped(graph)
    inputs = random_inputs(graph, 20, seed)
    np.testing.assert_array_equal(run_reference(graph, inputs)[0], run_reference(after, inputs)[0])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), rounding=st.sampled_from(["single", "double"]))
def test_ranges_hold_every_value_that_comes(seed: int, rounding: str) -> None:
    graph = mobile(seed, rounding)
    known = ranges(graph)

    def watch(name: str, array: np.ndarray) -> None:
        flat = array.reshape(-1, array.shape[-1]).astype(np.int64)
        assert (flat.min(axis=0) >= known[name].low).all()
        assert (flat.max(axis=0) <= known[name].high).all()

    run_reference(graph, random_inputs(graph, 40, seed), watch)


def test_dead_channels_really_go() -> None:
    sizes = [(parameters(mobile(seed)), parameters(dropped(mobile(seed)))) for seed in range(20)]
    assert all(after < before for before, after in sizes)
    assert sum(after for _, after in sizes) < 0.6 * sum(before for before, _ in sizes)


def test_what_no_node_names_is_not_counted() -> None:
    """Passes leave tensors behind; their channels are none."""
    builder = Builder(5)
    builder.graph.outputs = [builder.node(MaxPool2D(POINT), ["x"])]
    builder.graph.add(Tensor("left", (1, 4, 4, 16), "int8", Quantization((0.1,), 0)))
    assert drop_channels.run(builder.graph, Options(updatable=False)) == 0
    assert builder.graph.tensors["left"].shape == (1, 4, 4, 16)


def test_a_constant_that_padding_shows_stays() -> None:
    """Its value is not the zero point, so the border reads something else than the middle."""
    b = Builder(1)
    first = b.conv("x", 4, zero_point=10)
    bias = b.graph.tensors[b.graph.nodes[0].inputs[2]]
    weights = b.graph.tensors[b.graph.nodes[0].inputs[1]]
    weights.data[:] = 0
    bias.data[:] = 10**6
    graph = b.finish(b.conv(first, 3, SAME))
    known = ranges(graph)[first]
    assert known.constant.all()
    assert (known.low != 10).all()
    assert dropped(graph).tensors[first].shape == (1, 4, 4, 4)


def test_at_least_one_channel_stays() -> None:
    b = Builder(1)
    first = b.conv("x", 4)
    b.graph.tensors[b.graph.nodes[0].inputs[1]].data[:] = 0
    graph = b.finish(b.conv(first, 3))
    after = dropped(graph)
    assert after.tensors[first].shape[-1] == 1
    inputs = random_inputs(graph, 5, 1)
    np.testing.assert_array_equal(run_reference(graph, inputs)[0], run_reference(after, inputs)[0])


def test_a_branch_that_is_read_elsewhere_keeps_its_channels() -> None:
    b = Builder(3)
    first = b.conv("x", 6)
    graph = b.finish(b.conv(first, 3), first)
    assert dropped(graph).tensors[first].shape[-1] == 6


@pytest.mark.parametrize("updatable", [True, False])
def test_updatable_models_keep_every_channel(updatable: bool) -> None:
    graph = mobile(2)
    before = parameters(graph)
    rewrite(graph, Options(updatable=updatable))
    assert (parameters(graph) == before) is updatable


def test_the_c_of_a_reduced_graph_equals_the_reference(make_bundle) -> None:
    graphs = [dropped(mobile(seed)) for seed in range(2)]
    bundle = make_bundle(graphs)
    for index, graph in enumerate(graphs):
        inputs = random_inputs(graph, 5, index)
        np.testing.assert_array_equal(bundle.host(index, inputs)[0], run_reference(graph, inputs)[0])
