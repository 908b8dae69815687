"""What stands behind a change: facts of both images side by side, and nothing where nothing changed."""

from __future__ import annotations

import dataclasses
import json

import pytest

from hilgate.gate.causes import pair_layers
from hilgate.gate.changes import changed_packages, changes_between
from hilgate.gate.measured import Build, parse_build
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


def test_other_operators_are_never_paired_by_position():
    old, new = build(layer("a"), layer("b")), build(layer("x"), layer("y", op="add"))
    assert pair_layers(["a", "b"], ["x", "y"], old, new) == [(None, 0), (None, 1), (0, None), (1, None)]


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
