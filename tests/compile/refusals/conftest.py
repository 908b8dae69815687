"""A small QDQ model whose parts a test spoils."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hilgate.compile.compile import compile_model
from hilgate.compile.options import Options
from hilgate.errors import ModelError


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

    def refuse(self, *parts: str) -> ModelError:
        """The model is refused, and the message has each part."""
        with pytest.raises(ModelError) as caught:
            self.compile()
        for part in parts:
            assert part in str(caught.value), str(caught.value)
        assert caught.value.where
        return caught.value


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path)
