"""Sentences about causes: made of what both sides hold, and silent about what is not known."""

from __future__ import annotations

import copy

import pytest

from hilgate.report.assemble import assemble
from hilgate.report.explain import causes, layer_facts, share
from hilgate.report.story import headline


def facts(**changed):
    shapes = {"input_shapes": [[1, 8, 8, 24]], "output_shape": [1, 8, 8, 16]}
    return {"op": "conv2d", "kernel": "a_s8", "macs": 100, "weights_bytes": 10, "arena_bytes": 50, **shapes, **changed}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({}, ""),
        ({"weights_bytes": 99, "arena_bytes": 99}, ""),
        ({"kernel": "b_s8"}, "it runs `b_s8` instead of `a_s8`"),
        ({"input_shapes": [[1, 8, 8, 25]], "macs": 110}, "its input channels went 24 → 25"),
        ({"input_shapes": [[1, 4, 4, 24]]}, "its input height and width went 8×8 → 4×4"),
        ({"input_shapes": [[1, 4, 4, 25]]}, "its input went 1×8×8×24 → 1×4×4×25"),
        ({"input_shapes": [[1, 24]]}, "its input went 1×8×8×24 → 1×24"),
        ({"input_shapes": []}, "it has 0 inputs instead of 1"),
        ({"output_shape": [1, 8, 8, 17]}, "its output channels went 16 → 17"),
        ({"macs": 200}, "its MACs went 100 → 200"),
        ({"op": "add"}, "it is `add` instead of `conv2d`"),
        (
            {"input_shapes": [[1, 8, 8, 25]], "output_shape": [1, 8, 8, 17], "kernel": "b`s8"},
            "its input channels went 24 → 25, its output channels went 16 → 17 and it runs `b's8` instead of `a_s8`",
        ),
    ],
)
def test_only_what_differs_is_said_of_a_layer(new, expected):
    assert layer_facts(facts(), facts(**new)) == expected


def test_a_layer_of_one_side_has_no_difference():
    assert layer_facts(None, facts()) == layer_facts(facts(), None) == ""


@pytest.mark.parametrize(
    ("value", "base", "expected"),
    [(71, 1000, "+7.1 %"), (-410, 1000, "−41 %"), (5, 1000, "+0.50 %"), (1, 10**6, "+<0.01 %"), (3, 2, "+150 %")],
)
def test_shares_have_as_many_digits_as_they_need(value, base, expected):
    assert share(value, base) == expected


def test_the_sentence_names_layer_shape_and_kernel(verdicts):
    found = causes(verdicts["one_regress"]["cells"][0], "main")
    assert found[0] == (
        "latency +7.1 %: `conv2d_3` +18 %; its input channels went 24 → 25 "
        "and it runs `conv2d_columns_s8` instead of `conv2d_panel_s8`"
    )
    assert found[1] == "flash +0.93 %: weights +682 B; most in `conv2d_3`, +450 B"


def test_changed_layers_show_what_they_weigh(verdicts):
    (cell,) = assemble(verdicts["one_regress"], "toy").cells
    assert [(row.name, row.group, row.base, row.head) for row in cell.layer_bytes] == [
        ("conv2d_2", "flash", 5568, 5800),
        ("conv2d_3", "flash", 11600, 12050),
    ]
    assert assemble(verdicts["only_docs_changed"], "toy").cells[0].layer_bytes == ()


def test_a_self_comparison_explains_nothing(verdicts):
    assert causes(verdicts["only_docs_changed"]["cells"][0], "main") == []


def cell_with(verdicts, **changes):
    """A cell whose latency, flash or RAM moved by these changes and nothing else."""
    cell = copy.deepcopy(verdicts["only_docs_changed"]["cells"][0])
    for metric in ("latency_us", "flash_bytes", "ram_bytes", "accuracy"):
        moved = changes.pop(metric, None)
        if moved:
            next(axis for axis in cell["axes"] if axis["metric"] == metric)["change"] = moved
    cell["changes"].update(changes)
    return cell


def rows(memory, part, base, head):
    return [{"memory": memory, "part": part, "base": base, "head": head}]


def test_the_largest_step_of_several_layers_has_its_share(verdicts):
    layers = [{"name": "a", "base": 100, "head": 130}, {"name": "b", "base": 100, "head": 110}]
    assert causes(cell_with(verdicts, latency_us=400.0, layers=layers), "main") == [
        "latency +20 %: `a` +30 %, 75 % of the change in 2 layers"
    ]
    layers[1]["head"] = 75
    assert causes(cell_with(verdicts, latency_us=50.0, layers=layers), "main") == [
        "latency +2.5 %: `a` +30 %, the largest change in 2 layers"
    ]


def test_a_new_layer_and_one_that_went_are_said_to_be_so(verdicts):
    layers = [{"name": "a", "base": 100, "head": 100}, {"name": "b", "base": None, "head": 50}]
    assert causes(cell_with(verdicts, latency_us=500.0, layers=layers), "main") == [
        "latency +25 %: `b`, which is new, +50 cycles"
    ]


