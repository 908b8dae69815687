"""Files that are no models, and external data that is not where it should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from hilgate.compile.compile import load, lower
from hilgate.compile.options import Options
from hilgate.errors import HilgateError, ModelError


def test_empty_file(maker) -> None:
    maker.path.write_bytes(b"")
    with pytest.raises(ModelError, match="file is empty"):
        load(maker.path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load(tmp_path / "no.onnx")


def test_other_kind_of_file(tmp_path: Path) -> None:
    for name in ("model.pt", "model", ".onnx"):
        with pytest.raises(ModelError, match=r"no model file: its name ends in neither \.onnx nor \.tflite"):
            load(tmp_path / name)


def test_random_file(maker) -> None:
    maker.path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(ModelError, match="not an ONNX file"):
        load(maker.path)


def test_every_truncation_is_refused_in_words(maker) -> None:
    content = maker.model().SerializeToString()
    for length in range(0, len(content), 7):
        maker.path.write_bytes(content[:length])
        with pytest.raises(HilgateError):
            lower(load(maker.path), Options())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_never_crash(maker, data) -> None:
    content = bytearray(maker.model().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    maker.path.write_bytes(content)
    try:
        lower(load(maker.path), Options())
    except HilgateError as error:
        assert str(error)


def external(maker, location: str, **facts: str) -> None:
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


def test_external_data_in_the_folder(maker) -> None:
    external(maker, "weights.data", offset="4", length="12")
    graph = load(maker.path)
    np.testing.assert_array_equal(graph.tensors["w"].data, maker.constants["w"])


@pytest.mark.parametrize("location", ["../weights.data", "/etc/passwd", "", "sub/../../weights.data"])
def test_external_data_outside_the_folder(maker, location: str) -> None:
    external(maker, location)
    with pytest.raises(ModelError, match="outside the model's folder"):
        load(maker.path)


def test_external_data_by_a_link_to_outside(maker, tmp_path_factory: pytest.TempPathFactory) -> None:
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
def test_external_data_that_does_not_fit(maker, facts: dict[str, str], reason: str) -> None:
    external(maker, "weights.data", **facts)
    with pytest.raises(ModelError, match=reason):
        load(maker.path)


def test_missing_external_data(maker) -> None:
    external(maker, "weights.data")
    (maker.path.parent / "weights.data").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load(maker.path)
