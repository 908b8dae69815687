"""Damaged models: every bug that fuzzing found stays found, and fresh damage in each run of the tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hilgate.compile.compile import compile_model
from hilgate.compile.options import Options
from hilgate.errors import ModelError

HERE = Path(__file__).parent
REGRESSIONS = {  # file: what the error says
    "clip_bounds_not_numbers.onnx": "bounds nan and 6.0 are not numbers",
    "concat_without_axis.onnx": "cannot be computed",
    "external_path_with_nul.onnx": "has no legal path",
    "leaky_slope_infinite.tflite": "not numbers|larger than",
    "output_is_a_constant.onnx": "at the model's edge is a constant",
    "pool_image_beyond_ram.onnx": "are too large for shape",
    "pool_window_beyond_memory.tflite": "are too large for shape",
    "softmax_of_a_constant.onnx": "input 0 .* is a constant",
    "sum_scales_too_far_apart.tflite": "requantization factor .* is larger than",
    "transposed_stride_beyond_memory.tflite": "are too large for shape",
    "unsqueeze_axis_twice.onnx": "name a dimension twice",
    "vector_beyond_memory.tflite": "MB of RAM|32 bits",
}


def test_every_regression_is_listed() -> None:
    assert set(REGRESSIONS) == {path.name for path in (HERE / "regressions").iterdir()}


@pytest.mark.parametrize("name", sorted(REGRESSIONS))
def test_regression_is_refused_in_words(name: str, tmp_path: Path) -> None:
    for updatable in (True, False):
        with pytest.raises(ModelError, match=REGRESSIONS[name]) as caught:
            compile_model(HERE / "regressions" / name, tmp_path, Options(updatable=updatable))
        assert caught.value.where
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", sorted((HERE / "seeds").iterdir()), ids=lambda path: path.name)
def test_seeds_compile(path: Path, tmp_path: Path) -> None:
    """Else damaging them would show nothing."""
    assert compile_model(path, tmp_path).model["layers"]


def test_words_from_the_file_are_bounded_and_harmless(tmp_path: Path) -> None:
    """A node's name may be megabytes of terminal escapes, and an attribute a hundred thousand numbers."""
    model = onnx.load(HERE / "regressions" / "unsqueeze_axis_twice.onnx")
    model.graph.node[2].name = "\x1b[2J" + "n" * 100_000
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(np.zeros(100_000, np.int64), "a"))
    onnx.save(model, tmp_path / "long.onnx")
    with pytest.raises(ModelError) as caught:
        compile_model(tmp_path / "long.onnx", tmp_path / "out")
    assert len(str(caught.value)) < 2000
    assert str(caught.value).isprintable()


def test_too_many_dimensions(tmp_path: Path) -> None:
    model = onnx.load(HERE / "regressions" / "unsqueeze_axis_twice.onnx")
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(np.arange(70), "a"))
    onnx.save(model, tmp_path / "deep.onnx")
    with pytest.raises(ModelError, match="72 dimensions are more than 8"):
        compile_model(tmp_path / "deep.onnx", tmp_path / "out")


def campaign(root: Path, log: Path, *arguments: str) -> dict[str, int]:
    """Counts of the outcomes; fails when any case misbehaved."""
    environment = {key: value for key, value in os.environ.items() if key != "HILGATE_PEER_MODELS"}
    command = [sys.executable, str(root / "scripts/fuzz_models.py"), "--log", str(log), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    counts: dict[str, int] = json.loads(done.stdout.splitlines()[0])
    return counts


def test_a_thousand_damaged_models_compile_or_are_refused(root: Path, tmp_path: Path) -> None:
    counts = campaign(root, tmp_path / "log", "--cases", "1000", "--seed", "1", "--workers", "1")
    assert sum(counts.values()) == 1000
    assert min(counts["compiled"], counts["refused"]) > 50  # else the damage is too mild or too coarse to show anything


def test_the_same_number_is_the_same_case(root: Path, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        command = [sys.executable, str(root / "scripts/fuzz_models.py"), "--seed", "1", "--only", "40"]
        subprocess.run([*command, str(tmp_path / name)], check=True, capture_output=True)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_the_committed_campaign_was_clean(root: Path) -> None:
    """docs/fuzz.md reports at least 100,000 cases, none of which crashed, hung or used up the memory."""
    text = (root / "docs/fuzz.md").read_text("utf-8")
    totals = re.findall(r"^\| all \| ([\d,]+) \| ([\d,]+) \| 0 \| 0 \| 0 \| 0 \|$", text, re.MULTILINE)
    assert len(totals) == 2
    for compiled, refused in totals:
        assert int(compiled.replace(",", "")) + int(refused.replace(",", "")) >= 100_000


@pytest.mark.soak
def test_the_whole_campaign(root: Path, tmp_path: Path) -> None:
    counts = campaign(root, tmp_path / "log")
    assert sum(counts.values()) == 100_000
