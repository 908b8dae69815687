"""Single passes on small graphs: what they change, and that the numbers stay what they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hilgate.compile.compile import load, lower
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference

node = helper.make_node


def lowered(folder: Path, nodes: list, constants: dict[str, np.ndarray], **options) -> Graph:
    """x (1, 3, 6, 5) -> nodes -> y, between a QuantizeLinear and a DequantizeLinear."""
    constants = {"s": np.float32(0.05), "z": np.int8(-3), "t": np.float32(0.07), "u": np.int8(9), **constants}
    first = [node("QuantizeLinear", ["x", "s", "z"], ["xq"]), node("DequantizeLinear", ["xq", "s", "z"], ["xd"])]
    last = [node("QuantizeLinear", ["v", "t", "u"], ["vq"]), node("DequantizeLinear", ["vq", "t", "u"], ["y"])]
    edges = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [1, 3, 6, 5]), ("y", None))]
    tensors = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph([*first, *nodes, *last], "g", edges[:1], edges[1:], tensors)
    path = folder / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)
    result = load(path)
    lower(result, Options(**options))
    return result


def weights(channels: int = 4) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {
        "w": random.integers(-127, 128, (channels, 3, 3, 3)).astype(np.int8),
        "ws": random.uniform(0.001, 0.01, channels).astype(np.float32),
        "wz": np.zeros(channels, np.int8),
    }


WEIGHTS = node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0)


def kinds(graph: Graph) -> list[str]:
    return [n.op.kind for n in graph.nodes]


def test_a_batch_norm_goes_into_the_layer_before_it(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    constants = weights() | {
        "gamma": np.array([0.5, -1.5, 2.0, 0.1], np.float32),
        "beta": random.normal(0, 1, 4).astype(np.float32),
        "mean": random.normal(0, 1, 4).astype(np.float32),
        "variance": random.uniform(0.5, 2, 4).astype(np.float32),
    }
    norm = node("BatchNormalization", ["c", "gamma", "beta", "mean", "variance"], ["v"])
    graph = lowered(tmp_path, [WEIGHTS, node("Conv", ["xd", "wd"], ["c"]), norm], constants)
    assert kinds(graph) == ["conv2d"]
    inputs = random_inputs(graph, 30, 1)
    x = (inputs[graph.inputs[0]].transpose(0, 1, 4, 2, 3).astype(np.float64) + 3) * np.float32(0.05)
    windows = np.lib.stride_tricks.sliding_window_view(x[:, 0], (3, 3), axis=(2, 3))
    factors = constants["ws"].astype(np.float64)[:, None, None, None]
    real = np.einsum("nchwij,ocij->nohw", windows, constants["w"] * factors)
    shape = (1, 4, 1, 1)
    scaled = (real - constants["mean"].reshape(shape)) / np.sqrt(constants["variance"].reshape(shape) + 1e-5)
    wanted = scaled * constants["gamma"].reshape(shape) + constants["beta"].reshape(shape)
    steps = np.clip(np.rint(wanted / np.float32(0.07)) + 9, -128, 127).transpose(0, 2, 3, 1)
    assert np.abs(run_reference(graph, inputs)[0][:, 0] - steps).max() <= 1


def test_zeros_around_an_image_become_the_convolutions_padding(tmp_path: Path) -> None:
    pad = node("Pad", ["xd", "pads"], ["p"])
    constants = weights() | {"pads": np.array([0, 0, 2, 1, 0, 0, 0, 1])}
    nodes = [WEIGHTS, pad, node("Conv", ["p", "wd"], ["v"], strides=[2, 1])]
    folded = lowered(tmp_path, nodes, constants)
    plain = lowered(tmp_path, nodes, constants, without=("fold_pad",))
    assert (kinds(folded), kinds(plain)) == (["conv2d"], ["pad", "conv2d"])
    inputs = random_inputs(folded, 10, 1)
    np.testing.assert_array_equal(run_reference(folded, inputs)[0], run_reference(plain, inputs)[0])


@pytest.mark.parametrize(
    ("pads", "value"), [([0, 1, 0, 0, 0, 0, 0, 0], 0.0), ([0, 0, 1, 1, 0, 0, 1, 1], 1.0)], ids=["channels", "ones"]
)
def test_other_padding_stays(tmp_path: Path, pads: list[int], value: float) -> None:
    constants = weights() | {"pads": np.array(pads), "value": np.float32(value)}
    if pads[1]:
        constants["w"] = np.concatenate([constants["w"], constants["w"][:, :1]], axis=1)
    nodes = [WEIGHTS, node("Pad", ["xd", "pads", "value"], ["p"]), node("Conv", ["p", "wd"], ["v"])]
    assert kinds(lowered(tmp_path, nodes, constants)) == ["pad", "conv2d"]


def test_inputs_of_a_concat_come_to_one_quantization(tmp_path: Path) -> None:
    nodes = [
        node("Sigmoid", ["xd"], ["a"]),
        node("QuantizeLinear", ["a", "as", "az"], ["aq"]),
        node("DequantizeLinear", ["aq", "as", "az"], ["ad"]),
        node("Concat", ["xd", "ad"], ["v"], axis=1),
    ]
    graph = lowered(tmp_path, nodes, {"as": np.float32(1 / 256), "az": np.int8(-128)})
    assert kinds(graph) == ["lookup", "requantize", "requantize", "concat"]
    inputs = random_inputs(graph, 5, 1)
    x = (inputs[graph.inputs[0]].astype(np.float64) + 3) * np.float32(0.05)
    gate = np.clip(np.rint(256 / (1 + np.exp(-x))), 0, 255) / 256
    steps = np.clip(np.rint(np.concatenate([x, gate], axis=2) / np.float32(0.07)) + 9, -128, 127)
    assert np.abs(run_reference(graph, inputs)[0] - steps).max() <= 1


def test_a_change_to_a_coarser_scale_goes_into_the_layer(tmp_path: Path) -> None:
    """The 20 steps in between saturate at 2.54 and -2.56, and so does the fused layer."""
    between = [
        node("QuantizeLinear", ["c", "cs", "cz"], ["cq"]),
        node("DequantizeLinear", ["cq", "cs", "cz"], ["v"]),
    ]
    nodes = [WEIGHTS, node("Conv", ["xd", "wd"], ["c"]), *between]
    constants = weights() | {"cs": np.float32(0.02), "cz": np.int8(0)}
    fused = lowered(tmp_path, nodes, constants)
    apart = lowered(tmp_path, nodes, constants, without=("fuse_requantize",))
    assert (kinds(fused), kinds(apart)) == (["conv2d"], ["conv2d", "requantize"])
    inputs = random_inputs(fused, 30, 1)
    one, other = (run_reference(g, inputs)[0].astype(int) for g in (fused, apart))
    assert np.abs(one - other).max() <= 1
    assert (one.min(), one.max()) == (other.min(), other.max()) == (-28, 45)


def test_a_change_to_a_finer_scale_stays(tmp_path: Path) -> None:
    nodes = [
        WEIGHTS,
        node("Conv", ["xd", "wd"], ["c"]),
        node("QuantizeLinear", ["c", "cs", "cz"], ["cq"]),
        node("DequantizeLinear", ["cq", "cs", "cz"], ["v"]),
    ]
    graph = lowered(tmp_path, nodes, weights() | {"cs": np.float32(0.2), "cz": np.int8(0)})
    assert kinds(graph) == ["conv2d", "requantize"]


def test_constants_are_computed_while_reading(tmp_path: Path) -> None:
    """Exporters compute shapes and factors in the graph."""
    nodes = [
        node("Shape", ["xd"], ["shape"], start=1),
        node("Gather", ["shape", "first"], ["channels"]),
        node("Concat", ["one", "channels", "rest"], ["target"], axis=0),
        node("Reshape", ["xd", "target"], ["r"]),
        node("Mul", ["half", "half"], ["quarter"]),
        node("Cast", ["quarter"], ["factor"], to=TensorProto.FLOAT),
        node("Identity", ["r"], ["same"]),
        node("LeakyRelu", ["same"], ["l"], alpha=0.25),
        node("Mul", ["l", "factor"], ["v"]),
    ]
    constants = {
        "first": np.array([0]),
        "one": np.array([1]),
        "rest": np.array([-1]),
        "half": np.array(0.5, np.float64),
    }
    nodes.insert(8, node("QuantizeLinear", ["l", "s", "z"], ["lq"]))
    nodes.insert(9, node("DequantizeLinear", ["lq", "s", "z"], ["ld"]))
    nodes[10].input[0] = "ld"
    graph = lowered(tmp_path, nodes, constants)
    assert [k for k in kinds(graph) if k != "reshape"] == ["lookup", "mul"]
    assert graph.tensors[graph.outputs[0]].shape == (1, 3, 30)
