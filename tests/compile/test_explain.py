"""`hilgate compile --explain` and the predicted cycles: what they say is what is so."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hilgate import cli
from hilgate.compile.arena_map import text_map
from hilgate.compile.arena_svg import svg
from hilgate.compile.cases import cases_of, graph_of
from hilgate.compile.compile import compile_model
from hilgate.compile.cost import predicted_cycles
from hilgate.compile.explain import explain
from hilgate.compile.options import Options
from hilgate.compile.passes import PASSES
from hilgate.compile.plan import plan
from hilgate.compile.reference import random_inputs


def test_steps_follow_the_passes_and_end_where_the_compilation_ends(models, tmp_path: Path) -> None:
    options = Options(updatable=False)
    explanation = explain(models["kept_relu"], options)
    assert [step.name for step in explanation.steps] == ["as read", *(p.name for p in PASSES)]
    compiled = compile_model(models["kept_relu"], tmp_path, options)
    last = explanation.steps[-1]
    assert (last.macs, last.layers) == (compiled.model["macs"], len(compiled.model["layers"]))
    assert explanation.steps[0].arena_bytes is None
    assert last.arena_bytes is not None
    assert explanation.choices[0].arena_bytes == compiled.model["arena_bytes"]
    assert explanation.choices[0].blob_bytes == compiled.model["weights_bytes"]
    assert explanation.choices[0].cycles == sum(compiled.cycles)


def test_choices_are_the_other_options(models) -> None:
    choices = explain(models["digits"], Options(updatable=False)).choices
    assert [(c.options.optimize, c.options.updatable) for c in choices] == [
        ("speed", False),
        ("speed", True),
        ("size", False),
        ("ram", False),
    ]


def test_the_map_shows_every_buffer_where_it_lies(models) -> None:
    explanation = explain(models["softmax"], Options())
    text = explanation.arena_text()
    for letter, buffer in zip("abcdefgh", explanation.made.plan.buffers, strict=False):
        assert re.search(rf"^  {letter} +{buffer.bytes} bytes at +{buffer.offset}: ", text, re.MULTILINE)
    rows = [line.split("|")[1] for line in text.splitlines() if line.endswith("|")]
    assert len({len(row) for row in rows}) == 1
    assert len(rows[0]) == len(explanation.made.layers) + 2


def test_the_picture_is_svg_with_a_box_per_buffer(models) -> None:
    explanation = explain(models["softmax"], Options())
    tree = ET.fromstring(explanation.arena_svg())  # noqa: S314  our own output
    boxes = tree.findall("{http://www.w3.org/2000/svg}rect[@class='buffer']")
    assert len(boxes) == len(explanation.made.plan.buffers)


def test_hostile_names_stay_text_in_the_picture() -> None:
    graph = graph_of(cases_of("lookup")[0])
    found = plan(graph)
    found.buffers[0].tensors = ["<script>&"]
    ET.fromstring(svg(found, ["<b>"], "<i>"))  # noqa: S314  our own output
    assert "<script>&" in text_map(found, 1)


def test_the_command_prints_passes_choices_and_map(models, tmp_path: Path) -> None:
    words = ["compile", str(models["relu6"]), "-o", str(tmp_path), "--explain", "--no-updatable"]
    done = CliRunner().invoke(cli.application(words), words, catch_exceptions=False)
    assert done.exit_code == 0
    for part in (
        "predicted cycles",
        "lower_quantization",
        "drop_channels",
        "portable",
        "first: what was compiled",
        " bytes at ",
    ):
        assert part in done.stdout
    assert (tmp_path / "arena.svg").read_text().startswith("<svg")


@pytest.mark.arm
def test_predicted_cycles_are_near_the_virtual_core(models, make_bundle) -> None:
    """Within 10 % for a whole network, and within a factor of 3 for each small layer of the cases."""
    from hilgate.virtual.bare import SCRATCH, BareMachine

    kinds = ("add", "avg_pool2d", "concat", "conv2d", "depthwise_conv2d", "lookup", "mul", "requantize", "transpose")
    cases = [graph_of(case) for kind in kinds for case in cases_of(kind)]
    from hilgate.compile.compile import load, lower

    network = load(models["digits"])
    lower(network, Options())
    bundle = make_bundle([network, *cases])
    machine = BareMachine(bundle.image("cortex-m4"))
    for index, built in enumerate(bundle.built):
        machine.write(SCRATCH, built.blob)
        inputs = random_inputs(built.graph, 1, 1)
        for name, (offset, _) in zip(built.graph.inputs, built.places, strict=False):
            machine.write(SCRATCH + (1 << 19) + offset, inputs[name].tobytes())
        found = machine.call(f"case_{index}_model_run", SCRATCH, SCRATCH + (1 << 19)).cycles
        predicted = sum(predicted_cycles(site) for site in built.made.layers)
        limit = 1.1 if index == 0 else 3
        assert found / limit <= predicted + 100, built.graph.name
        assert predicted <= found * limit + 100, built.graph.name
    assert np.isfinite(found)
