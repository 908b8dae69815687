"""QDQ files as torch and ONNX Runtime write them: each layer within one step of ONNX Runtime, C equal to the
reference.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgate.compile.compile import load, lower
from hilgate.compile.graph import Graph, Site
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference

NAMES = [
    "digits",
    "softmax",
    "argmax",
    "gemm_alone",
    "relu6",
    "kept_relu",
    "matmul_add",
    "matmul_bias",
    "normed",
    "slopes",
]


def lowered(path: Path, **options) -> Graph:
    graph = load(path)
    lower(graph, Options(**options))
    return graph


@pytest.mark.parametrize("name", NAMES)
def test_each_layer_is_within_one_step_of_onnxruntime(name: str, models: dict[str, Path], ort_tensors) -> None:
    graph = lowered(models[name])
    compared = 0
    for seed in range(8):
        shape = graph.tensors[graph.inputs[0]].shape
        real = np.random.default_rng(seed).random(shape, np.float32)
        theirs = ort_tensors(models[name], real)
        for site in graph.sites():
            if all(t.name in theirs or t.constant for t in site.inputs) and site.output.name in theirs:
                compared += 1
                assert steps_apart(site, theirs) <= 1, f"{site.where} differs by more than one step"
    assert compared >= 8 * 2


def steps_apart(site: Site, theirs: dict[str, np.ndarray]) -> int:
    inputs = [t.data[None] if t.constant else theirs[t.name].reshape(1, *t.shape) for t in site.inputs]
    ours = site.node.op.reference(site, inputs).astype(int).ravel()
    wanted = theirs[site.output.name].astype(int).ravel()
    if theirs[site.output.name].dtype != np.int8:  # ArgMax: an int64 index
        ours = ours - site.output.quant.zero_point
    return int(np.abs(ours - wanted).max())


@pytest.mark.parametrize("name", NAMES)
def test_host_c_equals_reference(name: str, models: dict[str, Path], make_bundle) -> None:
    graph = lowered(models[name])
    inputs = random_inputs(graph, 20, seed=3)
    found = make_bundle([graph]).host(0, inputs)
    np.testing.assert_array_equal(found[0], run_reference(graph, inputs)[0])


@pytest.mark.arm
@pytest.mark.parametrize("cpu", ["cortex-m4", "cortex-m0"])
def test_cores_equal_reference(cpu: str, models: dict[str, Path], make_bundle) -> None:
    graph = lowered(models["softmax"])
    inputs = random_inputs(graph, 5, seed=3)
    found = make_bundle([graph]).core(cpu, 0, inputs)
    np.testing.assert_array_equal(found[0], run_reference(graph, inputs)[0])


def test_edges_are_int8_unless_float_is_wanted(models: dict[str, Path], make_bundle) -> None:
    assert lowered(models["digits"]).tensors["input_QuantizeLinear_Output"].dtype == "int8"
    graph = lowered(models["digits"], io="float32")
    assert [graph.tensors[name].dtype for name in (*graph.inputs, *graph.outputs)] == ["float32", "float32"]
    assert [node.op.kind for node in graph.nodes] == ["quantize", *["fully_connected"] * 3, "dequantize"]
    inputs = random_inputs(graph, 5, seed=1)
    np.testing.assert_array_equal(make_bundle([graph]).host(0, inputs)[0], run_reference(graph, inputs)[0])


def test_relu_and_edges_cost_no_layer(models: dict[str, Path]) -> None:
    assert [n.op.kind for n in lowered(models["softmax"]).nodes] == ["reshape", *["fully_connected"] * 3, "softmax"]
    assert [n.op.kind for n in lowered(models["argmax"]).nodes] == [*["fully_connected"] * 3, "argmax"]


def test_a_batch_norm_of_vectors_is_a_depthwise_layer_and_one_slope_a_table(models: dict[str, Path]) -> None:
    """ReLU, then batch norm: no layer before it can take it."""
    kinds = [node.op.kind for node in lowered(models["normed"]).nodes if not node.op.view]
    assert kinds == ["depthwise_conv2d", "fully_connected", "depthwise_conv2d", "fully_connected"]
    kinds = [node.op.kind for node in lowered(models["slopes"]).nodes]
    assert kinds == ["fully_connected", "lookup", "fully_connected", "lookup", "fully_connected"]


def test_a_pass_can_be_switched_off(models: dict[str, Path]) -> None:
    with_pass = lowered(models["kept_relu"])
    without = lowered(models["kept_relu"], without=("fuse_activation_int8", "fuse_requantize", "drop_identities"))
    assert [n.op.kind for n in with_pass.nodes] == ["fully_connected", "fully_connected"]
    assert [n.op.kind for n in without.nodes] == ["fully_connected", "requantize", "fully_connected"]
    inputs = random_inputs(with_pass, 30, seed=5)
    np.testing.assert_array_equal(run_reference(with_pass, inputs)[0], run_reference(without, inputs)[0])
