"""`hilgate compile TASK`: options come from params.yaml alone, and --explain works as for a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilgate import cli
from hilgate.compile import standalone
from hilgate.compile.compile import compile_model
from hilgate.compile.ruler import nets
from hilgate.errors import UsageError


@pytest.mark.parametrize("words", [["--optimize", "size"], ["--no-updatable"], ["--io", "int8"], ["-o", "out"]])
def test_an_option_that_would_be_ignored_is_refused(words: list[str]) -> None:
    line = ["compile", "digits", *words]
    with pytest.raises(UsageError, match="a task takes no"):
        CliRunner().invoke(cli.application(line), line, catch_exceptions=False, standalone_mode=False)


def test_a_task_is_explained_outside_the_pipelines_output(tmp_path: Path, monkeypatch, capsys) -> None:
    model = nets.mobile_net(tmp_path / "artifacts" / "quantize" / "digits" / "model.onnx")
    shutil.copy(Path(__file__).parents[2] / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.setattr(standalone, "project_root", lambda: tmp_path)
    folder = tmp_path / "artifacts" / "compile" / "digits"
    monkeypatch.setattr(standalone, "execute", lambda task, params, root: compile_model(model, folder))
    standalone.compile_task("digits", {}, explain=True)
    assert "first: what was compiled" in capsys.readouterr().out
    assert (tmp_path / "build" / "digits_arena.svg").read_text().startswith("<svg")
    assert not list(folder.glob("*.svg"))
