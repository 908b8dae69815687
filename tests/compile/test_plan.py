"""The planner: no two living buffers share a byte, whatever the graph; views and in-place operators cost nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.compile.graph import Graph, Node, Quantization, Tensor
from hilgate.compile.homes import ALIGNMENT
from hilgate.compile.ops.add.op import Add
from hilgate.compile.ops.requantize.op import Requantize
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.plan import plan
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify_lowered


def random_graph(choices: list[tuple[int, int, int]], size: int) -> Graph:
    """Adds, requantizations and reshapes of random earlier tensors; the last tensors nobody reads are the outputs."""
    graph = Graph("random", inputs=["t0", "t1"])
    for name in graph.inputs:
        graph.add(Tensor(name, (1, size), "int8", Quantization((0.1,), 0)))
    made = list(graph.inputs)
    for index, (kind, a, b) in enumerate(choices):
        name = f"t{index + 2}"
        first, second = made[a % len(made)], made[b % len(made)]
        if kind == 2:
            node = Node(name, Reshape((1, size)), [first], [name])
        elif kind == 1:
            node = Node(name, Requantize(), [first], [name])
        else:
            node = Node(name, Add(), [first, second], [name])
        quantization = graph.tensors[first].quantization if kind == 2 else Quantization((0.1 + index / 50,), index)
        graph.add(Tensor(name, (1, size), "int8", quantization))
        graph.nodes.append(node)
        made.append(name)
    graph.outputs = [name for name in made if not graph.consumers(name)]
    return graph


GRAPHS = st.builds(
    random_graph,
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12),
    st.integers(1, 33),
)


@given(graph=GRAPHS)
def test_living_buffers_never_overlap(graph: Graph) -> None:
    found = plan(graph)
    for index, one in enumerate(found.buffers):
        assert one.offset % ALIGNMENT == 0
        assert one.end <= found.arena_bytes
        for other in found.buffers[:index]:
            if one.overlaps(other):
                assert one.end <= other.offset or other.end <= one.offset
    assert found.lower_bound <= found.arena_bytes


@settings(max_examples=300)
@given(graph=GRAPHS)
def test_running_in_the_planned_arena_gives_the_reference(graph: Graph) -> None:
    """The arena as bytes: every node reads its inputs from where they lie, and nobody has written over them."""
    verify_lowered(graph, float_edges=False)
    found, inputs = plan(graph), random_inputs(graph, 1, seed=1)
    arena = np.zeros(found.arena_bytes, np.int8)

    def place(name: str) -> np.ndarray:
        tensor = graph.tensors[name]
        return arena[found.offset[name] :][: tensor.elements].reshape(1, *tensor.shape)

    for name, array in inputs.items():
        place(name)[...] = array
    for site in graph.sites():
        result = site.node.op.reference(site, [place(t.name).copy() for t in site.inputs])
        place(site.output.name)[...] = result
    for name, wanted in zip(graph.outputs, run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(place(name), wanted)


def test_a_chain_in_place_needs_one_buffer() -> None:
    graph = random_graph([(1, 0, 0)], 64)
    graph.inputs, graph.outputs = ["t0"], ["t2"]
    del graph.tensors["t1"]
    assert plan(graph).arena_bytes == 64
    assert plan(graph, without=("in_place",)).arena_bytes == 128


def test_a_tensor_read_twice_is_not_overwritten() -> None:
    graph = random_graph([(1, 0, 0), (0, 0, 2)], 64)
    graph.inputs = ["t0"]
    del graph.tensors["t1"]
    found = plan(graph)
    assert found.offset["t2"] != found.offset["t0"]


def test_a_lagging_layer_overlaps_its_input() -> None:
    """Three 3x3 convolutions in a row need little more than one image: each may write one row behind its reading."""
    from hilgate.compile.compile import allocate
    from hilgate.compile.ops.conv2d.op import Conv2D
    from hilgate.compile.ops.window import Window
    from hilgate.compile.options import Options

    graph, generator = Graph("lag", inputs=["t0"]), np.random.default_rng(3)
    graph.add(Tensor("t0", (1, 16, 16, 8), "int8", Quantization((0.02,), 0)))
    for index in range(3):
        weights = generator.integers(-127, 128, (8, 3, 3, 8)).astype(np.int8)
        graph.add(Tensor(f"w{index}", weights.shape, "int8", Quantization((0.01,), 0), weights))
        graph.add(Tensor(f"t{index + 1}", (1, 16, 16, 8), "int8", Quantization((0.02,), 0)))
        op = Conv2D(Window((3, 3), pad=(1, 1, 1, 1)))
        graph.nodes.append(Node(f"n{index}", op, [f"t{index}", f"w{index}"], [f"t{index + 1}"]))
    graph.outputs = ["t3"]
    found = allocate(graph, Options(), "0" * 64).plan
    image, row, strip = 16 * 16 * 8, 16 * 8, 18 * 3 * 8 * 2
    assert found.offset["t1"] == found.offset["t0"] - row
    assert found.arena_bytes == image + 3 * row + strip
    assert found.arena_bytes < found.lower_bound
    assert plan(graph, without=("overlap",)).arena_bytes == 2 * image + strip


def test_odd_scratch_leaves_its_neighbours_aligned() -> None:
    """Scratch ends at any byte; tensors above it begin at words."""
    from hilgate.compile.place import Buffer, Cluster, place

    clusters = [Cluster([Buffer([name], size, 0, 0)], [0]) for name, size in (("a", 155), ("b", 92), ("c", 120))]
    assert place(clusters) == 92 + 120 + 155
    assert all(cluster.offset % ALIGNMENT == 0 for cluster in clusters)
