"""Models too large: for 32 bits, for every microcontroller, for a core's accumulator, for the project's boards."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hilgate.artifacts import artifact
from hilgate.compile import onnx_file
from hilgate.compile.compile import compile_model, execute, load
from hilgate.compile.fits import boards_of, check_fits_a_board
from hilgate.errors import DoesNotFitError, ModelError
from hilgate.params import load_params


def relu(maker, shape: list[int]) -> None:
    """The model becomes x -> Relu -> y of that shape."""
    maker.shape, maker.constants = shape, {"s": np.float32(0.1), "z": np.int8(3)}
    maker.nodes[2:] = [
        helper.make_node("Relu", ["xd"], ["g"], name="relu"),
        helper.make_node("QuantizeLinear", ["g", "s", "z"], ["gq"], name="requantize"),
        helper.make_node("DequantizeLinear", ["gq", "s", "z"], ["y"], name="out"),
    ]


@pytest.mark.parametrize("shape", [[1, 2**31], [1, 2**16, 2**16], [2**62, 4], [1, 2**63 - 1]])
def test_shape_that_overflows_32_bits(maker, shape: list[int]) -> None:
    relu(maker, shape)
    maker.refuse("tensor `x`", "needs more than 32 bits to address")


def test_shape_that_no_board_could_hold(maker) -> None:
    relu(maker, [1, 1 << 20])  # 4 MB of float32
    assert "no board has more than" in maker.refuse("tensor `x`", "needs 4.0 MB of RAM").hint


def test_too_many_dimensions(maker) -> None:
    relu(maker, [1] * 9)
    maker.refuse("9 dimensions are more than 8")


def test_weights_that_could_overflow_the_accumulator(maker) -> None:
    """|weights| * 128 * inputs: 127 * 128 * 140,000 > 2^31, whatever the bias is."""
    wide = 140_000
    maker.shape = [1, wide]
    maker.constants |= {"w": np.full((3, wide), 127, np.int8), "b": np.zeros(3, np.int32)}
    assert "split the layer" in maker.refuse("`gemm`", "accumulator of channel 0 could reach", "int32").hint


def test_weights_whose_accumulator_is_proved_safe(maker) -> None:
    wide = 130_000  # 127 * 128 * 130,000 < 2^31
    maker.shape = [1, wide]
    maker.constants |= {"w": np.full((3, wide), 127, np.int8), "b": np.zeros(3, np.int32), "z": np.int8(0)}
    assert maker.compile().model["layers"]


def test_too_many_nodes(maker) -> None:
    maker.nodes += [helper.make_node("Relu", ["xd"], [f"r{i}"]) for i in range(onnx_file.NODES_MAX)]
    maker.refuse("nodes are more than")


@pytest.mark.parametrize("kind", ["Concat", "Gather", "Add"])
def test_constants_that_grow_out_of_bounds(maker, kind: str) -> None:
    """Each node doubles a constant, or spreads it: thirty of them would need a gigabyte and more."""
    maker.constants |= {"c0": np.zeros(2048, np.int64)}
    for index in range(30):
        name, attributes = f"c{index}", {"axis": 0} if kind == "Concat" else {}
        other = {"Concat": name, "Gather": "wide", "Add": "tall"}[kind]
        maker.nodes.append(helper.make_node(kind, [name, other], [f"c{index + 1}"], name=f"grow_{index}", **attributes))
    maker.constants |= {"wide": np.zeros((64, 512), np.int64), "tall": np.zeros((16384, 1), np.int64)}
    maker.refuse("grow_", "a constant of more than")


def test_a_constant_that_cannot_be_computed(maker) -> None:
    maker.constants |= {"c": np.zeros(4, np.int64)}
    maker.nodes.append(helper.make_node("Concat", ["c", "c"], ["cc"], name="cat"))
    maker.refuse("`cat`", "cannot be computed")


def test_a_pipe_instead_of_a_file(tmp_path: Path) -> None:
    """Opening it would wait for ever."""
    for name in ("model.onnx", "model.tflite"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(ModelError, match="no regular file"):
            load(tmp_path / name)


def test_a_file_too_large_to_be_a_model(tmp_path: Path) -> None:
    for name in ("model.onnx", "model.tflite"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(onnx_file.FILE_BYTES_MAX + 1)
        with pytest.raises(ModelError, match="larger than 256 MB"):
            load(tmp_path / name)


def test_external_data_that_many_constants_share(maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is legal; together they would fill the memory."""
    monkeypatch.setattr(onnx_file, "FILE_BYTES_MAX", 20_000)
    model = maker.model()
    (maker.path.parent / "data").write_bytes(bytes(8000))
    for index in range(3):
        tensor = model.graph.initializer.add(name=f"c{index}", data_type=3, dims=[8000], data_location=1)
        tensor.external_data.add(key="location", value="data")
    onnx.save(model, maker.path)
    with pytest.raises(ModelError, match="external data is larger"):
        load(maker.path)


def test_external_data_behind_a_circle_of_links(maker) -> None:
    model = maker.model()
    tensor = next(t for t in model.graph.initializer if t.name == "w")
    tensor.CopyFrom(numpy_helper.from_array(maker.constants["w"], "w"))
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="loop")
    (maker.path.parent / "loop").symlink_to(maker.path.parent / "loop")
    maker.path.write_bytes(model.SerializeToString())
    # Since Python 3.13, resolving a path passes over a circle, and only opening it fails.
    with pytest.raises(ModelError, match=r"no legal path|loop: cannot be read: Too many levels of symbolic links"):
        load(maker.path)


def test_a_model_that_fits_no_listed_board(maker, root: Path, tmp_path: Path) -> None:
    """`hilgate compile TASK` names every board of the project and how much it lacks."""
    relu(maker, [1, 500_000])  # int8 behind a float32 input of 2 MB
    onnx.save(maker.model(), maker.path)
    arena = compile_model(maker.path, tmp_path / "alone").model["arena_bytes"]
    project = tmp_path / "project"
    shutil.copytree(root / "firmware/boards", project / "firmware/boards")
    for board in (b.name for b in boards_of(project) if max(m.bytes for m in b.memories if m.kind == "ram") >= arena):
        shutil.rmtree(project / "firmware/boards" / board)
    (project / "params.yaml").write_text("compile:\n  large: { optimize: speed, updatable: true }\n")
    source = artifact(project, "quantize.onnx", "large")
    source.parent.mkdir(parents=True)
    shutil.copy(maker.path, source)
    with pytest.raises(DoesNotFitError, match="fit no board of this project") as caught:
        execute("large", load_params(project), project)
    boards = boards_of(project)
    assert boards
    for board in boards:
        lacking = arena - max(m.bytes for m in board.memories if m.kind == "ram")
        assert f"{board.name} lacks {lacking:,} bytes of RAM" in caught.value.what


def test_a_model_that_fits_one_board_is_no_error(root: Path) -> None:
    check_fits_a_board("small", 1000, 1000, boards_of(root))


def test_weights_that_fit_no_flash(root: Path) -> None:
    with pytest.raises(DoesNotFitError, match="bytes of flash") as caught:
        check_fits_a_board("heavy", 1000, 64 << 20, boards_of(root))
    assert "RAM" not in caught.value.what
