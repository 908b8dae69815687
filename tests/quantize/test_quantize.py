"""quantize: int8 that computes the same, an error for each layer, calibration on training data only."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest

from hilgate.arrays import read_npz, write_npz
from hilgate.artifacts import artifact, read_json
from hilgate.compile.compile import compile_model
from hilgate.errors import ArtifactError, ModelError, ParamsError
from hilgate.export.export import to_onnx
from hilgate.onnxmodel import load_model, save_model
from hilgate.params import load_params
from hilgate.quantize import quantize as room
from hilgate.quantize.layers import Quantized, _as_row, layer_errors, quantized_tensors
from hilgate.quantize.quantize import QuantizeParams, check_drop, execute, scores, spread
from hilgate.quantize.static import METHODS, quantize
from hilgate.task import load_task


@pytest.fixture
def project(trained_project, tmp_path):
    """A copy that may be written."""
    return shutil.copytree(trained_project, tmp_path / "copy")


def constants(model):
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_the_form_is_qdq_int8_per_channel(trained_project):
    model = load_model(artifact(trained_project, "quantize.onnx", "waves"))
    kinds = {node.op_type for node in model.graph.node}
    assert kinds == {"QuantizeLinear", "DequantizeLinear", "Gemm"}
    weights = [array for name, array in constants(model).items() if name.endswith("weight_quantized")]
    scales = [array for name, array in constants(model).items() if name.endswith("weight_scale")]
    assert [array.dtype for array in weights] == [np.int8, np.int8]
    assert sorted(array.shape for array in scales) == [(3,), (64,)]


def test_the_report_is_right(trained_project):
    report = read_json(artifact(trained_project, "quantize.report", "waves"), "quantization")
    assert [row["op"] for row in report["layers"]] == ["input", "Relu", "Gemm"]
    assert all(row["sqnr_db"] > 25 for row in report["layers"])
    assert all(0 <= row["mean_abs_error"] <= row["max_abs_error"] for row in report["layers"])
    assert report["n"] == 1000 and report["samples"] == 256
    assert report["drop"] == pytest.approx(report["float_score"] - report["int8_score"])
    trained = read_json(artifact(trained_project, "train.metrics", "waves"), "training")
    assert report["float_score"] == pytest.approx(trained["score"], abs=0.0011)  # onnxruntime and torch round apart


def test_calibration_reads_training_data_only(project):
    """With validation gone and test inputs blown up, ranges and int8 weights stay the same."""
    before = load_model(artifact(project, "quantize.onnx", "waves")).graph.initializer
    artifact(project, "data.validation", "waves").unlink()
    test = read_npz(artifact(project, "data.test", "waves"), ("x", "y"))
    write_npz(artifact(project, "data.test", "waves"), {"x": test["x"] * 8, "y": test["y"]})
    params = load_params(project)
    params.sections["quantize"]["waves"]["max_drop"] = 1.0
    execute("waves", params, project)
    assert list(load_model(artifact(project, "quantize.onnx", "waves")).graph.initializer) == list(before)


@pytest.mark.parametrize("wanted", [10, 2000])
def test_as_many_samples_calibrate_as_asked_for(project, monkeypatch, wanted):
    seen = []
    monkeypatch.setattr(room, "quantize", lambda model, x, *how: seen.append(x) or quantize(model, x[:50], *how))
    params = load_params(project)
    params.sections["quantize"]["waves"] |= {"calibration": wanted, "max_drop": 1.0}
    execute("waves", params, project)
    raw = read_npz(artifact(project, "data.train", "waves"), ("x",))["x"]
    np.testing.assert_array_equal(seen[0], (raw[spread(len(raw), wanted)].astype("float32") - 2048) / 2048)


def test_the_method_decides_ranges(trained_project):
    floating = load_model(artifact(trained_project, "export.onnx", "waves"))
    x = read_npz(artifact(trained_project, "data.train", "waves"), ("x",))["x"][:64]
    samples = (x.astype("float32") - 2048) / 2048
    found = [
        [row.scale for row in quantized_tensors(floating, quantize(floating, samples, *choice))]
        for choice in (("minmax",), ("percentile", 99.9), ("percentile", 95.0))
    ]
    assert all(a > b > c for a, b, c in zip(*found, strict=True))  # the less a range holds, the finer its steps


@pytest.mark.parametrize(("higher_is_better", "sign"), [(True, 1), (False, -1)])
def test_a_drop_is_what_got_worse(trained_project, higher_is_better, sign):
    """An int8 model that is always wrong: a lower score, which is good news where lower is better."""
    task = load_task("waves", trained_project)
    task = replace(task, metric=replace(task.metric, higher_is_better=higher_is_better))
    floating = load_model(artifact(trained_project, "export.onnx", "waves"))
    wrong = load_model(artifact(trained_project, "export.onnx", "waves"))
    bias = next(tensor for tensor in wrong.graph.initializer if tensor.name == "2.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(np.array([1e6, 0, 0], np.float32), bias.name))
    report = scores(task, floating, wrong, trained_project)
    assert report["drop"] * sign > 0.5
    if higher_is_better:
        with pytest.raises(ModelError, match="int8 loses"):
            check_drop(task, QuantizeParams(calibration=1), report["drop"])
    else:
        check_drop(task, QuantizeParams(calibration=1), report["drop"])


def test_a_network_that_normalises_its_input_becomes_int8_whole(tmp_path):
    """Sub and Div by constants per channel in front of the first layer, as many a network from the web has them."""
    import torch

    class Normed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.linspace(-1, 1, 8))
            self.register_buffer("std", torch.linspace(0.5, 2, 8))
            self.head = torch.nn.Linear(8, 3)

        def forward(self, x):
            return self.head((x - self.mean) / self.std)

    x = np.random.default_rng(1).normal(size=(64, 8)).astype("float32")
    integer = quantize(to_onnx(Normed().eval(), x[:1], 20), x, "minmax")
    save_model(tmp_path / "model.onnx", integer)
    graph = compile_model(tmp_path / "model.onnx", tmp_path / "c").graph
    assert [node.op.kind for node in graph.nodes] == ["add", "mul", "fully_connected"]


def test_the_same_input_gives_the_same_bytes(project, trained_project):
    execute("waves", load_params(project), project)
    for name in ("quantize.onnx", "quantize.report"):
        assert artifact(project, name, "waves").read_bytes() == artifact(trained_project, name, "waves").read_bytes()


def test_a_loss_over_max_drop_is_an_error_with_its_report(project):
    path = artifact(project, "export.onnx", "waves")
    model = load_model(path)
    spoil = next(tensor for tensor in model.graph.initializer if tensor.name == "0.bias")
    array = onnx.numpy_helper.to_array(spoil).copy()
    array[0] = 5000.0  # one channel takes the whole range, the other 63 share the last few steps
    spoil.CopyFrom(onnx.numpy_helper.from_array(array, spoil.name))
    weight = next(tensor for tensor in model.graph.initializer if tensor.name == "2.weight")
    array = onnx.numpy_helper.to_array(weight).copy()
    array[:, 0] = 0.0  # and the float network does not care
    weight.CopyFrom(onnx.numpy_helper.from_array(array, weight.name))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(
        ModelError, match=r"int8 loses 0\.\d+ of accuracy, more than max_drop 0\.0050.*report\.json"
    ) as caught:
        execute("waves", load_params(project), project)
    assert caught.value.where == "quantize.waves"
    report = read_json(artifact(project, "quantize.report", "waves"), "quantization")
    assert report["drop"] > 0.005
    assert report["layers"][2]["sqnr_db"] < report["layers"][0]["sqnr_db"] - 20


def test_errors_by_hand():
    """scale 0.5, zero point -128: int8 holds 0..127.5; 200 is outside, 0.2 is rounded to 0."""
    row = Quantized("t", "t_twin", scale=0.5, zero_point=-128)
    row.add(np.array([200.0, 0.2]), np.array([127.5, 0.0]))
    row.add(np.array([1.0]), np.array([1.0]))
    assert (row.count, row.outside, row.largest) == (3, 1, 72.5)
    assert row.noise == pytest.approx(72.5**2 + 0.2**2) and row.signal == pytest.approx(200**2 + 0.2**2 + 1)
    assert row.absolute == pytest.approx(72.7)
    shown = _as_row(row, None)
    assert shown["sqnr_db"] == pytest.approx(10 * math.log10((200**2 + 1.04) / (72.5**2 + 0.04)), abs=0.001)
    assert shown["mean_abs_error"] == pytest.approx(72.7 / 3) and shown["saturated"] == pytest.approx(1 / 3)
    assert _as_row(Quantized("t", "t_twin", 0.5, 0, signal=1.0, count=1), None)["sqnr_db"] is None  # nothing lost


@pytest.mark.parametrize("method", METHODS)
def test_every_method(trained_project, method, capsys, caplog):
    floating = load_model(artifact(trained_project, "export.onnx", "waves"))
    before = floating.SerializeToString(deterministic=True)
    x = read_npz(artifact(trained_project, "data.train", "waves"), ("x",))["x"][:64]
    samples = (x.astype("float32") - 2048) / 2048
    integer = quantize(floating, samples, method)
    assert floating.SerializeToString(deterministic=True) == before  # what it was given stays
    assert capsys.readouterr() == ("", "") and not caplog.records  # nobody asked for advice
    assert min(row["sqnr_db"] for row in layer_errors(floating, integer, samples)) > 10


def test_a_model_without_weights():
    node = onnx.helper.make_node("Neg", ["input"], ["output"])
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 4]) for n in ("input", "output")]
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    samples = np.ones((2, 4), "float32")
    with pytest.raises(ModelError, match="nothing in it was quantized"):
        layer_errors(model, quantize(model, samples, "minmax"), samples)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("calibration", 0, "at least 1"),
        ("method", "best", "unknown method `best`.*minmax"),
        ("percentile", 101.0, "from 90 to 100"),
        ("bits", 4, "unknown key"),
    ],
)
def test_parameters_that_cannot_be(trained_project, key, value, message):
    params = load_params(trained_project)
    params.sections["quantize"]["waves"][key] = value
    with pytest.raises(ParamsError, match=message):
        execute("waves", params, trained_project)


def test_a_model_that_is_int8_already(trained_project):
    integer = load_model(artifact(trained_project, "quantize.onnx", "waves"))
    with pytest.raises(ModelError, match=r"quantized already .*float model"):
        quantize(integer, np.zeros((1, 32), "float32"), "minmax")


def test_a_damaged_float_model(project):
    artifact(project, "export.onnx", "waves").write_bytes(b"rubbish")
    with pytest.raises(ArtifactError, match="not a valid ONNX file"):
        execute("waves", load_params(project), project)


def test_samples_are_spread_over_the_whole_split():
    assert spread(10, 5) == [0, 2, 4, 6, 8]
    assert spread(3, 100) == [0, 1, 2]
    assert len(set(spread(55_000, 1024))) == 1024 and spread(55_000, 1024)[-1] > 54_900
