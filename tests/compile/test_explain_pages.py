"""What `hilgate compile` prints and draws: nothing cut at 80 columns, sums that add up, boxes that do not collide."""

from __future__ import annotations

import io
import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from hilgate.compile import arena_svg, table
from hilgate.compile.arena_map import BLOCK_COLUMNS, text_map
from hilgate.compile.compile import Compiled, compile_model
from hilgate.compile.explain import Explanation, explain
from hilgate.compile.layer_rows import arena_in_use
from hilgate.compile.options import Options
from hilgate.compile.place import Buffer
from hilgate.compile.plan import Plan
from hilgate.compile.ruler import nets

SVG = "{http://www.w3.org/2000/svg}"
OPTIONS = Options(updatable=False)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder = tmp_path_factory.mktemp("pages")
    return compile_model(nets.residual_net(folder / "residual.onnx"), folder / "c", OPTIONS)


@pytest.fixture(scope="module")
def explanation(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    return explain(nets.residual_net(tmp_path_factory.mktemp("explained") / "residual.onnx"), OPTIONS)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch):
    """A function: what `show` prints in a terminal of so many columns."""

    def capture(columns: int, show, argument) -> str:
        stream = io.StringIO()
        console = Console(file=stream, width=columns, highlight=False)
        monkeypatch.setattr(table, "_console", lambda: console)
        show(argument)
        return stream.getvalue()

    return capture


def test_the_arena_of_the_manual_is_todays(root: Path, explanation) -> None:
    drawn = (root / "docs" / "pictures" / "compile-arena.svg").read_text("utf-8")
    assert drawn == explanation.arena_svg(), "run scripts/compile_pictures.py, and look at both pictures"


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_nothing_is_cut(columns: int, compiled, explanation, printed) -> None:
    for text in (printed(columns, table.show, compiled), printed(columns, table.show_explanation, explanation)):
        assert "…" not in text
        assert max(map(len, text.splitlines())) <= columns
    layers = printed(columns, table.show, compiled)
    for layer, cycles in zip(compiled.model["layers"], compiled.cycles, strict=True):
        assert layer["name"] in layers
        assert f"{cycles:,}" in layers
        assert layer["kernel"].removesuffix("_s8") in layers


def test_a_name_that_is_too_long_folds(compiled, printed) -> None:
    name = "a_layer_" + "x" * 70
    model = compiled.model | {"layers": [compiled.model["layers"][0] | {"name": name}]}
    text = printed(80, table.show, Compiled(compiled.graph, model, {}, compiled.cycles[:1]))
    assert "…" not in text
    assert sum(line.count("x") for line in text.splitlines() if set(line.split()[:1] or [""]) and "xxx" in line) >= 70


def test_the_sums_are_those_of_model_json(compiled, explanation) -> None:
    model, last, made = compiled.model, explanation.steps[-1], explanation.choices[0]
    assert last.macs == made.macs == model["macs"] == sum(layer["macs"] for layer in model["layers"])
    assert last.layers == len(model["layers"]) == len(explanation.reasons)
    assert made.blob_bytes == model["weights_bytes"]
    assert made.arena_bytes == model["arena_bytes"]
    assert made.cycles == sum(compiled.cycles) == sum(reason.cycles for reason in explanation.reasons)
    assert [reason.layer for reason in explanation.reasons] == [layer["name"] for layer in model["layers"]]
    assert [reason.kernel for reason in explanation.reasons] == [layer["kernel"] for layer in model["layers"]]


def test_the_busiest_layer_needs_no_more_than_the_arena(compiled) -> None:
    model = compiled.model
    used = [arena_in_use(model, index) for index in range(len(model["layers"]))]
    assert max(used) <= model["arena_bytes"]
    assert all(used[i] >= layer["output_bytes"] for i, layer in enumerate(model["layers"]))


def test_shared_bytes_count_once() -> None:
    rows = [(0, 8, 0, 1), (6, 4, 1, 2), (20, 2, 1, 1)]
    keys = ("offset", "bytes", "first_layer", "last_layer")
    model = {"arena": [dict(zip(keys, row, strict=True)) for row in rows]}
    assert [arena_in_use(model, layer) for layer in (0, 1, 2, 3)] == [8, 12, 4, 0]


