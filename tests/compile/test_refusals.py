"""Every model that cannot be compiled is refused with the node or file, the reason and a way out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from hilgate.compile.compile import compile_model, load, lower
from hilgate.compile.options import Options
from hilgate.errors import HilgateError, ModelError, ParamsError, UsageError


class Maker:
    """A small QDQ model, x(1, 4) -> Gemm -> y(1, 3), whose parts a test changes before it is saved."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "model.onnx"
        self.constants = {
            "s": np.float32(0.1),
            "z": np.int8(3),
            "w": np.arange(-6, 6, dtype=np.int8).reshape(3, 4),
            "ws": np.array([0.1, 0.2, 0.3], np.float32),
            "wz": np.zeros(3, np.int8),
            "b": np.array([1, 2, 3], np.int32),
            "bs": np.array([0.01, 0.02, 0.03], np.float32),
            "bz": np.zeros(3, np.int32),
        }
        node = helper.make_node
        self.nodes = [
            node("QuantizeLinear", ["x", "s", "z"], ["xq"], name="quantize"),
            node("DequantizeLinear", ["xq", "s", "z"], ["xd"], name="dequantize"),
            node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], name="weights", axis=0),
            node("DequantizeLinear", ["b", "bs", "bz"], ["bd"], name="bias", axis=0),
            node("Gemm", ["xd", "wd", "bd"], ["g"], name="gemm", transB=1),
            node("QuantizeLinear", ["g", "s", "z"], ["gq"], name="requantize"),
            node("DequantizeLinear", ["gq", "s", "z"], ["y"], name="out"),
        ]
        self.shape: list[int | str] = [1, 4]
        self.opset = 20
        self.domain = ""

    def replace(self, name: str, *args, **attributes) -> None:
        index = next(i for i, n in enumerate(self.nodes) if n.name == name)
        self.nodes[index] = helper.make_node(*args, name=name, **attributes)

    def model(self) -> onnx.ModelProto:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        constants = [numpy_helper.from_array(np.asarray(v), k) for k, v in self.constants.items()]
        graph = helper.make_graph(self.nodes, "g", [x], [y], constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid(self.domain, self.opset)])

    def compile(self, **options):
        onnx.save(self.model(), self.path)
        return compile_model(self.path, self.path.parent / "c", Options(**options))


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


def refuse(maker: Maker, *parts: str) -> ModelError:
    """The model is refused, and the message has each part."""
    with pytest.raises(ModelError) as caught:
        maker.compile()
    for part in parts:
        assert part in str(caught.value), str(caught.value)
    assert caught.value.where
    return caught.value


def test_the_unchanged_model_compiles(maker: Maker) -> None:
    assert [layer["op"] for layer in maker.compile().model["layers"]] == ["fully_connected"]


def test_uint8_activations_mean_the_same_as_int8(maker: Maker) -> None:
    signed = maker.compile().model
    maker.constants["z"] = np.uint8(131)
    unsigned = maker.compile().model
    assert unsigned["weights_hash"] == signed["weights_hash"]
    assert unsigned["input"] == signed["input"]


def test_unsupported_operator(maker: Maker) -> None:
    maker.replace("gemm", "Einsum", ["xd", "wd"], ["g"], equation="ij,kj->ik")
    assert "supported:" in refuse(maker, "`gemm` (Einsum)", "operator Einsum is not supported").hint


def test_unsupported_domain(maker: Maker) -> None:
    maker.nodes[4].domain = "com.example"
    refuse(maker, "`gemm`", "com.example")


def test_float_graph(maker: Maker) -> None:
    maker.constants["w"] = maker.constants["w"].astype(np.float32)
    maker.nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], name="gemm", transB=1)]
    assert "quantize" in refuse(maker, "`gemm`", "float32").hint


def test_float_part_in_the_middle(maker: Maker) -> None:
    maker.nodes[5:] = [
        helper.make_node("Softmax", ["g"], ["t"], name="soft"),
        helper.make_node("QuantizeLinear", ["t", "s", "z"], ["gq"], name="requantize"),
        helper.make_node("DequantizeLinear", ["gq", "s", "z"], ["y"], name="out"),
    ]
    refuse(maker, "tensor `g` is still float32")


@pytest.mark.parametrize("shape", [["batch", 4], [1, "n"], [0, 4]])
def test_dynamic_shape(maker: Maker, shape: list) -> None:
    maker.shape = shape
    assert "fixed shape" in refuse(maker, "`x` has a dynamic shape").hint


@pytest.mark.parametrize("opset", [1, 12, 99])
def test_wrong_opset(maker: Maker, opset: int) -> None:
    maker.opset = opset
    refuse(maker, f"opset {opset} is not supported", "13 to 23")


def test_missing_opset(maker: Maker) -> None:
    maker.domain = "com.example"
    refuse(maker, "opset None")


def test_unknown_attribute(maker: Maker) -> None:
    maker.replace("gemm", "Gemm", ["xd", "wd", "bd"], ["g"], transB=1, strange=7)
    refuse(maker, "`gemm`", "attribute `strange`")


