"""A .tflite file as hostile data: size, identifier, enums, operator names, options tables, constant buffers."""

from __future__ import annotations

import importlib
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hilgate.compile.graph import Shape
from hilgate.compile.onnx_file import file_bytes
from hilgate.errors import ModelError

if TYPE_CHECKING:
    from hilgate.compile.tflite_door import TfliteNode

COUNT_MAX = 4096
DTYPES = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64, "float32": np.float32}


def content(path: Path) -> bytes:
    """The file's bytes. Raises ModelError: unreadable, empty, too large, no TFLite identifier."""
    if not file_bytes(path):
        raise ModelError("the file is empty", where=str(path), hint="convert the model again")
    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise ModelError("not a TFLite file", where=str(path), hint="its bytes 4 to 7 should be TFL3")
    return data


def parse(data: bytes, path: Path) -> Any:
    """The root table. Raises ModelError: another schema version, more than one subgraph."""
    import tflite

    model = tflite.Model.GetRootAsModel(data, 0)
    if model.Version() != 3:
        raise ModelError(f"schema version {model.Version()} is not supported", where=str(path), hint="supported: 3")
    if model.SubgraphsLength() != 1:
        raise ModelError(f"{model.SubgraphsLength()} subgraphs are not supported", where=str(path), hint="supported: 1")
    return model


def counted(count: int, what: str) -> int:
    """A table's length, if a real model could have it."""
    if count > COUNT_MAX:
        raise ModelError(f"{count} {what} are more than {COUNT_MAX}", where="graph")
    return count


@cache
def _names(enum: str) -> dict[int, str]:
    import tflite

    return {value: name for name, value in vars(getattr(tflite, enum)).items() if isinstance(value, int)}


def enum_name(enum: str, code: int) -> str:
    """The name of a schema enum's value."""
    return _names(enum).get(code, f"{enum} {code}")


def operator_name(model: Any, index: int) -> str:
    """The operator behind an index into the model's operator codes."""
    if not 0 <= index < model.OperatorCodesLength():
        raise ModelError(f"operator code {index} does not exist", where="graph", hint="convert the model again")
    code = model.OperatorCodes(index)
    name = enum_name("BuiltinOperator", max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
    if name == "CUSTOM":
        return f"CUSTOM {(code.CustomCode() or b'').decode('utf-8', 'replace')}"
    return name


def options(table: Any, name: str, node: TfliteNode) -> Any:
    """The options union of an operator as class `name`. Raises ModelError when the file says another kind."""
    if enum_name("BuiltinOptions", table.BuiltinOptionsType()) != name:
        raise node.refuse(f"its options are no {name}", "convert the model again")
    union = table.BuiltinOptions()
    cls = getattr(importlib.import_module("tflite"), name)
    result = cls()
    result.Init(union.Bytes, union.Pos)
    return result


def buffer(model: Any, index: int, dtype: str, shape: Shape, name: str) -> np.ndarray | None:
    """A constant's data, or None when the tensor has none. Raises ModelError when it is cut short."""
    if not 0 <= index < model.BuffersLength():
        raise ModelError(f"tensor `{name}` names buffer {index}, which does not exist", where="graph")
    table = model.Buffers(index)
    if index == 0 or table.DataLength() == 0:
        return None
    if dtype not in DTYPES:
        raise ModelError(f"constant `{name}` is {dtype}", where="graph", hint=f"supported: {', '.join(DTYPES)}")
    raw = np.asarray(table.DataAsNumpy(), np.uint8).tobytes()
    if len(raw) != math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
        raise ModelError(f"constant `{name}` has {len(raw)} bytes for shape {shape}", where="graph")
    return np.frombuffer(raw, np.dtype(DTYPES[dtype]).newbyteorder("<")).reshape(shape).astype(DTYPES[dtype])