def test_fast_kernels_beat_what_they_replace(explanation) -> None:
    fast = [reason for reason in explanation.reasons if reason.portable_cycles is not None]
    assert len(fast) >= 4
    assert all(reason.cycles < reason.portable_cycles for reason in fast if reason.portable_cycles)


def test_without_fast_kernels_the_reason_says_so(tmp_path: Path) -> None:
    options = Options(without=("fast_kernels",))
    reasons = explain(nets.mobile_net(tmp_path / "mobile.onnx"), options).reasons
    assert {r.why for r in reasons if "conv2d" in r.kernel} == {"fast_kernels is off"}
    assert all(r.portable_cycles is None for r in reasons)


def test_the_other_choice_of_updatable_is_told(explanation) -> None:
    sentence = table.updatable_sentence(explanation.choices)
    assert sentence.startswith("`updatable: true` would change")
    assert sentence.endswith("new weights would be data.")


@pytest.mark.parametrize("switch", ["in_place", "overlap"])
def test_each_way_of_sharing_memory_says_what_it_saves(switch: str, explanation, tmp_path: Path) -> None:
    without = explain(nets.residual_net(tmp_path / "residual.onnx"), Options(updatable=False, without=(switch,)))
    saved = explanation.memory[switch] - explanation.made.plan.arena_bytes
    assert without.made.plan.arena_bytes == explanation.memory[switch]
    assert saved >= 0
    assert switch not in without.memory
    assert f"{saved:+,} without `{switch}`" in table.memory_sentence(explanation)


def test_the_text_map_is_as_drawn() -> None:
    """`c` begins inside `b`, behind the bytes that layer 1 has read; `d` takes its memory afterwards."""
    buffers = [
        Buffer(["a"], 4, -1, -1, 0),
        Buffer(["b"], 4, 0, 1, 4),
        Buffer(["c"], 5, 1, 2, 0),
        Buffer(["d"], 1, 2, 2, 3),
    ]
    assert text_map(Plan(8, 8, buffers=buffers), 2).startswith(_drawn(buffers))


def _drawn(buffers: list[Buffer]) -> str:
    """The map by definition: one row per byte here, as the arena has fewer bytes than rows."""
    lines = ["   layer   0  "]
    for byte in reversed(range(8)):
        cells = ""
        for layer in range(-1, 3):
            here = [i for i, b in enumerate(buffers) if b.first <= layer <= b.last and b.offset <= byte < b.end]
            cells += "." if not here else "abcd"[here[0]] if len(here) == 1 else "*"
        lines.append(f"{byte:>8} |{cells}|")
    return "\n".join(lines)


def test_long_networks_fit_in_blocks() -> None:
    layers = 3 * BLOCK_COLUMNS
    plan = Plan(4, 4, buffers=[Buffer(["t"], 4, -1, layers, 0)])
    text = text_map(plan, layers)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("   layer ") == 4


def test_boxes_overlap_only_where_one_is_written_behind_the_reading(explanation) -> None:
    tree = ET.fromstring(explanation.arena_svg())  # noqa: S314  our own output
    boxes = [tuple(float(rect.attrib[k]) for k in ("x", "y", "width", "height")) for rect in tree.iter(f"{SVG}rect")
             if rect.attrib.get("class") == "buffer"]  # fmt: skip
    assert len(boxes) == len(explanation.made.plan.buffers)
    column = min(width for _, _, width, _ in boxes)
    for one, other in itertools.combinations(boxes, 2):
        wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
        high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
        assert (
            wide < 1 or high < 1.01 or abs(wide - column) < 1
        )  # at most the layer that reads one and writes the other


def test_the_picture_is_inside_its_frame_and_escapes_names(explanation) -> None:
    plan = explanation.made.plan
    plan_names = [f"<{i}>&" for i in range(len(explanation.made.layers))]
    tree = ET.fromstring(arena_svg.svg(plan, plan_names, "<&>"))  # noqa: S314  our own output
    _, _, width, height = map(float, tree.attrib["viewBox"].split())
    for rect in tree.iter(f"{SVG}rect"):
        x, y, w, h = (float(rect.attrib[k]) for k in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
    assert re.search("prefers-color-scheme", ET.tostring(tree, "unicode"))
