"""A whole small project in a scratch folder, made by the real rooms: a task, its compiled model, two built cells."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hilgate.arrays import fingerprint, write_npz
from hilgate.artifacts import artifact, write_json
from hilgate.build.build import execute as build
from hilgate.cli import main
from hilgate.compile.compile import execute as compile_task
from hilgate.link.timing import TIMING, Timing
from hilgate.params import Params, load_params

PARAMS = """
cells:
  blobs_nucleo_f446re: { task: blobs, board: nucleo_f446re }
  blobs_nucleo_l4r5zi: { task: blobs, board: nucleo_l4r5zi }
  blobs_qemu_stm32f405: { task: blobs, board: qemu_stm32f405 }
compile:
  blobs: { optimize: speed, updatable: true }
build:
  nucleo_f446re: { optimize: O2 }
  nucleo_l4r5zi: { optimize: O2 }
  qemu_stm32f405: { optimize: O2 }
run:
  blobs: { vectors: 12, warmup: 1, runs: 5 }
"""

TASK = '''
"""Which of three corners a point lies in: 24 readings, three classes."""

from dataclasses import dataclass

from hilgate.task import Metric, Task, TrainParams


@dataclass(frozen=True)
class Data:
    seed: int


def right(outputs, targets):
    return (outputs.argmax(axis=1) == targets).astype("float64")


TASK = Task(
    name="blobs", files=(), sources=(), data_params=Data, split=None, preprocess=lambda x: x, train_params=TrainParams,
    network=None, loss=None, metric=Metric("accuracy", right),
)
'''


def quantized_model(path: Path) -> None:
    """An int8 QDQ network 24-16-3 with ReLU, as ONNX Runtime's quantizer writes it, with fixed random weights."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(7)
    constants: dict[str, np.ndarray] = {}
    nodes = []

    def constant(name: str, value: object, kind: type) -> str:
        constants[name] = np.asarray(value, kind)
        return name

    def qdq(name: str, scale: float, zero: int) -> str:
        parameters = [constant(f"{name}_scale", scale, np.float32), constant(f"{name}_zero", zero, np.int8)]
        nodes.append(helper.make_node("QuantizeLinear", [name, *parameters], [f"{name}_q"], name=f"{name}_q"))
        nodes.append(
            helper.make_node("DequantizeLinear", [f"{name}_q", *parameters], [f"{name}_dq"], name=f"{name}_dq")
        )
        return f"{name}_dq"

    def linear(name: str, x: str, x_scale: float, shape: tuple[int, int], output: str) -> None:
        scales = random.uniform(0.005, 0.02, shape[0]).astype(np.float32)
        w = constant(f"{name}_w", random.integers(-127, 128, shape), np.int8)
        b = constant(f"{name}_b", random.integers(-500, 500, shape[0]), np.int32)
        ws, wz = constant(f"{name}_ws", scales, np.float32), constant(f"{name}_wz", np.zeros(shape[0]), np.int8)
        bs, bz = (
            constant(f"{name}_bs", scales * np.float32(x_scale), np.float32),
            constant(f"{name}_bz", np.zeros(shape[0]), np.int32),
        )
        nodes.append(helper.make_node("DequantizeLinear", [w, ws, wz], [f"{w}_dq"], axis=0, name=f"{w}_dq"))
        nodes.append(helper.make_node("DequantizeLinear", [b, bs, bz], [f"{b}_dq"], axis=0, name=f"{b}_dq"))
        nodes.append(helper.make_node("Gemm", [x, f"{w}_dq", f"{b}_dq"], [output], transB=1, name=name))

    linear("first", qdq("input", 1 / 128, 0), 1 / 128, (16, 24), "hidden")
    linear("second", qdq("hidden", 0.05, -128), 0.05, (3, 16), "raw")
    last = qdq("raw", 0.1, 5)
    graph = helper.make_graph(
        nodes, "blobs",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 24])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


@pytest.fixture(scope="session")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder; do not change it, take `project`."""
    folder = tmp_path_factory.mktemp("run") / "project with a space"
    (folder / "src/tasks/blobs").mkdir(parents=True)
    (folder / "src/tasks/__init__.py").touch()
    (folder / "src/tasks/blobs/__init__.py").write_text(TASK)
    (folder / "params.yaml").write_text(PARAMS)
    shutil.copytree(root / "firmware", folder / "firmware")
    random = np.random.default_rng(3)
    x, y = random.uniform(-1, 1, (200, 24)).astype(np.float32), random.integers(0, 3, 200).astype(np.uint8)
    write_npz(artifact(folder, "data.test", "blobs"), {"x": x, "y": y})
    split = {
        "n": 200,
        "x_shape": [24],
        "x_type": "float32",
        "y_shape": [],
        "y_type": "uint8",
        "sha256": fingerprint(x, y),
    }
    facts = {"task": "blobs", "files": {}, "splits": dict.fromkeys(("train", "validation", "test"), split)}
    write_json(artifact(folder, "data.facts", "blobs"), "facts", facts)
    quantized_model(artifact(folder, "quantize.onnx", "blobs"))
    params = load_params(folder)
    compile_task("blobs", params, folder)
    for cell in params.cells:
        build(cell, params, folder)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, which the test may spoil; it is the current folder."""
    folder = tmp_path / "a project"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def params(project: Path) -> Params:
    return load_params(project)


@pytest.fixture
def hilgate(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Run a command line: its exit code, and the one line on stderr. What was measured before must stay."""
    monkeypatch.setitem(TIMING, "board", Timing(open_s=0.5))  # not the six seconds that a real board gets
    kept = artifact(project, "run.measurement", "blobs_nucleo_f446re")
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("what was measured before")

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert kept.read_text() == "what was measured before"
        out, err = capsys.readouterr()
        lines = [line for line in err.splitlines() if not line.startswith(("reference", "vectors"))]
        assert out == ""
        assert len(lines) == 1, err
        assert "Traceback" not in err
        return int(caught.value.code or 0), lines[0]

    return run
