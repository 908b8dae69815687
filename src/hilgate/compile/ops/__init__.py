"""The operators, one folder each: op.py, <name>.c, <name>.h, cases.toml. TEMPLATE shows what a new one needs."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hilgate.compile.ops.base import Op

FOLDER = Path(__file__).parent


@cache
def operators() -> dict[str, type[Op]]:
    """Every operator class by its kind, which is its folder's name. `OP` in op.py names the class."""
    names = sorted(p.parent.name for p in FOLDER.glob("*/op.py") if p.parent.name != "TEMPLATE")
    return {name: importlib.import_module(f"{__name__}.{name}.op").OP for name in names}


@cache
def onnx_operators() -> dict[str, type[Op]]:
    """Operator classes by the ONNX op types that they read."""
    return {op_type: op for op in operators().values() for op_type in op.onnx}


@cache
def tflite_operators() -> dict[str, type[Op]]:
    """Operator classes by the TFLite operators that they read."""
    return {name: op for op in operators().values() for name in op.tflite}
