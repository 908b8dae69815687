"""TFLite's hard swish (reference/hard_swish.h): fixed point in int16, whose every rounding shows in the int8 result."""

from __future__ import annotations

import numpy as np

from hilgate.compile.arithmetic import quantize_multiplier, rounding_divide_by_pot, saturate
from hilgate.compile.graph import Quantization

HIRES = 7  # bits that the input is shifted left by
INT16_MAX = 32767


def hard_swish_int16(steps: np.ndarray, source: Quantization, target: Quantization) -> np.ndarray:
    """int8 results for input steps int64: x * relu6(x + 3) / 6."""
    hires_scale = np.float32(1 / 128) * np.float32(source.only_scale)
    output_multiplier, output_exponent = _multiplier(float(hires_scale / np.float32(target.only_scale)))
    gate_multiplier, gate_exponent = _multiplier(float(hires_scale / np.float32(3 / 32768)))
    hires = (steps - source.zero_point) << HIRES
    on_output_scale = _high_mul(hires, output_multiplier)
    gate = hires
    if gate_exponent > 0:
        gate = _saturate16(gate << (gate_exponent - 1))
    gate = _high_mul(gate, gate_multiplier)
    if gate_exponent > 0:
        gate = _saturate16(gate << 1)
    if gate_exponent < 0:
        gate = rounding_divide_by_pot(gate, np.array(-gate_exponent))
    gate = (gate + (1 << 15)) >> 1
    product = gate * on_output_scale
    truncated = np.sign(product) * (np.abs(product) >> 15)
    return saturate(rounding_divide_by_pot(truncated, np.array(-output_exponent)) + target.zero_point)


def _multiplier(real: float) -> tuple[int, int]:
    """QuantizeMultiplier's, rounded to 16 bits."""
    fixed, exponent = quantize_multiplier(real)
    return min(INT16_MAX, (fixed + (1 << 15)) >> 16), exponent


def _high_mul(a: np.ndarray, b: int) -> np.ndarray:
    """SaturatingRoundingDoublingHighMul of int16."""
    high: np.ndarray = (a * b + (1 << 14)) >> 15
    return high


def _saturate16(values: np.ndarray) -> np.ndarray:
    clamped: np.ndarray = np.clip(values, -INT16_MAX - 1, INT16_MAX)
    return clamped
