"""Requantization: near the real-number value for every scale, and equal to gemmlowp's definition written out in
Python.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.compile.arithmetic import dequantize, quantize, quantize_multiplier, requantizer

ACCUMULATORS = st.integers(-(2**31) + 1, 2**31 - 1)
SCALES = st.floats(2.0**-24, 2.0**10)


@given(accumulator=ACCUMULATORS, scale=SCALES)
def test_single_rounding_is_within_three_quarters_of_a_step(accumulator: int, scale: float) -> None:
    output = requantizer(np.array([scale]), "single", 0, (-128, 127))
    accumulator >>= output.left_shift
    wanted = min(127, max(-128, accumulator * scale))
    found = int(output.apply(np.array([accumulator], np.int64))[0])
    assert abs(found - wanted) <= 0.75 + 1e-9


@given(accumulator=ACCUMULATORS, scale=SCALES)
def test_double_rounding_is_gemmlowps(accumulator: int, scale: float) -> None:
    output = requantizer(np.array([scale]), "double", 3, (-128, 127))
    accumulator >>= output.left_shift
    multiplier, shift = quantize_multiplier(scale)
    wanted = min(127, max(-128, 3 + gemmlowp(accumulator, multiplier, shift)))
    assert int(output.apply(np.array([accumulator], np.int64))[0]) == wanted


def gemmlowp(x: int, multiplier: int, shift: int) -> int:
    """gemmlowp/fixedpoint/fixedpoint.h with Python's integers: C division truncates towards zero."""
    product = (x << max(shift, 0)) * multiplier
    total = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    high = abs(total) // (1 << 31) * (1 if total >= 0 else -1)
    exponent = max(-shift, 0)
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if high < 0 else 0)
    return (high >> exponent) + (1 if (high & mask) > threshold else 0)


@given(scale=st.floats(1e-12, 1e6))
def test_multiplier_is_normalised_and_near(scale: float) -> None:
    multiplier, shift = quantize_multiplier(scale)
    if shift < -31 or multiplier == 0:
        assert scale < 2.0**-31
        return
    assert 2**30 <= multiplier < 2**31
    assert math.isclose(multiplier * 2.0 ** (shift - 31), scale, rel_tol=2.0**-30)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 2.0**16])
@pytest.mark.parametrize("rounding", ["single", "double"])
def test_impossible_factors_are_refused(scale: float, rounding: str) -> None:
    with pytest.raises(ValueError, match="requantization factor"):
        requantizer(np.array([1.0, scale]), rounding, 0, (-128, 127))


def test_quantize_is_onnx_quantizelinear() -> None:
    from onnx.reference.ops.op_quantize_linear import QuantizeLinear_21

    x = np.concatenate([np.linspace(-20, 20, 4001), [0.25, 0.75, -0.25, 1e6, -1e6]]).astype(np.float32)
    model = QuantizeLinear_21.eval(x, np.float32(0.1), np.int8(7))
    np.testing.assert_array_equal(quantize(x, 0.1, 7), np.asarray(model).reshape(x.shape))


def test_quantize_gives_the_zero_point_for_not_a_number() -> None:
    assert quantize(np.array([np.nan], np.float32), 0.1, 7)[0] == 7


def test_dequantize_undoes_quantize() -> None:
    steps = np.arange(-128, 128).astype(np.int8)
    np.testing.assert_array_equal(quantize(dequantize(steps, 0.037, -5), 0.037, -5), steps)
