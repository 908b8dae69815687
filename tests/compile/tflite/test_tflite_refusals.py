"""Every .tflite file that cannot be compiled is refused with the place, the reason and a way out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilgate.compile.compile import load, lower
from hilgate.compile.options import Options
from hilgate.errors import HilgateError, ModelError


@pytest.fixture
def small(maker):
    """A maker with x(1, 4) -> FULLY_CONNECTED -> y(1, 3)."""
    x = maker.input([1, 4])
    weights = maker.tensor([3, 4], 0.01, data=np.arange(-6, 6, dtype=np.int8).reshape(3, 4), name="weights")
    bias = maker.tensor([3], 0.0005, data=np.array([1, 2, 3], np.int32), dtype="int32", name="bias")
    y = maker.tensor([1, 3], 0.02, 1, name="y")
    maker.op("FULLY_CONNECTED", [x, weights, bias], [y], "FullyConnectedOptions", FusedActivationFunction=0)
    maker.outputs = [y]
    return maker


def refuse(maker, folder: Path, *parts: str) -> None:
    with pytest.raises(ModelError) as caught:
        lower(load(maker.write(folder / "m.tflite")), Options())
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_the_unchanged_model_compiles(small, tmp_path: Path) -> None:
    lower(load(small.write(tmp_path / "m.tflite")), Options())


def test_unsupported_operator(small, tmp_path: Path) -> None:
    small.op("CUMSUM", [small.outputs[0], small.ints([0])], [small.tensor([1, 3], 0.02, 1)])
    refuse(small, tmp_path, "operator CUMSUM is not supported", "supported: ")


def test_unsupported_activation(small, tmp_path: Path) -> None:
    small.operators[0][4]["FusedActivationFunction"] = 4
    refuse(small, tmp_path, "fused activation TANH")


def test_float_model(small, tmp_path: Path) -> None:
    for tensor in small.tensors:
        tensor["dtype"], tensor["scale"] = "float32", []
        tensor["data"] = None if tensor["data"] is None else tensor["data"].astype(np.float32)
    refuse(small, tmp_path, "float32")


@pytest.mark.parametrize("scale", [0.0, -0.5, np.nan, np.inf])
def test_bad_scale(small, tmp_path: Path, scale: float) -> None:
    small.tensors[0]["scale"] = [scale]
    refuse(small, tmp_path, "scale of tensor `t0` is zero, negative or not a number")


def test_zero_point_out_of_range(small, tmp_path: Path) -> None:
    small.tensors[0]["zero_point"] = 200
    refuse(small, tmp_path, "zero point 200 is outside int8")


def test_per_channel_activation(small, tmp_path: Path) -> None:
    small.tensors[0]["scale"], small.tensors[0]["axis"] = [0.1] * 4, 1
    refuse(small, tmp_path, "per-channel quantization of an activation")


def test_dynamic_shape(small, tmp_path: Path) -> None:
    small.tensors[0]["shape"] = [1, 0]
    refuse(small, tmp_path, "dynamic shape")


def test_shape_that_does_not_fit(small, tmp_path: Path) -> None:
    small.tensors[0]["shape"] = [1, 5]
    refuse(small, tmp_path, "do not go together")


def test_output_shape_that_is_wrong(small, tmp_path: Path) -> None:
    small.tensors[small.outputs[0]]["shape"] = [1, 4]
    refuse(small, tmp_path, "the file says")


def test_constant_that_is_cut_short(small, tmp_path: Path) -> None:
    small.tensors[1]["data"] = small.tensors[1]["data"].reshape(-1)[:11]
    refuse(small, tmp_path, "constant `weights` has 11 bytes")


def test_weights_that_are_computed(small, tmp_path: Path) -> None:
    small.tensors[1]["data"] = None
    small.inputs.append(1)
    refuse(small, tmp_path, "must be a constant")


def test_wrong_options(small, tmp_path: Path) -> None:
    kind, inputs, outputs, _, _ = small.operators[0]
    small.operators[0] = (kind, inputs, outputs, "SoftmaxOptions", {"Beta": 1.0})
    refuse(small, tmp_path, "no FullyConnectedOptions")


def test_wrong_schema_version(small, tmp_path: Path) -> None:
    small.version = 2
    refuse(small, tmp_path, "schema version 2")


def test_two_producers(small, tmp_path: Path) -> None:
    small.operators.append(small.operators[0])
    refuse(small, tmp_path, "two producers")


def test_operator_before_its_input(small, tmp_path: Path) -> None:
    later = small.tensor([1, 4], 0.05, 3)
    small.operators[0][1][0] = later
    small.op("RESHAPE", [small.inputs[0], small.ints([1, 4])], [later], "ReshapeOptions", NewShape=[1, 4])
    refuse(small, tmp_path, "before anything makes it")


def test_accumulator_that_could_overflow(small, tmp_path: Path) -> None:
    small.tensors[2]["data"] = np.array([1, 2**31 - 1, 3], np.int32)
    refuse(small, tmp_path, "accumulator of channel 1 could reach")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"rubbish", "not a TFLite file"), (b"\x08\0\0\0TFL3" + bytes(3), "damaged")],
)
def test_no_tflite_file(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=reason):
        load(path)


def test_every_truncation_is_refused_in_words(small, tmp_path: Path) -> None:
    path = small.write(tmp_path / "m.tflite")
    content = path.read_bytes()
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        try:
            lower(load(path), Options())
        except HilgateError as error:
            assert str(error)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_never_crash(small, tmp_path: Path, data) -> None:
    path = small.write(tmp_path / "m.tflite")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        lower(load(path), Options())
    except HilgateError as error:
        assert str(error)