def test_layers_of_one_side_only_explain_nothing(verdicts):
    layers = [{"name": "a", "base": None, "head": 100}]
    assert causes(cell_with(verdicts, latency_us=500.0, layers=layers), "main") == []


def test_a_layer_of_another_name_is_said_to_have_had_it(verdicts):
    layers = [{"name": "conv_3", "base": 100, "head": 130, "was": "conv_2"}]
    cell = cell_with(verdicts, latency_us=600.0, layers=layers)
    assert causes(cell, "main") == ["latency +30 %: `conv_3` (was `conv_2`) +30 %"]
    document = {**verdicts["only_docs_changed"], "cells": [cell]}
    assert assemble(document, "toy").cells[0].layers[0].detail == "it was called `conv_2`"


def test_what_several_layers_share_is_said_of_all(verdicts):
    layers = [{"name": name, "base": 100, "head": 130} for name in "abcd"]
    known = [{"name": name, "base": facts(), "head": facts(kernel="b_s8")} for name in "abc"]
    found = causes(cell_with(verdicts, latency_us=600.0, layers=layers, layer_facts=known), "main")
    assert found[0].endswith("; it runs `b_s8` instead of `a_s8`, as in 2 other layers")


def test_two_layers_of_one_name_are_told_without_facts(verdicts):
    layers = [{"name": "a", "base": 100, "head": 130}, {"name": "a", "base": 100, "head": 100}]
    known = [{"name": "a", "base": facts(), "head": facts(kernel="b_s8")}]
    found = causes(cell_with(verdicts, latency_us=300.0, layers=layers, layer_facts=known), "main")
    assert found == ["latency +15 %: `a` +30 %"]


def test_ram_is_explained_by_the_layer_that_needs_the_arena(verdicts):
    known = [{"name": "a", "base": facts(), "head": facts(arena_bytes=3000, output_shape=[1, 8, 8, 32])}]
    sizes = rows("ram", "arena_bytes", 2000, 3000)
    assert causes(cell_with(verdicts, ram_bytes=1000.0, sizes=sizes, layer_facts=known), "main") == [
        "RAM +5.0 %: arena +1,000 B; `a` needs all of it: its output channels went 16 → 32"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["main (8)", "f (16)"], ["main (8)", "f (48)"], "the frame in the deepest chain went `f (16)` → `f (48)`"),
        (["main (8)", "f (16)"], ["main (8)", "g (48)"], "the deepest chain of calls now goes through `g`"),
        (["main (8)", "f (16)"], ["main (8)"], "another chain is deepest"),
        ([], ["main (8)"], ""),
    ],
)
def test_ram_is_explained_by_the_stack(verdicts, old, new, expected):
    sizes = rows("ram", "stack_worst_bytes", 100, 132)
    (found,) = causes(cell_with(verdicts, ram_bytes=32.0, sizes=sizes, stack_path={"base": old, "head": new}), "main")
    assert found == "RAM +0.16 %: stack worst +32 B" + (f"; {expected}" if expected else "")


def test_code_is_explained_by_its_largest_symbol(verdicts):
    symbols = [
        {"name": "model_weights", "memory": "flash", "base": 1, "head": 9999},
        {"name": "ring", "memory": "sram", "base": 1, "head": 5000},
        {"name": "fc_s8", "memory": "flash", "base": 100, "head": 40},
    ]
    sizes = rows("flash", "kernels_bytes", 1000, 940)
    found = causes(cell_with(verdicts, flash_bytes=-60.0, sizes=sizes, symbols=symbols), "main")
    assert found == ["flash −0.06 %: kernels −60 B; most `fc_s8` −60 B"]


@pytest.mark.parametrize(("part", "named"), [("kernels_bytes", "fc_s8"), ("runtime_bytes", "command_execute")])
def test_the_symbol_is_one_of_the_part_that_moved(verdicts, part, named):
    symbols = [
        {"name": "fc_s8", "memory": "flash", "base": 100, "head": 200, "section": ".kernels"},
        {"name": "command_execute", "memory": "flash", "base": 100, "head": 160, "section": ".text"},
    ]
    (found,) = causes(
        cell_with(verdicts, flash_bytes=60.0, sizes=rows("flash", part, 1000, 1060), symbols=symbols), "main"
    )
    assert f"; most `{named}`" in found


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        (["weights", "image"], "other weights of the same architecture"),
        (["weights", "architecture"], "another architecture and other weights"),
        (["dataset"], "another test set"),
        (["image"], ""),
    ],
)
def test_accuracy_is_explained_by_what_it_is_computed_from(verdicts, hashes, expected):
    found = causes(cell_with(verdicts, accuracy=-0.04, hashes=hashes), "main")
    assert found[:-1] == ([f"accuracy −4.00 points: {expected}"] if expected else [])
    assert found[-1] == f"changed against main: {', '.join(hashes)}"


def test_a_new_cell_is_not_called_nothing(verdicts):
    verdict = copy.deepcopy(verdicts["only_docs_changed"])
    new = copy.deepcopy(verdict["cells"][0])
    for axis in new["axes"]:
        axis["change"] = None
    verdict["cells"].append(new)
    assert "1 cell is new, nothing else changed against main; all 2 cells stay" in headline(verdict)
