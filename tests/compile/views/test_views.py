"""Slices and concatenations without copies: which become views, which do not and why, and that C agrees."""

from __future__ import annotations

import numpy as np
import pytest

from hilgate.compile.compile import allocate
from hilgate.compile.graph import Graph, Site
from hilgate.compile.ops.add.op import Add
from hilgate.compile.ops.requantize.op import Requantize
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.slice.op import Slice
from hilgate.compile.options import Options
from hilgate.compile.passes import avoid_copies
from hilgate.compile.reference import random_inputs, run_reference

# Shapes of graphs, each with the layers that must still copy


def two_branches(maker, side: int = 4) -> Graph:
    m = maker()
    x = m.input(side, side)
    return m.done(m.conv(m.join(m.conv(x), m.conv(x))))


def strips(maker) -> Graph:
    m = maker()
    x = m.conv(m.input(12))
    return m.done(m.join(m.conv(m.rows(x, 0, 6)), m.conv(m.rows(x, 4, 5)), m.conv(m.rows(x, 8, 4))))


def nested(maker) -> Graph:
    m = maker()
    x = m.conv(m.input(4))
    inner = m.join(m.conv(x), m.conv(m.rows(m.rows(x, 1, 3), 1, 2)))
    return m.done(m.conv(m.join(m.join(inner, m.conv(x)), m.conv(x))))


def inputs_and_outputs_among_the_parts(maker) -> Graph:
    m = maker()
    x, z = m.input(2), m.input(3)
    y = m.conv(x)
    return m.done(m.join(z, y, x), y)


def shift_register(maker) -> Graph:
    m = maker()
    state, frame = m.input(7), m.input(1)
    return m.done(m.join(m.rows(state, 1, 6), m.conv(frame)))


def part_read_elsewhere(maker) -> Graph:
    m = maker()
    a = m.conv(m.input(3))
    y = m.join(a, m.conv(a))
    return m.done(y, m.node(Requantize(), a))


def joined_again(maker) -> Graph:
    """Dense blocks along rows: each joined tensor is the beginning of the next."""
    m = maker()
    y = m.join(m.conv(m.input(3)), m.conv("x0"))
    for _ in range(3):
        y = m.join(y, m.conv(m.rows(y, 1, 2)))
    return m.done(y)


def vectors(maker) -> Graph:
    """Channels of 1x1 images, and reshaped parts."""
    m = maker()
    a, b = m.input(1, 1, 8), m.input(1, 1, 12)
    flat = m.node(Reshape((1, 20)), m.join(m.conv(a, 1), m.conv(b, 1), axis=3))
    return m.done(m.join(flat, m.node(Reshape((1, 12)), b), axis=1))


FREE = [two_branches, strips, nested, inputs_and_outputs_among_the_parts, shift_register, part_read_elsewhere]
FREE += [joined_again, vectors]


def twice_the_same(maker) -> Graph:
    m = maker()
    x = m.conv(m.input(3))
    return m.done(m.conv(m.join(x, x)))


def in_two_places(maker) -> Graph:
    m = maker()
    a, b = m.conv(m.input(3)), m.conv("x0")
    return m.done(m.join(a, b), m.join(b, a))


def swapped_halves(maker) -> Graph:
    m = maker()
    x = m.conv(m.input(4))
    return m.done(m.join(m.rows(x, 2, 2), m.rows(x, 0, 2)))


def others_in_the_way(maker) -> Graph:
    """The first part's tensor goes on where the second part must lie."""
    m = maker()
    x = m.conv(m.input(4))
    return m.done(m.join(m.rows(x, 0, 2), m.conv(m.input(1))), m.conv(x))


COPIES = [  # how many bytes still move of those that did
    (twice_the_same, 48, 96),
    (in_two_places, 48, 192),  # a, b, a again
    (swapped_halves, 32, 128),
    (others_in_the_way, 32, 80),
]
NAMED = [*FREE, *(make for make, *_ in COPIES)]


@pytest.mark.parametrize("make", FREE, ids=lambda make: make.__name__)
def test_nothing_is_copied(make, maker, copying, check_simulated) -> None:
    graph = make(maker)
    assert copying(graph) == []
    check_simulated(graph)


