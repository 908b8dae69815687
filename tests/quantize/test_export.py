"""export: the same function as torch's, the same bytes every time, nothing of this machine in the file."""

from __future__ import annotations

import shutil

import numpy as np
import onnx
import pytest

from hilgate.arrays import read_npz
from hilgate.artifacts import artifact
from hilgate.errors import ArtifactError, ModelError, ParamsError
from hilgate.export import export
from hilgate.export.export import compare, execute, to_onnx
from hilgate.onnxmodel import load_model, open_session, run_samples, save_model
from hilgate.params import load_params


@pytest.fixture
def project(trained_project, tmp_path):
    """A copy that may be written."""
    return shutil.copytree(trained_project, tmp_path / "copy")


def test_the_model_is_static_plain_and_right(trained_project):
    model = load_model(artifact(trained_project, "export.onnx", "waves"))
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Relu", "Gemm"]
    assert model.opset_import[0].version == 20
    for value, shape in ((model.graph.input[0], [1, 32]), (model.graph.output[0], [1, 3])):
        assert [dim.dim_value for dim in value.type.tensor_type.shape.dim] == shape
    test = read_npz(artifact(trained_project, "data.test", "waves"), ("x", "y"))
    outputs = run_samples(open_session(model), (test["x"].astype("float32") - 2048) / 2048)
    assert outputs.shape == (1000, 3)
    assert (outputs.argmax(axis=1) == test["y"]).mean() > 0.93


def test_nothing_of_this_machine_is_in_the_files(trained_project):
    for name in ("export.onnx", "quantize.onnx"):
        content = artifact(trained_project, name, "waves").read_bytes()
        model = load_model(artifact(trained_project, name, "waves"))
        assert not any(word in content for word in (b"/home", b"/tmp", b".py", b"site-packages", b"stack_trace"))
        parts = [model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.value_info]
        assert not any(part.doc_string or part.metadata_props for part in parts)


def test_the_same_weights_give_the_same_bytes(project, trained_project):
    artifact(project, "export.onnx", "waves").unlink()
    execute("waves", load_params(project), project)
    one, other = (artifact(p, "export.onnx", "waves").read_bytes() for p in (project, trained_project))
    assert one == other


def test_a_difference_to_torch_is_refused(project):
    params = load_params(project)
    params.sections["export"]["waves"]["tolerance"] = 1e-12
    before = artifact(project, "export.onnx", "waves").read_bytes()
    with pytest.raises(ModelError, match=r"differs from torch by .*tolerance 1e-12"):
        execute("waves", params, project)
    assert artifact(project, "export.onnx", "waves").read_bytes() == before


def test_the_comparison_sees_another_weight():
    import torch

    torch.manual_seed(0)
    network = torch.nn.Linear(4, 3).eval()
    golden = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    model = to_onnx(network, golden[:1], 20)
    assert compare(network, model, golden) < 1e-6
    with torch.no_grad():
        network.weight[1, 2] += 0.01
    assert compare(network, model, golden) > 1e-3
    with torch.no_grad():
        network.bias[0] = float("nan")
    assert compare(network, model, golden) == float("inf")


def test_a_network_that_torch_cannot_export(tmp_path):
    """The reason, not what torch was doing when it met it; and the line, where it is one of a task."""
    import torch

    source = "def forward(self, x):\n    return x + 1 if x.sum() > 0 else x"  # decides on data
    module = tmp_path / "src/tasks/choosy/network.py"
    namespace = {}
    exec(compile(source, str(module), "exec"), namespace)  # noqa: S102
    choice = type("Choice", (torch.nn.Module,), namespace)
    with pytest.raises(ModelError, match="torch cannot export it: Could not guard on data-dependent") as caught:
        to_onnx(choice(), np.ones((1, 2), "float32"), 20)
    assert caught.value.where == "src/tasks/choosy/network.py:2"

    class Svd(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.svd(x.reshape(1, 1, 2))[1]

    with pytest.raises(ModelError, match=r"torch cannot export it: No ONNX function found for .*svd") as caught:
        to_onnx(Svd(), np.ones((1, 2), "float32"), 20)
    assert caught.value.where == "export"


def test_weights_of_another_network(project):
    params = load_params(project)
    params.sections["train"]["waves"]["hidden"] = 63
    with pytest.raises(ModelError, match=r"the weights do not fit the network: .*hilgate train waves"):
        execute("waves", params, project)


def test_a_damaged_weights_file(project):
    path = artifact(project, "train.weights", "waves")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtifactError, match="not a readable safetensors file"):
        execute("waves", load_params(project), project)


@pytest.mark.parametrize("golden", [7, 40])
def test_as_many_golden_samples_as_asked_for(project, monkeypatch, golden):
    """Of the validation split, compared one by one."""
    seen = []
    monkeypatch.setattr(export, "run_samples", lambda session, x: seen.append(x) or run_samples(session, x))
    params = load_params(project)
    params.sections["export"]["waves"]["golden"] = golden
    execute("waves", params, project)
    raw = read_npz(artifact(project, "data.validation", "waves"), ("x",))["x"][:golden]
    np.testing.assert_array_equal(seen[0], (raw.astype("float32") - 2048) / 2048)


def test_no_golden_samples(project):
    params = load_params(project)
    params.sections["export"]["waves"]["golden"] = 0
    with pytest.raises(ParamsError, match="`golden` must be at least 1"):
        execute("waves", params, project)


def test_onnxruntime_is_a_plain_reference(trained_project):
    """Fused int8 kernels saturate on some x86 cores, and several threads add in another order."""
    import onnxruntime

    options = open_session(load_model(artifact(trained_project, "export.onnx", "waves"))).get_session_options()
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x08\x0a"])
def test_what_is_no_onnx_file(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="not a valid ONNX file"):
        load_model(path)


def test_weights_in_another_file_are_refused(trained_project, tmp_path):
    model = load_model(artifact(trained_project, "export.onnx", "waves"))
    onnx.save_model(
        model, str(tmp_path / "model.onnx"), save_as_external_data=True, location="secret.bin", size_threshold=0
    )
    with pytest.raises(ArtifactError, match="kept in another file"):
        load_model(tmp_path / "model.onnx")


def test_saving_strips_traces(trained_project, tmp_path):
    model = load_model(artifact(trained_project, "export.onnx", "waves"))
    model.graph.node[0].doc_string = "File /home/me/network.py"
    model.graph.node[1].metadata_props.add(key="pkg.torch.onnx.stack_trace", value="File /home/me/network.py")
    model.metadata_props.add(key="where", value="/home/me")
    save_model(tmp_path / "model.onnx", model)
    assert (tmp_path / "model.onnx").read_bytes() == artifact(trained_project, "export.onnx", "waves").read_bytes()
