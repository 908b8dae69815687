"""QuantizeLinear's and DequantizeLinear's parameters, read and checked once. uint8 becomes int8 by subtracting 128."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.graph import Quantization, Tensor

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode


def read_quantization(node: OnnxNode, values: Tensor) -> tuple[Quantization, str]:
    """Scale and zero point of inputs 1 and 2, and the stored dtype. `values`: the quantized or real tensor of input
    0.
    """
    node.must_be("block_size", 0)
    node.must_be("saturate", 1)
    node.must_be("precision", 0)
    output_dtype = node.attribute("output_dtype", 0)
    axis = int(node.attribute("axis", 1))
    scale = np.asarray(node.constant(1))
    if scale.dtype != np.float32:
        raise node.refuse(f"the scale is {scale.dtype}", "supported: float32")
    if not np.all(np.isfinite(scale)) or np.any(scale <= 0):
        raise node.refuse(
            "the scale is zero, negative or not a number", "quantize again with calibration data that varies"
        )
    zero_points = np.asarray(node.constant(2)) if node.has(2) else _default_zero_point(node, scale, output_dtype)
    if zero_points.shape != scale.shape and not zero_points.size == scale.size == 1:
        raise node.refuse(f"scale has shape {scale.shape}, zero point {zero_points.shape}")
    offset = 128 if zero_points.dtype == np.uint8 else 0
    per_channel = scale.ndim == 1 and scale.size > 1
    if scale.ndim > 1 or (per_channel and scale.size != values.shape[_axis(node, axis, values)]):
        raise node.refuse(f"scale of shape {scale.shape} does not fit a tensor of shape {values.shape}")
    if np.any(zero_points != zero_points.flat[0]):
        raise node.refuse("zero points differ between channels", "quantize weights symmetrically, with zero point 0")
    return (
        Quantization(
            tuple(float(s) for s in scale.reshape(-1)),
            int(zero_points.flat[0]) - offset,
            _axis(node, axis, values) if per_channel else None,
        ),
        str(zero_points.dtype),
    )


def _axis(node: OnnxNode, axis: int, values: Tensor) -> int:
    rank = len(values.shape)
    if not -rank <= axis < rank:
        raise node.refuse(f"axis {axis} does not exist in shape {values.shape}")
    return axis % rank


def _default_zero_point(node: OnnxNode, scale: np.ndarray, output_dtype: int) -> np.ndarray:
    dtypes = {0: np.uint8, 2: np.uint8, 3: np.int8}
    if output_dtype not in dtypes:
        raise node.refuse(f"attribute output_dtype={output_dtype} is not supported", "supported: int8, uint8")
    return np.zeros(scale.shape, dtypes[output_dtype])


def as_int8(node: OnnxNode, values: np.ndarray, dtype: str) -> np.ndarray:
    """Stored numbers as int8 (or int32, for biases)."""
    if dtype == "uint8":
        return (values.astype(np.int16) - 128).astype(np.int8)
    if dtype in ("int8", "int32"):
        return values
    raise node.refuse(f"quantized type {dtype} is not supported", "supported: int8, uint8; int32 for biases")