@pytest.mark.parametrize("case", COPIES, ids=lambda case: case[0].__name__)
def test_only_parts_with_another_place_are_copied(case, maker, copying, check_simulated) -> None:
    make, still, before = case
    graph = make(maker)
    moved = [graph.tensors[n.outputs[0]].bytes for n in graph.nodes if n.op.kind in ("slice", "concat")]
    assert sum(moved) == before
    names = copying(graph)
    assert sum(graph.tensors[name].bytes for name in names) == still
    check_simulated(graph)


def channels(maker) -> Graph:
    m = maker()
    x = m.input(3)
    return m.done(m.join(m.conv(x), m.conv(x), axis=3))


def every_other_row(maker) -> Graph:
    m = maker()
    return m.done(m.node(Slice((0, 0, 0, 0), (1, 2, 4, 4), (1, 2, 1, 1)), m.input(4)))


def odd_rows(maker) -> Graph:
    m = maker()
    return m.done(m.rows(m.input(3, 3, 3), 1, 2))


@pytest.mark.parametrize(
    ("make", "why"),
    [(channels, "alternate"), (every_other_row, "no one stretch"), (odd_rows, "multiple of 4")],
    ids=["channels", "every_other_row", "odd_rows"],
)
def test_what_must_be_copied_says_why(make, why: str, maker, copying, check_simulated) -> None:
    graph = make(maker)
    (name,) = copying(graph)
    assert why in avoid_copies.why_not(Site(graph, graph.producer(name)))
    check_simulated(graph)


def test_an_output_never_takes_the_place_of_a_sibling(maker, copying, check_simulated) -> None:
    """The second half could be requantized in place, the first not: it is read again afterwards."""
    m = maker()
    x = m.conv(m.input(4))
    top, bottom = m.rows(x, 0, 2), m.rows(x, 2, 2)
    a = m.node(Requantize(), top)
    b = m.node(Requantize(), bottom)
    graph = m.done(m.node(Add(), a, m.node(Add(), b, m.rows(x, 0, 2))))
    assert copying(graph) == []
    found = check_simulated(graph)
    assert found.offset[a] != found.offset[top]
    assert found.offset[b] == found.offset[bottom]


def test_an_addition_of_overlapping_rows_is_not_in_place(maker, copying, check_simulated) -> None:
    m = maker()
    x = m.conv(m.input(3))
    graph = m.done(m.node(Add(), m.rows(x, 1, 2), m.rows(x, 0, 2)))
    assert copying(graph) == []
    found = check_simulated(graph)
    assert abs(found.offset[graph.outputs[0]] - found.offset[x]) >= 32


def test_rows_die_one_after_another(maker, copying, check_simulated) -> None:
    """What a strip has read for the last time makes room, while later strips still read the rest of the image."""
    m = maker()
    x = m.input(16)
    graph = m.done(*(m.node(Reshape((1, 64)), m.conv(m.rows(x, 4 * i, 4))) for i in range(4)))
    assert copying(graph) == []
    found = check_simulated(graph)
    assert len([b for b in found.buffers if x in b.tensors]) == 4
    image, row, scratch = 256, 16, 144
    assert found.arena_bytes == image + row + scratch, "each strip is written over the rows that it read last"


def test_views_need_less_arena_and_fewer_layers(maker) -> None:
    free, plain = two_branches(maker, 16), two_branches(maker, 16)
    avoid_copies.run(free, Options())
    made, copied = allocate(free, Options(), "0" * 64), allocate(plain, Options(), "0" * 64)
    assert len(made.layers) == len(copied.layers) - 1
    assert made.plan.arena_bytes < copied.plan.arena_bytes


@pytest.fixture(scope="module")
def bundle(make_bundle, maker):
    graphs = [make(maker) for make in NAMED]
    for graph in graphs:
        avoid_copies.run(graph, Options())
    return make_bundle(graphs)


@pytest.mark.parametrize("index", range(len(NAMED)), ids=[make.__name__ for make in NAMED])
def test_c_gives_the_reference(index: int, bundle) -> None:
    """With the kernels that the compiler chooses, which overlap their inputs where they may."""
    graph = bundle.built[index].graph
    inputs = random_inputs(graph, 3, seed=index)
    for mine, wanted in zip(bundle.host(index, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)


@pytest.mark.arm
@pytest.mark.parametrize("index", range(len(NAMED)), ids=[make.__name__ for make in NAMED])
def test_the_core_gives_the_reference(index: int, bundle) -> None:
    graph = bundle.built[index].graph
    inputs = random_inputs(graph, 1, seed=index)
    for mine, wanted in zip(bundle.core("cortex-m4", index, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)
