"""Small int8 .tflite files, made on the spot, and LiteRT's reference kernels to run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite

TYPES = {"int8": 9, "int32": 2, "float32": 0, "int64": 4}


class TfliteMaker:
    """Tensors and operators by name, written as a flatbuffer."""

    def __init__(self) -> None:
        self.tensors: list[dict[str, Any]] = []
        self.operators: list[tuple[str, list[int], list[int], str, dict[str, Any]]] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.version = 3

    def tensor(self, shape, scale=None, zero_point=0, *, axis=0, data=None, dtype="int8", name="") -> int:
        self.tensors.append(
            {
                "name": name or f"t{len(self.tensors)}",
                "shape": list(shape),
                "dtype": dtype,
                "scale": [] if scale is None else np.atleast_1d(scale).astype(float).tolist(),
                "zero_point": zero_point,
                "axis": axis,
                "data": None if data is None else np.asarray(data),
            }
        )
        return len(self.tensors) - 1

    def input(self, shape, scale=0.05, zero_point=3) -> int:
        self.inputs.append(self.tensor(shape, scale, zero_point))
        return self.inputs[-1]

    def ints(self, values) -> int:
        """A constant int32 tensor: a shape, axes, paddings."""
        array = np.asarray(values, np.int32)
        return self.tensor(array.shape, data=array, dtype="int32")

    def op(self, kind: str, inputs: list[int], outputs: list[int], options: str = "", **fields: Any) -> None:
        self.operators.append((kind, inputs, outputs, options, fields))

    def write(self, path: Path) -> Path:
        builder = flatbuffers.Builder(1024)
        buffers = [self._buffer(builder, None)]
        tensors = []
        for facts in self.tensors:
            index = 0
            if facts["data"] is not None:
                index = len(buffers)
                buffers.append(self._buffer(builder, facts["data"]))
            tensors.append(self._tensor(builder, facts, index))
        codes = sorted({kind for kind, *_ in self.operators})
        operators = [self._operator(builder, codes.index(o[0]), o) for o in self.operators]
        subgraph = self._subgraph(builder, tensors, operators)
        code_offsets = [self._code(builder, kind) for kind in codes]
        vectors = [self._offsets(builder, offsets) for offsets in (code_offsets, [subgraph], buffers)]
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, self.version)
        tflite.ModelAddOperatorCodes(builder, vectors[0])
        tflite.ModelAddSubgraphs(builder, vectors[1])
        tflite.ModelAddBuffers(builder, vectors[2])
        builder.Finish(tflite.ModelEnd(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path

    def _buffer(self, builder, data) -> int:
        vector = None if data is None else builder.CreateNumpyVector(np.frombuffer(data.tobytes(), np.uint8))
        tflite.BufferStart(builder)
        if vector is not None:
            tflite.BufferAddData(builder, vector)
        return tflite.BufferEnd(builder)

    def _tensor(self, builder, facts, buffer: int) -> int:
        name = builder.CreateString(facts["name"])
        shape = builder.CreateNumpyVector(np.asarray(facts["shape"], np.int32))
        quantization = None
        if facts["scale"]:
            scale = builder.CreateNumpyVector(np.asarray(facts["scale"], np.float32))
            points = builder.CreateNumpyVector(np.full(len(facts["scale"]), facts["zero_point"], np.int64))
            tflite.QuantizationParametersStart(builder)
            tflite.QuantizationParametersAddScale(builder, scale)
            tflite.QuantizationParametersAddZeroPoint(builder, points)
            tflite.QuantizationParametersAddQuantizedDimension(builder, facts["axis"])
            quantization = tflite.QuantizationParametersEnd(builder)
        tflite.TensorStart(builder)
        tflite.TensorAddName(builder, name)
        tflite.TensorAddShape(builder, shape)
        tflite.TensorAddType(builder, TYPES[facts["dtype"]])
        tflite.TensorAddBuffer(builder, buffer)
        if quantization is not None:
            tflite.TensorAddQuantization(builder, quantization)
        return tflite.TensorEnd(builder)

    def _operator(self, builder, code: int, operator) -> int:
        _, inputs, outputs, options, fields = operator
        lists = [builder.CreateNumpyVector(np.asarray(v, np.int32)) for v in (inputs, outputs)]
        table = 0
        if options:
            vectors = {
                key: builder.CreateNumpyVector(np.asarray(value, np.int32))
                for key, value in fields.items()
                if isinstance(value, list)
            }
            getattr(tflite, f"{options}Start")(builder)
            for key, value in fields.items():
                getattr(tflite, f"{options}Add{key}")(builder, vectors.get(key, value))
            table = getattr(tflite, f"{options}End")(builder)
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, code)
        tflite.OperatorAddInputs(builder, lists[0])
        tflite.OperatorAddOutputs(builder, lists[1])
        if options:
            tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, options))
            tflite.OperatorAddBuiltinOptions(builder, table)
        return tflite.OperatorEnd(builder)

    def _subgraph(self, builder, tensors, operators) -> int:
        vectors = [self._offsets(builder, offsets) for offsets in (tensors, operators)]
        edges = [builder.CreateNumpyVector(np.asarray(v, np.int32)) for v in (self.inputs, self.outputs)]
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, vectors[0])
        tflite.SubGraphAddInputs(builder, edges[0])
        tflite.SubGraphAddOutputs(builder, edges[1])
        tflite.SubGraphAddOperators(builder, vectors[1])
        return tflite.SubGraphEnd(builder)

    def _code(self, builder, kind: str) -> int:
        value = getattr(tflite.BuiltinOperator, kind)
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(value, 127))
        tflite.OperatorCodeAddBuiltinCode(builder, value)
        tflite.OperatorCodeAddVersion(builder, 1)
        return tflite.OperatorCodeEnd(builder)

    @staticmethod
    def _offsets(builder, offsets: list[int]) -> int:
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()


@pytest.fixture
def maker() -> TfliteMaker:
    return TfliteMaker()


@pytest.fixture(scope="session")
def litert():
    """litert(path, inputs by position (N, *shape)) -> outputs (N, *shape), by LiteRT's reference kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    def run(path: Path, inputs: list[np.ndarray]) -> list[np.ndarray]:
        interpreter = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
        interpreter.allocate_tensors()
        sources, targets = interpreter.get_input_details(), interpreter.get_output_details()
        rows: list[list[np.ndarray]] = []
        for index in range(inputs[0].shape[0]):
            for source, array in zip(sources, inputs, strict=True):
                interpreter.set_tensor(source["index"], array[index].reshape(source["shape"]))
            interpreter.invoke()
            rows.append([interpreter.get_tensor(target["index"]).copy() for target in targets])
        return [np.stack(column) for column in zip(*rows, strict=True)]

    return run
