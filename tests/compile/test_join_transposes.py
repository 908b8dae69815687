"""Transpositions in a row: one or none is left, and the numbers stay where they were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hilgate.compile.graph import Graph, Node, Quantization, Tensor
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.transpose.op import Transpose
from hilgate.compile.options import Options
from hilgate.compile.passes import join_transposes
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify_lowered

ONE = Quantization((0.1,), 0)
TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def chain(shape: tuple[int, ...], steps: Sequence[tuple[str, tuple[int, ...]]]) -> Graph:
    """Transpositions ("t", order) and reshapes ("r", shape) one after another."""
    graph = Graph("chain", inputs=["x"])
    name = graph.add(Tensor("x", shape, "int8", ONE)).name
    for index, (kind, numbers) in enumerate(steps):
        op = Transpose(numbers) if kind == "t" else Reshape(numbers)
        made = graph.add(Tensor(f"y{index}", op.output_shapes([graph.tensors[name]])[0], "int8", ONE)).name
        graph.nodes.append(Node(made, op, [name], [made]))
        name = made
    graph.outputs = [name]
    return graph


def transposes(graph: Graph) -> int:
    return sum(isinstance(node.op, Transpose) for node in graph.nodes)


def check(graph: Graph) -> int:
    """Run the pass; returns how many transpositions are left."""
    inputs, before = random_inputs(graph, 2, 1), transposes(graph)
    wanted = run_reference(graph, inputs)[0]
    gone = join_transposes.run(graph, Options())
    verify_lowered(graph, float_edges=False)
    np.testing.assert_array_equal(run_reference(graph, inputs)[0], wanted)
    assert before - gone == transposes(graph)
    return transposes(graph)


SHUFFLE = [("t", TO_FIRST), ("r", (1, 2, 4, 3, 5)), ("t", (0, 2, 1, 3, 4)), ("r", (1, 8, 3, 5)), ("t", TO_LAST)]
DEPTH_TO_SPACE = [
    ("t", TO_FIRST),
    ("r", (1, 2, 2, 2, 3, 5)),
    ("t", (0, 1, 4, 2, 5, 3)),
    ("r", (1, 2, 6, 10)),
    ("t", TO_LAST),
]


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([("t", TO_FIRST), ("t", TO_LAST)], 0),
        ([("t", TO_FIRST), ("r", (1, 8, 15)), ("t", (0, 2, 1)), ("r", (1, 3, 5, 8))], 0),
        (SHUFFLE, 1),
        (DEPTH_TO_SPACE, 1),
        ([("t", (0, 2, 1, 3)), ("t", TO_FIRST), ("r", (1, 120))], 1),
        ([("t", TO_FIRST)], 1),
        ([("t", TO_FIRST), ("r", (1, 12, 10)), ("t", (0, 2, 1))], 2),
    ],
    ids=["back", "back_through_a_reshape", "shuffle", "depth_to_space", "two_turns", "one", "uneven"],
)
def test_what_is_left(steps, left: int) -> None:
    """A reshape that cuts an axis unevenly keeps its neighbours apart."""
    assert check(chain((1, 3, 5, 8), steps)) == left


def test_a_tensor_that_others_read_stays() -> None:
    graph = chain((1, 3, 5, 8), [("t", TO_FIRST), ("t", TO_LAST)])
    graph.outputs.append("y0")
    assert check(graph) == 2


def test_the_output_of_the_graph_keeps_its_name() -> None:
    graph = chain((1, 3, 5, 8), SHUFFLE)
    check(graph)
    assert graph.outputs == ["y4"]


@settings(max_examples=300, deadline=None)
@given(
    shape=st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=4),
    draws=st.lists(st.tuples(st.booleans(), st.integers(0, 10**6)), min_size=2, max_size=7),
)
def test_any_chain_keeps_its_numbers(shape: list[int], draws) -> None:
    current, steps = (1, *shape), []
    for turn, seed in draws:
        random = np.random.default_rng(seed)
        if turn:
            order = tuple(int(i) for i in random.permutation(len(current)))
            steps.append(("t", order))
            current = tuple(current[i] for i in order)
        else:
            factors = [p for size in current for p in {4: (2, 2), 6: (2, 3)}.get(size, (size,))]
            random.shuffle(factors)
            cuts = sorted(random.integers(0, len(factors) + 1, 3))
            parts = np.split(np.array(factors), cuts)
            current = tuple(int(np.prod(part)) for part in parts)
            steps.append(("r", current))
    graph = chain((1, *shape), steps)
    assume(transposes(graph) >= 2)
    assert check(graph) <= transposes(chain((1, *shape), steps))
