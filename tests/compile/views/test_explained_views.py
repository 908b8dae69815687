"""What `--explain`, the arena's maps and model.json say about copies and views."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilgate import cli
from hilgate.artifacts import read_json
from hilgate.compile.explain import explain
from hilgate.compile.options import Options

SVG = "{http://www.w3.org/2000/svg}"
SIDE, CHANNELS = 16, 8
HALF = SIDE // 2 * SIDE * CHANNELS


@pytest.fixture(scope="module")
def model(make_quantized) -> Path:
    """Upper and lower half of an image through layers of their own, joined along rows, and then along channels."""
    import torch
    from torch import nn

    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(3))
            self.first = nn.Conv2d(4, CHANNELS, 3, padding=1)

        def forward(self, x):
            x = torch.relu(self.first(x))
            upper, lower = torch.split(x, SIDE // 2, dim=2)
            y = torch.cat([torch.relu(self.layers[0](upper)), torch.relu(self.layers[1](lower))], dim=2)
            return torch.cat([y, torch.relu(self.layers[2](x))], dim=1)

    torch.manual_seed(1)
    return make_quantized(Halves(), (1, 4, SIDE, SIDE), "halves")


@pytest.fixture(scope="module")
def explanation(model: Path):
    return explain(model, Options())


def test_the_step_says_what_is_no_longer_copied(explanation) -> None:
    index = [step.name for step in explanation.steps].index("avoid_copies")
    before, after = explanation.steps[index - 1 : index + 1]
    assert after.changes == 3
    assert before.copied_bytes - after.copied_bytes == 4 * HALF
    assert before.layers - after.layers == 3
    assert after.arena_bytes <= before.arena_bytes


def test_the_arena_without_views_is_told(explanation, model: Path) -> None:
    without = explain(model, Options(without=("avoid_copies",))).made.plan.arena_bytes
    assert explanation.memory["avoid_copies"] == without >= explanation.made.plan.arena_bytes


def test_what_is_still_copied_says_why(explanation, model: Path) -> None:
    (reason,) = [r for r in explanation.reasons if r.why.startswith("copies: ")]
    assert reason.kernel == "concat_s8"
    assert "alternate in memory" in reason.why
    without = explain(model, Options(without=("avoid_copies",)))
    whys = [r.why for r in without.reasons if r.kernel in ("concat_s8", "slice_s8")]
    assert whys == ["copies: avoid_copies is off"] * 4


def test_the_text_map_names_the_buffers_that_a_view_shows(explanation) -> None:
    plan, text = explanation.made.plan, explanation.arena_text()
    assert len(plan.views) == 3
    for view in plan.views:
        (line,) = [
            line
            for line in text.splitlines()
            if f"{view.bytes} bytes at {view.offset:>7}: " in line and "a view" in line
        ]
        letters = re.search(r"a view of ([a-z, ]+)$", line)[1].split(", ")
        shown = [plan.buffers["abcdefghijklmnopqrstuvwxyz".index(letter)] for letter in letters]
        assert min(b.offset for b in shown) <= view.offset
        assert max(b.end for b in shown) >= view.end


def test_the_picture_frames_views(explanation) -> None:
    tree = ET.fromstring(explanation.arena_svg())  # noqa: S314  our own output
    frames = [rect for rect in tree.iter(f"{SVG}rect") if rect.attrib.get("class") == "view"]
    assert len(frames) == len(explanation.made.plan.views)
    assert all(float(frame.attrib["width"]) > 0 for frame in frames)


def test_the_command_writes_views_into_model_json(model: Path, tmp_path: Path) -> None:
    words = ["compile", str(model), "-o", str(tmp_path), "--explain"]
    done = CliRunner().invoke(cli.application(words), words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "avoid_copies" in done.stdout
    views = read_json(tmp_path / "model.json", "model")["views"]
    assert sorted(view["bytes"] for view in views) == [HALF, HALF, 2 * HALF]
    assert not (tmp_path / "slice.c").exists()
