"""Layers that run a few rows at a time give the same bits, compute nothing twice, and fit the planned arena."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hilgate.compile.graph import Graph, Node, Quantization, Site, Tensor
from hilgate.compile.ops.activation import NONE, RELU
from hilgate.compile.ops.add.op import Add
from hilgate.compile.ops.avg_pool2d.op import AvgPool2D
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.depthwise_conv2d.op import DepthwiseConv2D
from hilgate.compile.ops.lookup.op import Lookup
from hilgate.compile.ops.max_pool2d.op import MaxPool2D
from hilgate.compile.ops.mul.op import Mul
from hilgate.compile.ops.requantize.op import Requantize
from hilgate.compile.ops.resize.op import Resize
from hilgate.compile.ops.window import Window
from hilgate.compile.passes.rows import HEIGHT, WIDTH, by_rows
from hilgate.compile.passes.split_rows import stretches
from hilgate.compile.passes.strips import Stretch, copied, split
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify_lowered

Pick = Callable[[int, int], int]


class Builder:
    """A graph of images whose layers are chosen by `pick(a, b)`: a number from a to b."""

    def __init__(
        self, pick: Callable[[int, int], int], *, height: int, width: int, channels: int, rounding: str
    ) -> None:
        self.pick, self.graph, self.flat = pick, Graph("strips", rounding=rounding), height == 1
        self.random = np.random.default_rng(height * 100 + width * 10 + channels)
        self.graph.add(Tensor("x", (1, height, width, channels), "int8", Quantization((0.05,), 3)))
        self.graph.inputs = ["x"]
        self.made = ["x"]

    def add(self, op: Op, *inputs: str) -> str | None:
        """A layer, or None where it does not fit these shapes."""
        name = f"t{len(self.made)}"
        tensors = [self.graph.tensors[n] for n in inputs]
        try:
            shape = op.output_shapes(tensors)[0]
        except ValueError:
            return None
        kept = op.keeps_quantization or (isinstance(op, AvgPool2D) and self.graph.rounding == "double")
        index = len(self.made)
        quantization = tensors[0].quantization if kept else Quantization((0.05 + index / 50,), index % 7 - 3)
        self.graph.add(Tensor(name, shape, "int8", quantization))
        self.graph.nodes.append(Node(name, op, list(inputs), [name]))
        self.made.append(name)
        return name

    def constant(self, shape: tuple[int, ...], axis: int | None = None) -> str:
        name = f"w{len(self.graph.tensors)}"
        count = shape[axis] if axis is not None else 1
        scales = tuple(0.002 + 0.001 * (i % 3) for i in range(count))
        data = self.random.integers(-127, 128, shape).astype(np.int8)
        self.graph.add(Tensor(name, shape, "int8", Quantization(scales, 0, axis), data))
        return name

    def window(self, *, pool: bool = False) -> Window:
        kernel = (self.pick(1, 4), self.pick(1, 3))
        stride, dilation = (self.pick(1, 4), self.pick(1, 2)), (1 if pool else self.pick(1, 2), 1)
        most = [k - 1 if pool else k + 1 for k in kernel]
        pad = (self.pick(0, most[0]), self.pick(0, most[1]), self.pick(0, most[0]), self.pick(0, most[1]))
        if self.flat:
            return Window((1, kernel[0]), (1, stride[0]), (1, dilation[0]), (0, pad[0], 0, pad[2]))
        return Window(kernel, stride, dilation, pad)

    def layer(self) -> None:
        x = self.made[-1 - self.pick(0, min(1, len(self.made) - 1))]
        channels, kind = self.graph.tensors[x].shape[3], self.pick(0, 9)
        if kind <= 1:
            window, outputs = self.window(), (4, 8)[self.pick(0, 1)]
            self.add(Conv2D(window, 1, (NONE, RELU)[kind]), x, self.constant((outputs, *window.kernel, channels), 0))
        elif kind == 2:
            window = self.window()
            self.add(DepthwiseConv2D(window), x, self.constant((1, *window.kernel, channels), 3))
        elif kind == 3:
            self.add(MaxPool2D(self.window(pool=True)), x)
        elif kind == 4:
            self.add(AvgPool2D(self.window(pool=True)), x)
        elif kind == 5:
            self.add(Lookup("sigmoid"), x)
        elif kind == 6:
            self.add(Requantize(RELU), x)
        elif kind == 7:
            self.add(Mul(), x, self.constant((channels,)))
        elif kind == 8:
            factors = (self.pick(1, 3), self.pick(1, 2))
            self.add(Resize(1, factors[0]) if self.flat else Resize(*factors), x)
        else:
            alike = [n for n in self.made if self.graph.tensors[n].shape == self.graph.tensors[x].shape]
            other = alike[self.pick(0, len(alike) - 1)]
            if self.graph.tensors[other].quantization == self.graph.tensors[x].quantization and self.pick(0, 1):
                self.add(Concat(3), x, other)
            else:
                self.add(Add(), x, other)

    def done(self) -> Graph:
        read = {name for node in self.graph.nodes for name in node.inputs}
        self.graph.outputs = [name for name in self.made if name not in read]
        verify_lowered(self.graph, float_edges=False)
        return self.graph


def built(pick: Pick) -> Graph:
    height, width = pick(2, 14), pick(1, 5)
    flat = pick(0, 2) == 0  # one row, cut along its width
    builder = Builder(
        pick,
        height=1 if flat else height,
        width=height if flat else width,
        channels=(4, 8)[pick(0, 1)],
        rounding=("single", "double")[pick(0, 1)],
    )
    for _ in range(pick(1, 6)):
        builder.layer()
    return builder.done()


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    return built(lambda a, b: draw(st.integers(a, b)))


def seeded(seed: int) -> Graph:
    """A graph that can be split; equal seeds give equal graphs."""
    random = np.random.default_rng(seed)
    while True:
        graph = built(lambda a, b: int(random.integers(a, b + 1)))
        if any(s.last - s.first >= 2 for s in stretches(graph)):
            return graph


def macs(graph: Graph) -> int:
    return sum(site.node.op.macs(site) for site in graph.sites())


def longest(graph: Graph, rows: int) -> Stretch:
    found = max(stretches(graph), key=lambda s: (s.last - s.first, -s.first))
    return Stretch(found.first, found.last, rows, found.axis)


def check_same_numbers(graph: Graph, stretch: Stretch) -> Graph:
    cut = copied(graph)
    split(cut, stretch)
    verify_lowered(cut, float_edges=False)
    assert macs(cut) <= macs(graph), "a row was computed twice"
    inputs = random_inputs(graph, 2, seed=1)
    for mine, wanted in zip(run_reference(cut, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)
    return cut


@settings(max_examples=250, deadline=None)
@given(graph=graphs(), data=st.data())
def test_any_stretch_in_any_strips_gives_the_same_numbers(graph: Graph, data: st.DataObject) -> None:
    found = list(stretches(graph))
    assume(found)
    stretch = data.draw(st.sampled_from(found))
    check_same_numbers(graph, Stretch(stretch.first, stretch.last, data.draw(st.integers(1, 20)), stretch.axis))


@settings(max_examples=40, deadline=None)
@given(graph=graphs(), rows=st.integers(1, 5))
def test_the_planned_arena_holds_every_living_byte(graph: Graph, rows: int, check_simulated) -> None:
    assume(list(stretches(graph)))
    cut = check_same_numbers(graph, longest(graph, rows))
    check_simulated(cut)


SEEDS = range(12)


@pytest.fixture(scope="module")
def bundle(make_bundle):
    graphs = [seeded(seed) for seed in SEEDS]
    return make_bundle([check_same_numbers(graph, longest(graph, 1 + seed % 3)) for seed, graph in enumerate(graphs)])


@pytest.mark.parametrize("seed", SEEDS)
def test_host_equals_the_unsplit_reference(seed: int, bundle) -> None:
    inputs = random_inputs(seeded(seed), 3, seed=seed)
    for mine, wanted in zip(bundle.host(seed, inputs), run_reference(seeded(seed), inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)


@pytest.mark.arm
@pytest.mark.parametrize("cpu", ["cortex-m4", "cortex-m0"])
@pytest.mark.parametrize("seed", SEEDS[:6])
def test_core_equals_the_unsplit_reference(seed: int, cpu: str, bundle) -> None:
    inputs = random_inputs(seeded(seed), 2, seed=seed)
    for mine, wanted in zip(bundle.core(cpu, seed, inputs), run_reference(seeded(seed), inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)


def one_layer(op: Op, height: int, weights: tuple[int, ...] | None = None, rounding: str = "double") -> Graph:
    builder = Builder(lambda a, b: a, height=height, width=4, channels=4, rounding=rounding)
    name = builder.add(op, "x", *([builder.constant(weights, 0)] if weights else []))
    assert name is not None
    return builder.done()


def test_a_tensor_of_one_pixel_is_left_whole() -> None:
    assert not list(stretches(one_layer(AvgPool2D(Window((4, 4))), 4)))


def test_one_row_is_cut_along_its_width() -> None:
    found = list(stretches(one_layer(Conv2D(Window((1, 1))), 1, (4, 1, 1, 4))))
    assert {s.axis for s in found} == {WIDTH}
    found = list(stretches(one_layer(Conv2D(Window((1, 1))), 2, (4, 1, 1, 4))))
    assert {s.axis for s in found} == {HEIGHT}


def test_an_enlarged_row_is_made_whole() -> None:
    """A stretch that ends with a factor of 3 makes three rows of each."""
    cut = check_same_numbers(one_layer(Resize(3, 1), 4), Stretch(0, 0, 1))
    assert [cut.tensors[n.outputs[0]].shape[1] for n in cut.nodes if n.op.kind == "resize"] == [3, 3, 3, 3]


def test_more_rows_a_step_than_there_are_is_one_strip() -> None:
    cut = check_same_numbers(one_layer(Conv2D(Window((1, 1))), 3, (4, 1, 1, 4)), Stretch(0, 0, 99))
    assert [node.op.kind for node in cut.nodes] == ["conv2d", "concat"]


def test_rows_between_strides_are_never_made() -> None:
    """Kernel 1, stride 3: of the layer before only every third row is read, and none after the last."""
    builder = Builder(lambda a, b: a, height=12, width=4, channels=4, rounding="double")
    builder.add(Conv2D(Window((1, 1))), "x", builder.constant((4, 1, 1, 4), 0))
    builder.add(Conv2D(Window((1, 1), (3, 1))), "t1", builder.constant((4, 1, 1, 4), 0))
    graph = builder.done()
    assert macs(check_same_numbers(graph, Stretch(0, 1, 2))) < macs(graph)


def test_a_window_in_nothing_but_padding_is_left_whole() -> None:
    """The first output row sees no row of the image."""
    graph = one_layer(Conv2D(Window((2, 2), pad=(2, 0, 0, 0))), 6, (4, 2, 2, 4))
    assert not by_rows(Site(graph, graph.nodes[0]), HEIGHT)
    assert not list(stretches(graph))


def test_averages_whose_rounding_depends_on_all_rows_are_left_whole() -> None:
    """ONNX: one shift for all numbers of pixels, so the padded first row's has a part in the others' rounding."""
    for rounding, whole in (("single", True), ("double", False)):
        graph = one_layer(AvgPool2D(Window((2, 1), pad=(1, 0, 0, 0))), 8, rounding=rounding)
        assert whole != bool(list(stretches(graph)))


def test_a_tensor_that_others_read_ends_the_stretch() -> None:
    builder = Builder(lambda a, b: a, height=8, width=4, channels=4, rounding="double")
    builder.add(Lookup("sigmoid"), "x")
    builder.add(Lookup("tanh"), "t1")
    graph = builder.done()
    graph.outputs = ["t1", "t2"]
    assert {(s.first, s.last) for s in stretches(graph)} == {(0, 0), (1, 1)}


def test_rows_that_do_not_end_on_a_word_are_left_whole() -> None:
    builder = Builder(lambda a, b: a, height=8, width=3, channels=3, rounding="double")
    builder.add(Lookup("sigmoid"), "x")
    assert not list(stretches(builder.done()))


def test_strips_share_their_layers_weights(make_bundle) -> None:
    from hilgate.compile.compile import allocate
    from hilgate.compile.options import Options

    graph = one_layer(Conv2D(Window((3, 3), pad=(1, 1, 1, 1))), 12, (4, 3, 3, 4))
    cut = check_same_numbers(graph, Stretch(0, 0, 3))
    whole, strips = (allocate(g, Options("ram"), "0" * 64).blob.total_bytes for g in (graph, cut))
    assert strips == whole
