"""Requantization: from an int32 accumulator to int8, defined once. arithmetic.h says the same in C.

`single` (ONNX models):   zero_point + floor(acc * 2^shift * multiplier / 2^32 + 1/2), one multiplier per channel below
    2^31 and one shift per layer (0 unless a scale is 1/2 or more). One SMMLAR on Cortex-M4. As |acc * 2^shift| < 2^31
    the multiplier's own rounding adds less than 1/4 step to the ideal value.
`double` (TFLite models): zero_point + RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(acc * 2^left, multiplier),
    right), multiplier in [2^30, 2^31): gemmlowp's fixedpoint.h, which LiteRT's reference kernels use.
`away` (fully connected layers of TFLite models): the same multiplier and shift, but acc * multiplier / 2^(31 - shift)
    is rounded once, half away from zero. LiteRT's reference resolver was found to do so by trying (ai-edge-litert 2.3).
All end by clamping to the layer's range within int8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

ROUNDINGS = ("single", "double", "away")
INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class Requantizer:
    """Multipliers and shifts of one layer, one per output channel (or one for all).

    multiplier int32 (channels,); shift int32 (channels,): `single`: all equal and >= 0; `double`, `away`: positive is
    left.
    """

    rounding: str
    multiplier: np.ndarray
    shift: np.ndarray
    zero_point: int
    lowest: int
    highest: int

    def apply(self, accumulator: np.ndarray) -> np.ndarray:
        """int8 of int64 accumulators (..., channels)."""
        if self.rounding == "single":
            scaled = (accumulator << self.shift.astype(np.int64)) * self.multiplier.astype(np.int64)
            value = (scaled + (1 << 31)) >> 32
        elif self.rounding == "away":
            value = multiply_away(accumulator, self.multiplier.astype(np.int64), self.shift.astype(np.int64))
        else:
            value = multiply_double(accumulator, self.multiplier.astype(np.int64), self.shift.astype(np.int64))
        return saturate(value + self.zero_point, self.lowest, self.highest)

    @property
    def left_shift(self) -> int:
        """The largest power of two that an accumulator is multiplied by before the multiplication."""
        return max(0, int(self.shift.max(initial=0)))


def requantizer(scales: np.ndarray, rounding: str, zero_point: int, bounds: tuple[int, int]) -> Requantizer:
    """From real factors (input scale * weight scale / output scale, float64, per channel). Raises ValueError: out of
    range.
    """
    scales = np.asarray(scales, np.float64).reshape(-1)
    if not np.all(np.isfinite(scales)) or np.any(scales <= 0):
        raise ValueError("a requantization factor is not a positive number")
    if rounding == "single":
        shift = max(0, math.frexp(float(scales.max()))[1])
        multiplier = np.floor(scales * 2.0 ** (32 - shift) + 0.5)
        while multiplier.max() > INT32_MAX:
            shift += 1
            multiplier = np.floor(scales * 2.0 ** (32 - shift) + 0.5)
        if shift > 15:
            raise ValueError(f"requantization factor {scales.max():g} is larger than 2^15")
        shifts = np.full(scales.shape, shift)
    else:
        pairs = [quantize_multiplier(float(scale)) for scale in scales]
        multiplier, shifts = np.array([m for m, _ in pairs]), np.array([s for _, s in pairs])
        if shifts.max() > 15:
            raise ValueError(f"requantization factor {scales.max():g} is larger than 2^15")
    low, high = bounds
    return Requantizer(rounding, multiplier.astype(np.int32), shifts.astype(np.int32), zero_point, low, high)


def quantize_multiplier(scale: float) -> tuple[int, int]:
    """TFLite's QuantizeMultiplier (tensorflow/lite/kernels/internal/quantization_util.cc): int32 fraction and
    exponent. Raises ValueError when no 32-bit arithmetic could use it.
    """
    if not scale < 2.0**31:  # infinity and no number too
        raise ValueError(f"requantization factor {scale:g} is larger than 2^31")
    fraction, shift = math.frexp(scale)
    fixed = math.floor(fraction * 2.0**31 + 0.5)
    if fixed == 2**31:
        fixed, shift = fixed // 2, shift + 1
    return (0, 0) if shift < -31 else (fixed, shift)


def multiply_double(value: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """gemmlowp's MultiplyByQuantizedMultiplier on int64 arrays that hold int32 values."""
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    return rounding_divide_by_pot(doubling_high_mul(value << left, multiplier), right)


def multiply_away(value: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """value * multiplier / 2^(31 - shift), rounded once, half away from zero."""
    product = value * multiplier
    total = 31 - shift
    rounded: np.ndarray = (product + (np.int64(1) << (total - 1)) - (product < 0)) >> total
    return rounded


def doubling_high_mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SaturatingRoundingDoublingHighMul: (a * b) / 2^31 rounded half up; b is never -2^31."""
    high: np.ndarray = (a * b + (1 << 30)) >> 31  # its nudge and truncated division are floor(x + 1/2)
    return high


def rounding_divide_by_pot(value: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """value / 2^exponent rounded half away from zero."""
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    rounded: np.ndarray = (value >> exponent) + ((value & mask) > threshold)
    return rounded


def saturate(values: np.ndarray, lowest: int = -128, highest: int = 127) -> np.ndarray:
    """int8 of whole numbers, clamped."""
    clamped: np.ndarray = np.clip(values, lowest, highest).astype(np.int8)
    return clamped


def quantize(real: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """ONNX QuantizeLinear to int8: float32 division, round half to even, saturate. Not a number gives the zero
    point.
    """
    divided = np.nan_to_num(np.asarray(real, np.float32) / np.float32(scale), nan=0.0, posinf=512.0, neginf=-512.0)
    return saturate(np.rint(divided) + np.float32(zero_point))


def dequantize(quantized: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """ONNX DequantizeLinear: float32."""
    return (quantized.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)
