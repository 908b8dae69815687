"""Graphs that cannot be compiled are refused with the node, the reason and a way out."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from hilgate.compile.onnx_ways_out import WAYS_OUT
from hilgate.compile.ops import onnx_operators
from hilgate.compile.options import Options
from hilgate.errors import ParamsError, UsageError


def test_the_unchanged_model_compiles(maker) -> None:
    assert [layer["op"] for layer in maker.compile().model["layers"]] == ["fully_connected"]


def test_unsupported_operator(maker) -> None:
    maker.replace("gemm", "Einsum", ["xd", "wd"], ["g"], equation="ij,kj->ik")
    assert "supported:" in maker.refuse("`gemm` (Einsum)", "operator Einsum is not supported").hint


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [
        ("QLinearConv", "QDQ format"),
        ("LSTM", "1-D convolutions"),
        ("LayerNormalization", "batch norm"),
        ("LogSoftmax", "end the exported model before it"),
        ("Dropout", "evaluation mode"),
        ("Where", "an activation that is one operator"),
    ],
)
def test_a_way_out_where_there_is_one(maker, kind: str, way_out: str) -> None:
    maker.replace("gemm", kind, ["xd"], ["g"])
    assert way_out in maker.refuse(f"`gemm` ({kind})", f"operator {kind} is not supported").hint


def test_ways_out_are_for_operators_that_exist_and_have_no_kernel() -> None:
    from onnx import defs

    assert {schema.name for schema in defs.get_all_schemas()} >= set(WAYS_OUT) - {"RMSNormalization"}
    assert not set(WAYS_OUT) & set(onnx_operators())


def test_a_product_of_activations(maker) -> None:
    maker.shape = [4, 4]
    maker.replace("gemm", "MatMul", ["xd", "xd"], ["g"])
    assert "a constant matrix" in maker.refuse("`gemm` (MatMul)", "multiplies two activations (input 1 is `xd`)").hint


def test_an_input_that_is_computed_with_in_float(maker) -> None:
    maker.constants["mean"] = np.full(4, 0.5, np.float32)
    maker.nodes.insert(0, helper.make_node("Sub", ["x", "mean"], ["centred"], name="normalise"))
    maker.nodes[1].input[0] = "centred"
    assert "preprocess" in maker.refuse("`normalise`", "tensor `x` is still float32").hint


def test_slopes_that_differ(maker) -> None:
    maker.constants["slope"] = np.array([0.1, 0.2, 0.1, 0.1], np.float32)
    maker.replace("gemm", "PRelu", ["xd", "slope"], ["g"])
    assert "one for all" in maker.refuse("`gemm` (PRelu)", "input 1 has 2 different values").hint


def test_a_function_that_is_no_number_somewhere(maker) -> None:
    maker.replace("gemm", "Celu", ["xd"], ["g"], alpha=0.0)
    maker.refuse("`gemm`", "no number everywhere")


def test_unsupported_domain(maker) -> None:
    maker.nodes[4].domain = "com.example"
    maker.refuse("`gemm`", "com.example")


def test_float_graph(maker) -> None:
    maker.constants["w"] = maker.constants["w"].astype(np.float32)
    maker.nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], name="gemm", transB=1)]
    assert "quantize" in maker.refuse("`gemm`", "float32").hint


def test_float_part_in_the_middle(maker) -> None:
    maker.nodes[5:] = [
        helper.make_node("Softmax", ["g"], ["t"], name="soft"),
        helper.make_node("QuantizeLinear", ["t", "s", "z"], ["gq"], name="requantize"),
        helper.make_node("DequantizeLinear", ["gq", "s", "z"], ["y"], name="out"),
    ]
    maker.refuse("tensor `g` is still float32")


@pytest.mark.parametrize("shape", [["batch", 4], [1, "n"], [0, 4]])
def test_dynamic_shape(maker, shape: list) -> None:
    maker.shape = shape
    assert "fixed shape" in maker.refuse("`x` has a dynamic shape").hint


@pytest.mark.parametrize("opset", [1, 12, 99])
def test_wrong_opset(maker, opset: int) -> None:
    maker.opset = opset
    maker.refuse(f"opset {opset} is not supported", "13 to 23")


def test_missing_opset(maker) -> None:
    maker.domain = "com.example"
    maker.refuse("names no opset of ONNX's own operators", "13 to 23")


@pytest.mark.parametrize(
    ("kind", "name"),
    [(7, "int64"), (5, "int16"), (9, "bool"), (6, "int32"), (2, "uint8"), (10, "float16"), (8, "string")],
)
def test_an_input_of_another_type(maker, kind: int, name: str) -> None:
    model = maker.model()
    model.graph.input[0].type.tensor_type.elem_type = kind
    maker.model = lambda: model
    assert "supported: float32" in maker.refuse(f"input is {name}" if kind not in (8, 10) else f"is {name}").hint


def test_an_input_that_is_an_output_too(maker) -> None:
    model = maker.model()
    model.graph.output.append(model.graph.input[0])
    maker.model = lambda: model
    assert "leave that output out" in maker.refuse("tensor `x` is still float32").hint


def test_a_constant_with_a_negative_dimension(maker) -> None:
    model = maker.model()
    next(tensor for tensor in model.graph.initializer if tensor.name == "w").dims[0] = -3
    maker.model = lambda: model
    maker.refuse("constant `w` is damaged")


@pytest.mark.parametrize("kind", ["DepthToSpace", "SpaceToDepth"])
@pytest.mark.parametrize("side", [0, -2, 3])
def test_blocks_that_do_not_fit(maker, kind: str, side: int) -> None:
    maker.shape = [1, 4, 8, 8]
    maker.replace("gemm", kind, ["xd"], ["g"], blocksize=side)
    maker.refuse(f"`gemm` ({kind})", f"blocksize {side} does not fit shape")


def test_a_node_without_outputs(maker) -> None:
    maker.nodes.append(helper.make_node("Relu", ["xd"], [], name="void"))
    maker.refuse("`void` (Relu)", "has no output")


def test_unknown_attribute(maker) -> None:
    maker.replace("gemm", "Gemm", ["xd", "wd", "bd"], ["g"], transB=1, strange=7)
    maker.refuse("`gemm`", "attribute `strange`")


def test_unsupported_attribute_value(maker) -> None:
    maker.replace("gemm", "Gemm", ["xd", "wd", "bd"], ["g"], transB=1, transA=1)
    maker.refuse("`gemm`", "transA=1")


def test_shapes_that_do_not_go_together(maker) -> None:
    maker.shape = [1, 5]
    maker.refuse("`gemm`", "does not fit weights")


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "MaxPool", "Conv"])
def test_a_batch_of_images(maker, kind: str) -> None:
    maker.shape = [2, 3, 4, 4]
    maker.constants |= {"w": np.ones((3, 3, 1, 1), np.int8)}
    inputs, attributes = (["xd"], {}) if kind != "Conv" else (["xd", "wd", "bd"], {})
    if kind == "MaxPool":
        attributes["kernel_shape"] = [2, 2]
    maker.replace("gemm", kind, inputs, ["g"], **attributes)
    maker.refuse(f"`gemm` ({kind})", "batch of 2", "batch 1")


def test_cycle(maker) -> None:
    maker.replace("gemm", "Gemm", ["loop", "wd", "bd"], ["g"], transB=1)
    maker.nodes.append(helper.make_node("Relu", ["g"], ["loop"], name="back"))
    maker.refuse("cycle", "`gemm`", "`back`")


def test_two_producers(maker) -> None:
    maker.nodes.append(helper.make_node("Relu", ["xd"], ["g"], name="again"))
    maker.refuse("tensor `g` has two producers", "`again`")


def test_producer_of_a_constant(maker) -> None:
    maker.nodes.append(helper.make_node("Relu", ["xd"], ["w"], name="again"))
    maker.refuse("tensor `w` has two producers")


def test_missing_input(maker) -> None:
    maker.replace("gemm", "Gemm", ["nowhere", "wd", "bd"], ["g"], transB=1)
    maker.refuse("`gemm`", "`nowhere` is made by no node")


def test_output_that_nobody_makes(maker) -> None:
    maker.nodes.pop()
    maker.refuse("output `y` is made by no node")


def test_nodes_in_any_order_are_sorted(maker) -> None:
    maker.nodes.reverse()
    assert [layer["op"] for layer in maker.compile().model["layers"]] == ["fully_connected"]


def test_accumulator_that_could_overflow(maker) -> None:
    maker.constants["b"] = np.array([1, 2**31 - 1, 3], np.int32)
    maker.refuse("`gemm`", "accumulator of channel 1 could reach", "int32")


def test_bias_beyond_32_bits(maker) -> None:
    maker.constants |= {"real": np.array([1e30, 0, 0], np.float32)}
    maker.replace("gemm", "Gemm", ["xd", "wd", "real"], ["g"], transB=1)
    maker.refuse("`gemm`", "bias needs more than 32 bits")


def test_requantization_factor_out_of_range(maker) -> None:
    maker.constants |= {"tiny": np.float32(1e-9)}
    maker.replace("requantize", "QuantizeLinear", ["g", "tiny", "z"], ["gq"])
    maker.replace("out", "DequantizeLinear", ["gq", "tiny", "z"], ["y"])
    maker.refuse("`gemm`", "requantization factor")


def test_argmax_over_too_many_classes(maker) -> None:
    maker.shape = [1, 257]
    maker.nodes[2:] = [helper.make_node("ArgMax", ["xd"], ["y"], name="best", axis=1)]
    maker.refuse("`best`", "257 classes")


def test_reshape_to_a_computed_shape(maker) -> None:
    maker.nodes.insert(2, helper.make_node("Reshape", ["xd", "xd"], ["r"], name="reshape"))
    maker.refuse("`reshape`", "must be a constant")


def test_unknown_option() -> None:
    with pytest.raises(ParamsError, match="optimize"):
        Options(optimize="fast")


def test_unknown_pass(maker) -> None:
    with pytest.raises(UsageError, match="no optional pass `magic`"):
        maker.compile(without=("magic",))


def test_a_pass_without_which_nothing_works_cannot_be_skipped(maker) -> None:
    with pytest.raises(UsageError, match="lower_quantization"):
        maker.compile(without=("lower_quantization",))


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), float("inf")])
def test_gemm_factor_that_no_scale_can_hold(maker, alpha: float) -> None:
    maker.replace("gemm", "Gemm", ["xd", "wd", "bd"], ["g"], transB=1, alpha=alpha)
    maker.refuse("`gemm`", "alpha=", "not supported")
