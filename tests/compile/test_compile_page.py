"""docs/compile.md says what is so: every operator, every pass with its switch, every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilgate import cli
from hilgate.compile.ops import operators
from hilgate.compile.passes import CHOICES, PASSES

PAGE = (Path(__file__).parents[2] / "docs" / "compile.md").read_text("utf-8")


@pytest.mark.parametrize("kind", operators())
def test_every_operator_is_named_with_both_doors(kind: str) -> None:
    op = operators()[kind]
    row = f"| `{kind}` | {', '.join(op.onnx)} | {', '.join(op.tflite)} |"
    assert row in PAGE.splitlines(), f"docs/compile.md needs the row\n{row}"


def test_no_operator_is_named_that_is_gone() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]*\| [^|]*\|$", PAGE, re.M)
    switches = {step.name for step in PASSES} | CHOICES
    assert set(rows) == set(operators()) | switches


def test_every_pass_is_named_with_its_switch_in_order() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \| .{10,} \|$", PAGE, re.M)
    passes = [(step.name, "no" if step.needed else "yes") for step in PASSES]
    assert rows[: len(passes)] == passes
    assert {name for name, optional in rows[len(passes) :] if optional == "yes"} == CHOICES


def test_every_option_is_named() -> None:
    words = ["compile", "--help"]
    text = CliRunner().invoke(cli.application(words), words).stdout
    options = set(re.findall(r"--[a-z-]+", text)) - {"--help", "--output"}
    assert options <= set(re.findall(r"--[a-z-]+", PAGE))