def test_unsupported_attribute_value(maker: Maker) -> None:
    maker.replace("gemm", "Gemm", ["xd", "wd", "bd"], ["g"], transB=1, alpha=0.5)
    refuse(maker, "`gemm`", "alpha=0.5")


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_bad_scale(maker: Maker, scale: float) -> None:
    maker.constants["s"] = np.float32(scale)
    refuse(maker, "`quantize`", "scale is zero, negative or not a number")


def test_bad_scale_in_one_channel(maker: Maker) -> None:
    maker.constants["ws"][1] = 0
    refuse(maker, "`weights`", "scale is zero")


def test_scale_of_another_type(maker: Maker) -> None:
    maker.constants["s"] = np.float16(0.1)
    refuse(maker, "`quantize`", "float16")


def test_zero_point_of_another_type(maker: Maker) -> None:
    maker.constants["z"] = np.int16(300)
    refuse(maker, "`quantize`", "int16 is not supported")


def test_zero_point_out_of_range() -> None:
    from hilgate.compile.cases import cases_of, graph_of
    from hilgate.compile.graph import Quantization
    from hilgate.compile.verify import verify

    graph = graph_of(cases_of("requantize")[0])
    graph.tensors["output_0"].quantization = Quantization((0.1,), 128)
    with pytest.raises(ModelError, match="zero point 128 is outside int8"):
        verify(graph)


def test_bias_with_a_zero_point(maker: Maker) -> None:
    maker.constants["bz"][:] = 1
    refuse(maker, "`bias`", "zero point")


def test_weights_with_a_zero_point(maker: Maker) -> None:
    maker.constants["wz"][:] = 5
    refuse(maker, "`gemm`", "zero point 5", "symmetrically")


def test_zero_points_that_differ(maker: Maker) -> None:
    maker.constants["wz"][1] = 5
    refuse(maker, "`weights`", "zero points differ")


def test_per_channel_activation(maker: Maker) -> None:
    maker.constants |= {"s": np.full(4, 0.1, np.float32), "z": np.zeros(4, np.int8)}
    refuse(maker, "`quantize`", "per-channel quantization of an activation")


def test_per_channel_along_the_wrong_axis(maker: Maker) -> None:
    maker.constants |= {"ws": np.full(4, 0.1, np.float32), "wz": np.zeros(4, np.int8)}
    maker.replace("weights", "DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=1)
    refuse(maker, "`gemm`", "axis 1", "per output channel")


def test_scales_that_do_not_fit(maker: Maker) -> None:
    maker.constants |= {"ws": np.full(7, 0.1, np.float32), "wz": np.zeros(7, np.int8)}
    refuse(maker, "`weights`", "does not fit")


def test_dequantize_with_another_scale(maker: Maker) -> None:
    maker.constants["other"] = np.float32(0.2)
    maker.replace("dequantize", "DequantizeLinear", ["xq", "other", "z"], ["xd"])
    refuse(maker, "`dequantize`", "differ from those of its QuantizeLinear")


def test_shapes_that_do_not_go_together(maker: Maker) -> None:
    maker.shape = [1, 5]
    refuse(maker, "`gemm`", "does not fit weights")


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "MaxPool", "Conv"])
def test_a_batch_of_images(maker: Maker, kind: str) -> None:
    maker.shape = [2, 3, 4, 4]
    maker.constants |= {"w": np.ones((3, 3, 1, 1), np.int8)}
    inputs, attributes = (["xd"], {}) if kind != "Conv" else (["xd", "wd", "bd"], {})
    if kind == "MaxPool":
        attributes["kernel_shape"] = [2, 2]
    maker.replace("gemm", kind, inputs, ["g"], **attributes)
    refuse(maker, f"`gemm` ({kind})", "batch of 2", "batch 1")


def test_scale_that_is_computed(maker: Maker) -> None:
    maker.nodes.insert(0, helper.make_node("Relu", ["x"], ["s2"], name="relu"))
    maker.replace("quantize", "QuantizeLinear", ["x", "s2", "z"], ["xq"])
    refuse(maker, "`quantize`", "must be a constant")


def test_cycle(maker: Maker) -> None:
    maker.replace("gemm", "Gemm", ["loop", "wd", "bd"], ["g"], transB=1)
    maker.nodes.append(helper.make_node("Relu", ["g"], ["loop"], name="back"))
    refuse(maker, "cycle", "`gemm`", "`back`")


def test_two_producers(maker: Maker) -> None:
    maker.nodes.append(helper.make_node("Relu", ["xd"], ["g"], name="again"))
    refuse(maker, "tensor `g` has two producers", "`again`")


def test_producer_of_a_constant(maker: Maker) -> None:
    maker.nodes.append(helper.make_node("Relu", ["xd"], ["w"], name="again"))
    refuse(maker, "tensor `w` has two producers")


def test_missing_input(maker: Maker) -> None:
    maker.replace("gemm", "Gemm", ["nowhere", "wd", "bd"], ["g"], transB=1)
    refuse(maker, "`gemm`", "`nowhere` is made by no node")


