"""Quantizations that mean nothing are refused with the node, the reason and a way out."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from hilgate.errors import ModelError


def test_uint8_activations_mean_the_same_as_int8(maker) -> None:
    signed = maker.compile().model
    maker.constants["z"] = np.uint8(131)
    unsigned = maker.compile().model
    assert unsigned["weights_hash"] == signed["weights_hash"]
    assert unsigned["input"] == signed["input"]


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_bad_scale(maker, scale: float) -> None:
    maker.constants["s"] = np.float32(scale)
    maker.refuse("`quantize`", "scale is zero, negative or not a number")


def test_bad_scale_in_one_channel(maker) -> None:
    maker.constants["ws"][1] = 0
    maker.refuse("`weights`", "scale is zero")


def test_scale_of_another_type(maker) -> None:
    maker.constants["s"] = np.float16(0.1)
    maker.refuse("`quantize`", "float16")


def test_zero_point_of_another_type(maker) -> None:
    maker.constants["z"] = np.int16(300)
    maker.refuse("`quantize`", "int16 is not supported")


def test_zero_point_out_of_range() -> None:
    from hilgate.compile.cases import cases_of, graph_of
    from hilgate.compile.graph import Quantization
    from hilgate.compile.verify import verify

    graph = graph_of(cases_of("requantize")[0])
    graph.tensors["output_0"].quantization = Quantization((0.1,), 128)
    with pytest.raises(ModelError, match="zero point 128 is outside int8"):
        verify(graph)


def test_bias_with_a_zero_point(maker) -> None:
    maker.constants["bz"][:] = 1
    maker.refuse("`bias`", "zero point")


def test_weights_with_a_zero_point(maker) -> None:
    maker.constants["wz"][:] = 5
    maker.refuse("`gemm`", "zero point 5", "symmetrically")


def test_zero_points_that_differ(maker) -> None:
    maker.constants["wz"][1] = 5
    maker.refuse("`weights`", "zero points differ")


def test_per_channel_activation(maker) -> None:
    maker.constants |= {"s": np.full(4, 0.1, np.float32), "z": np.zeros(4, np.int8)}
    maker.refuse("`quantize`", "per-channel quantization of an activation")


def test_per_channel_along_the_wrong_axis(maker) -> None:
    maker.constants |= {"ws": np.full(4, 0.1, np.float32), "wz": np.zeros(4, np.int8)}
    maker.replace("weights", "DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=1)
    maker.refuse("`gemm`", "axis 1", "per output channel")


def test_scales_that_do_not_fit(maker) -> None:
    maker.constants |= {"ws": np.full(7, 0.1, np.float32), "wz": np.zeros(7, np.int8)}
    maker.refuse("`weights`", "does not fit")


def test_dequantize_with_another_scale(maker) -> None:
    maker.constants["other"] = np.float32(0.2)
    maker.replace("dequantize", "DequantizeLinear", ["xq", "other", "z"], ["xd"])
    maker.refuse("`dequantize`", "differ from those of its QuantizeLinear")


def test_scale_that_is_computed(maker) -> None:
    maker.nodes.insert(0, helper.make_node("Relu", ["x"], ["s2"], name="relu"))
    maker.replace("quantize", "QuantizeLinear", ["x", "s2", "z"], ["xq"])
    maker.refuse("`quantize`", "must be a constant")
