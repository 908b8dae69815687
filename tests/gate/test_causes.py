"""What stands behind a change: facts of both images side by side, and nothing where nothing changed."""

from __future__ import annotations

import dataclasses
import json

import pytest

from hilgate.gate.changes import changed_packages, changes_between
from hilgate.gate.measured import Build, parse_build
from hilgate.gate.pairing import pair_layers
from hilgate.gate.sides import pinned


def layer(name, channels=24, **changed):
    facts = {"op": "conv2d", "kernel": "conv2d_panel_s8", "macs": 100 * channels, "weights_bytes": 40 * channels}
    shapes = {"input_shapes": [[1, 8, 8, channels]], "output_shape": [1, 8, 8, 16], "arena_bytes": 64 * channels}
    return {"name": name, **facts, **shapes, **changed}


def build(*layers, **symbols):
    sizes = {("model_weights", "flash"): 4000, ("main", "flash"): 50, ("arena", "sram"): 2000}
    sizes |= {(name, "flash"): size for name, size in symbols.items()}
    sections = {(".text", "flash"): sum(symbols.values()) + 50, (".weights", "flash"): 4000, (".arena", "ram"): 2000}
    return Build("b" * 64, sizes, ("main (8)",), sections, layers)


@pytest.fixture
def sides(make):
    def of(old, new, **changed):
        base = dataclasses.replace(make.measurement(), build=old)
        return base, dataclasses.replace(make.measurement(), build=new, **changed)

    return of


def test_a_self_comparison_is_all_zeros(sides):
    one = build(layer("fc1"), layer("fc2"), fc_s8=700)
    changes = changes_between(*sides(one, one))
    assert changes["symbols"] == changes["layer_facts"] == changes["environment"] == changes["hashes"] == []
    for kind in ("layers", "sizes", "sections"):
        assert changes[kind], kind
        assert all(row["base"] == row["head"] for row in changes[kind])
    assert changes["stack_path"]["base"] == changes["stack_path"]["head"]


def test_a_layer_that_changed_shows_all_facts_of_both_sides(sides):
    new = layer("fc1", 25, kernel="conv2d_columns_s8")
    changes = changes_between(*sides(build(layer("fc1"), layer("fc2")), build(new, layer("fc2"))))
    (row,) = changes["layer_facts"]
    assert (row["name"], row["base"]["kernel"], row["head"]["kernel"]) == (
        "fc1",
        "conv2d_panel_s8",
        "conv2d_columns_s8",
    )
    assert (row["base"]["input_shapes"], row["head"]["input_shapes"]) == ([[1, 8, 8, 24]], [[1, 8, 8, 25]])


def test_a_layer_that_is_called_otherwise_says_how(sides, make):
    old, new = build(layer("fc1"), layer("fc2")), build(layer("a"), layer("fc2"))
    base, head = sides(old, new)
    renamed = tuple(zip(("a", "fc2"), (cycles for _, cycles in head.latency.layers), strict=True))
    head = dataclasses.replace(head, latency=dataclasses.replace(head.latency, layers=renamed))
    rows = changes_between(base, head)["layers"]
    assert [(row["name"], row.get("was"), row["base"] == row["head"]) for row in rows] == [
        ("a", "fc1", True),
        ("fc2", None, True),
    ]


def test_sections_of_both_sides_stand_side_by_side(sides):
    changes = changes_between(*sides(build(fc_s8=100), build(fc_s8=160)))
    assert {(row["name"], row["base"], row["head"]) for row in changes["sections"]} == {
        (".text", 150, 210),
        (".weights", 4000, 4000),
        (".arena", 2000, 2000),
    }


def test_the_image_is_whole_whatever_is_cut(sides):
    many = {f"f{number}": 10 + number for number in range(200)}
    one = build(layer("fc1"), layer("fc2"), **many)
    rows = changes_between(*sides(one, one))["image"]
    assert len(rows) < 100
    assert sum(row["bytes"] for row in rows) == sum(one.symbols.values())
    assert [row["bytes"] for row in rows if row["kind"] == "weights"] == [960, 960]
    assert [row["memory"] for row in rows if row["kind"] == "rest"] == ["flash"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a", "b"], ["a", "b"], [(0, 0), (1, 1)]),
        (["a", "b"], ["x", "y"], [(0, 0), (1, 1)]),  # the same operators in the same order: other names only
        (["a", "c"], ["a", "b", "c"], [(0, 0), (None, 1), (1, 2)]),
        (["a", "b", "c"], ["a", "c"], [(0, 0), (2, 1), (1, None)]),
        (["a", "a"], ["a", "a", "a"], [(0, 0), (1, 1), (None, 2)]),
        ([], ["a"], [(None, 0)]),
    ],
)
def test_layers_are_paired_by_position_or_by_name(old, new, expected):
    sides = [build(*(layer(name) for name in names)) for names in (old, new)]
    assert pair_layers(old, new, *sides) == expected