def test_output_that_nobody_makes(maker: Maker) -> None:
    maker.nodes.pop()
    refuse(maker, "output `y` is made by no node")


def test_nodes_in_any_order_are_sorted(maker: Maker) -> None:
    maker.nodes.reverse()
    assert [layer["op"] for layer in maker.compile().model["layers"]] == ["fully_connected"]


def test_accumulator_that_could_overflow(maker: Maker) -> None:
    maker.constants["b"] = np.array([1, 2**31 - 1, 3], np.int32)
    refuse(maker, "`gemm`", "accumulator of channel 1 could reach", "int32")


def test_bias_beyond_32_bits(maker: Maker) -> None:
    maker.constants |= {"real": np.array([1e30, 0, 0], np.float32)}
    maker.replace("gemm", "Gemm", ["xd", "wd", "real"], ["g"], transB=1)
    refuse(maker, "`gemm`", "bias needs more than 32 bits")


def test_requantization_factor_out_of_range(maker: Maker) -> None:
    maker.constants |= {"tiny": np.float32(1e-9)}
    maker.replace("requantize", "QuantizeLinear", ["g", "tiny", "z"], ["gq"])
    maker.replace("out", "DequantizeLinear", ["gq", "tiny", "z"], ["y"])
    refuse(maker, "`gemm`", "requantization factor")


def test_argmax_over_too_many_classes(maker: Maker) -> None:
    maker.shape = [1, 257]
    maker.nodes[2:] = [helper.make_node("ArgMax", ["xd"], ["y"], name="best", axis=1)]
    refuse(maker, "`best`", "257 classes")


def test_reshape_to_a_computed_shape(maker: Maker) -> None:
    maker.nodes.insert(2, helper.make_node("Reshape", ["xd", "xd"], ["r"], name="reshape"))
    refuse(maker, "`reshape`", "must be a constant")


def test_empty_file(maker: Maker) -> None:
    maker.path.write_bytes(b"")
    with pytest.raises(ModelError, match="file is empty"):
        load(maker.path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load(tmp_path / "no.onnx")


def test_other_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model file"):
        load(tmp_path / "model.pt")


def test_random_file(maker: Maker) -> None:
    maker.path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(ModelError, match="not an ONNX file"):
        load(maker.path)


def test_every_truncation_is_refused_in_words(maker: Maker) -> None:
    content = maker.model().SerializeToString()
    for length in range(0, len(content), 7):
        maker.path.write_bytes(content[:length])
        with pytest.raises(HilgateError):
            lower(load(maker.path), Options())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_never_crash(maker: Maker, data) -> None:
    content = bytearray(maker.model().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    maker.path.write_bytes(content)
    try:
        lower(load(maker.path), Options())
    except HilgateError as error:
        assert str(error)


def external(maker: Maker, location: str, **facts: str) -> None:
    model = maker.model()
    tensor = next(t for t in model.graph.initializer if t.name == "w")
    raw = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **facts}.items():
        tensor.external_data.add(key=key, value=value)
    maker.path.write_bytes(model.SerializeToString())
    if not location.startswith(("/", "..")) and location:
        (maker.path.parent / "weights.data").write_bytes(b"----" + raw)


def test_external_data_in_the_folder(maker: Maker) -> None:
    external(maker, "weights.data", offset="4", length="12")
    graph = load(maker.path)
    np.testing.assert_array_equal(graph.tensors["w"].data, maker.constants["w"])


@pytest.mark.parametrize("location", ["../weights.data", "/etc/passwd", "", "sub/../../weights.data"])
def test_external_data_outside_the_folder(maker: Maker, location: str) -> None:
    external(maker, location)
    with pytest.raises(ModelError, match="outside the model's folder"):
        load(maker.path)


def test_external_data_by_a_link_to_outside(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_bytes(bytes(100))
    external(maker, "weights.data")
    (maker.path.parent / "weights.data").unlink()
    (maker.path.parent / "weights.data").symlink_to(secret)
    with pytest.raises(ModelError, match="outside the model's folder"):
        load(maker.path)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"offset": "4", "length": "13"}, "cut short"),
        ({"offset": "-4"}, "cut short"),
        ({"offset": "x"}, "not described in numbers"),
        ({"offset": "0", "length": "3"}, "damaged"),
    ],
)
def test_external_data_that_does_not_fit(maker: Maker, facts: dict[str, str], reason: str) -> None:
    external(maker, "weights.data", **facts)
    with pytest.raises(ModelError, match=reason):
        load(maker.path)


def test_missing_external_data(maker: Maker) -> None:
    external(maker, "weights.data")
    (maker.path.parent / "weights.data").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load(maker.path)


def test_unknown_option() -> None:
    with pytest.raises(ParamsError, match="optimize"):
        Options(optimize="fast")


def test_unknown_pass(maker: Maker) -> None:
    with pytest.raises(UsageError, match="no optional pass `magic`"):
        maker.compile(without=("magic",))


def test_a_pass_without_which_nothing_works_cannot_be_skipped(maker: Maker) -> None:
    with pytest.raises(UsageError, match="lower_quantization"):
        maker.compile(without=("lower_quantization",))
