"""`hilgate compile` on a file and on a task: the table, the folder, the test vectors."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hilgate import cli
from hilgate.arrays import write_npz
from hilgate.artifacts import artifact
from hilgate.compile.compile import execute, load, lower
from hilgate.compile.options import Options
from hilgate.compile.reference import run_reference
from hilgate.errors import ArtifactError, ParamsError
from hilgate.params import load_params
from hilgate.task import Metric, Task


def run(*words: str):
    return CliRunner().invoke(cli.application(list(words)), list(words), catch_exceptions=False)


def test_a_file_becomes_a_folder_and_a_table(models, tmp_path: Path) -> None:
    done = run("compile", str(models["softmax"]), "-o", str(tmp_path / "c"))
    assert done.exit_code == 0
    for part in ("fully_connected", "softmax", "100,352", "118,016 MACs", "bytes of arena"):
        assert part in done.stdout
    assert (tmp_path / "c/model.json").is_file()


def test_another_kind_of_file_is_named_as_such(tmp_path: Path, capsys) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(b"PK")
    with pytest.raises(SystemExit) as caught:
        cli.main(["compile", str(path), "-o", str(tmp_path / "out")])
    assert caught.value.code == 5
    assert "no model file: its name ends in neither .onnx nor .tflite (export" in capsys.readouterr().err


def test_a_file_needs_no_torch_onnxruntime_or_dvc(models, tmp_path: Path) -> None:
    program = f"""
    import sys
    for name in ("torch", "onnxruntime", "dvc", "onnxscript", "matplotlib", "unicorn"):
        sys.modules[name] = None
    from pathlib import Path
    from hilgate.compile.compile import compile_model
    compile_model(Path({str(models["digits"])!r}), Path({str(tmp_path / "c")!r}))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


@pytest.fixture
def project(models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a quantized model and a test split, as far as the compile room sees it."""
    (tmp_path / "params.yaml").write_text("compile:\n  digits: { optimize: speed, updatable: true }\n")
    target = artifact(tmp_path, "quantize.onnx", "digits")
    target.parent.mkdir(parents=True)
    target.write_bytes(models["softmax"].read_bytes())
    generator = np.random.default_rng(1)
    raw = generator.integers(0, 256, (20, 28, 28)).astype(np.uint8)
    write_npz(artifact(tmp_path, "data.test", "digits"), {"x": raw, "y": generator.integers(0, 10, 20)})

    def preprocess(x: np.ndarray) -> np.ndarray:
        return (x / np.float32(255)).astype(np.float32).reshape(-1, 1, 28, 28)

    def nothing(*_: object) -> None:
        raise AssertionError("the compile room trains and scores nothing")

    fields = dict.fromkeys(Task.__dataclass_fields__, nothing) | {"name": "digits", "preprocess": preprocess}
    task = Task(**fields | {"metric": Metric("accuracy", nothing)})
    monkeypatch.setattr("hilgate.compile.vectors.load_task", lambda *_: task)
    return tmp_path


def test_a_tasks_vectors_are_what_quantizelinear_and_the_reference_give(project: Path) -> None:
    execute("digits", load_params(project), project)
    with (
        np.load(artifact(project, "compile.vectors", "digits")) as vectors,
        np.load(artifact(project, "data.test", "digits")) as split,
    ):
        assert vectors["input"].shape == (20, 784)
        assert vectors["expected"].shape == (20, 10)
        assert vectors["input"].dtype == vectors["expected"].dtype == np.int8
        np.testing.assert_array_equal(vectors["label"], split["y"])
        graph = load(artifact(project, "quantize.onnx", "digits"))
        lower(graph, Options())
        quant = graph.tensors[graph.inputs[0]].quant
        real = (split["x"] / np.float32(255)).astype(np.float32)
        steps = np.clip(np.rint(real / np.float32(quant.only_scale)) + quant.zero_point, -128, 127)
        np.testing.assert_array_equal(vectors["input"], steps.reshape(20, 784).astype(np.int8))
        wanted = run_reference(graph, {graph.inputs[0]: vectors["input"].reshape(20, 1, 1, 28, 28)})[0]
        np.testing.assert_array_equal(vectors["expected"], wanted.reshape(20, 10))


def test_vectors_are_equal_to_the_byte_every_time(project: Path) -> None:
    path = artifact(project, "compile.vectors", "digits")
    execute("digits", load_params(project), project)
    first = path.read_bytes()
    path.unlink()
    execute("digits", load_params(project), project)
    assert path.read_bytes() == first


def test_missing_model_names_the_command(project: Path) -> None:
    artifact(project, "quantize.onnx", "digits").unlink()
    with pytest.raises(ArtifactError, match="hilgate quantize digits"):
        execute("digits", load_params(project), project)


def test_unknown_key_in_params(project: Path) -> None:
    (project / "params.yaml").write_text("compile:\n  digits: { optimise: speed }\n")
    with pytest.raises(ParamsError, match="optimise"):
        execute("digits", load_params(project), project)
