"""Random graphs of slices, concatenations and layers, as bytes in an arena whose dead bytes are poisoned and as C under
sanitizers, give what the reference gives.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.compile.graph import Graph
from hilgate.compile.ops.add.op import Add
from hilgate.compile.ops.requantize.op import Requantize
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.reference import random_inputs, run_reference

SEEDS = range(24)
STEPS = st.lists(st.tuples(st.integers(0, 5), *[st.integers(0, 99)] * 4), min_size=2, max_size=14)


def random_graph(maker, steps: list[tuple[int, ...]], width: int) -> Graph:
    """Convolutions, requantizations, additions, slices, concatenations and reshapes of any earlier images."""
    m = maker()
    made = [m.input(3, width), m.input(2, width)]
    for kind, a, b, c, d in steps:
        x, other = made[a % len(made)], made[b % len(made)]
        rows, shape = m.graph.tensors[x].shape[1], m.graph.tensors[other].shape
        if kind == 0:
            made.append(m.conv(x, 3 if c % 2 else 1))
        elif kind == 1:
            made.append(m.node(Requantize(), x))
        elif kind == 2 and m.graph.tensors[x].shape == shape:
            made.append(m.node(Add(), x, other))
        elif kind == 3:
            first = c % rows
            made.append(m.rows(x, first, 1 + d % (rows - first)))
        elif kind == 4 and rows + shape[1] <= 12:
            parts = [x, other] if c % 3 else [other, x, made[d % len(made)]]
            made.append(m.join(*parts))
        elif kind == 5:
            made.append(m.node(Reshape(m.graph.tensors[x].shape), x))
    return m.done()


@settings(max_examples=400, deadline=None)
@given(steps=STEPS, width=st.sampled_from([1, 2, 3, 5]))
def test_no_living_byte_is_written_over(steps, width: int, maker, copying, check_simulated) -> None:
    graph = random_graph(maker, steps, width)
    before = sum(graph.tensors[n.outputs[0]].bytes for n in graph.nodes if n.op.kind in ("slice", "concat"))
    assert sum(graph.tensors[name].bytes for name in copying(graph)) <= before
    check_simulated(graph)


def seeded(maker, seed: int) -> Graph:
    random = np.random.default_rng(seed)
    steps = [tuple(int(v) for v in (random.integers(0, 6), *random.integers(0, 100, 4))) for _ in range(14)]
    return random_graph(maker, steps, int(random.choice([1, 2, 4])))


@pytest.fixture(scope="module")
def bundle(make_bundle, maker, copying):
    graphs = [seeded(maker, seed) for seed in SEEDS]
    for graph in graphs:
        copying(graph)
    return make_bundle(graphs)


@pytest.mark.parametrize("index", SEEDS)
def test_c_gives_the_reference(index: int, bundle) -> None:
    """With the kernels that the compiler chooses, which overlap their inputs where they may."""
    graph = bundle.built[index].graph
    inputs = random_inputs(graph, 3, seed=index)
    for mine, wanted in zip(bundle.host(index, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)


@pytest.mark.arm
@pytest.mark.parametrize("index", SEEDS)
def test_the_core_gives_the_reference(index: int, bundle) -> None:
    graph = bundle.built[index].graph
    inputs = random_inputs(graph, 1, seed=index)
    for mine, wanted in zip(bundle.core("cortex-m4", index, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)