def test_without_facts_layers_are_paired_by_name():
    assert pair_layers(["a", "b"], ["b", "a"], None, None) == [(1, 0), (0, 1)]


def test_another_operator_is_another_layer():
    old, new = build(layer("a"), layer("b")), build(layer("a"), layer("b", op="add"))
    assert pair_layers(["a", "b"], ["a", "b"], old, new) == [(0, 0), (None, 1), (1, None)]


def networks(old, new):
    """Two networks of (name, channels) and the pairs of their names."""
    sides = [build(*(layer(name, channels) for name, channels in side)) for side in (old, new)]
    names = [[name for name, _ in side] for side in (old, new)]
    pairs = pair_layers(*names, *sides)
    return [(None if a is None else names[0][a], None if b is None else names[1][b]) for a, b in pairs]


def test_a_layer_that_was_put_in_moves_no_other_though_all_names_behind_it_are_new():
    old = [("conv_1", 8), ("conv_2", 16), ("conv_3", 32), ("conv_4", 64)]
    new = [("conv_1", 8), ("conv_2", 12), ("conv_3", 16), ("conv_4", 32), ("conv_5", 64)]
    assert networks(old, new) == [
        ("conv_1", "conv_1"),
        (None, "conv_2"),
        ("conv_2", "conv_3"),
        ("conv_3", "conv_4"),
        ("conv_4", "conv_5"),
    ]


def test_a_layer_keeps_its_name_where_its_shape_changed_beside_one_that_came():
    old, new = [("stem", 8), ("body", 16), ("head", 32)], [("stem", 8), ("body", 17), ("more", 24), ("head", 33)]
    assert networks(old, new) == [("stem", "stem"), ("body", "body"), (None, "more"), ("head", "head")]


def test_pairs_are_each_layer_once():
    old = [(f"l{at}", at % 3) for at in range(40)]
    for new in (old[5:], old[:7] + old[9:], old[::-1], old * 2, []):
        pairs = networks(old, new)
        assert len(pairs) == len(set(pairs)) or new == old * 2
        assert sum(then is not None for then, _ in pairs) == len(old)
        assert [now for _, now in pairs if now is not None] == [name for name, _ in new]


def test_thousands_of_equal_layers_take_no_time():
    old, new = (build(*(layer("l") for _ in range(count))) for count in (4000, 3999))
    assert len(pair_layers(["l"] * 4000, ["l"] * 3999, old, new)) == 4000


def test_facts_of_one_side_explain_nothing(sides):
    changes = changes_between(*sides(build(), build(layer("fc1"))))
    assert changes["layer_facts"] == []


def test_sizes_of_before_are_read_too(sides):
    document = {
        "schema": "sizes",
        "version": 1,
        "cell": "c",
        "task": "t",
        "board": "b",
        "stack_path": [],
        "symbols": [],
    }
    flash = dict.fromkeys(("total_bytes", "weights_bytes", "kernels_bytes", "runtime_bytes", "capacity_bytes"), 1)
    ram = dict.fromkeys(("static_bytes", "arena_bytes", "stack_worst_bytes", "capacity_bytes", "total_bytes"), 1)
    hashes = {"elf": "e" * 64, "image": "b" * 64}
    tools = {"compiler": "c", "version": "1", "pinned": True, "flags": ""}
    read = parse_build(json.dumps({**document, "flash": flash, "ram": ram, "hashes": hashes, "toolchain": tools}), "x")
    assert (read.sections, read.layers) == ({}, ())
    assert changes_between(*sides(read, build(layer("fc1"))))["sections"] == []


def test_packages_of_lock_files_are_compared():
    old = pinned("torch==2.13.0\nonnx==1.23.0 \\\n    --hash=sha256:00\n# x==1\n    y==2\n")
    assert old == {"torch": "2.13.0", "onnx": "1.23.0"}
    assert changed_packages(old, {**old, "onnx": "1.24.0", "dvc": "3"}) == (
        {"name": "dvc", "base": "not there", "head": "3"},
        {"name": "onnx", "base": "1.23.0", "head": "1.24.0"},
    )
