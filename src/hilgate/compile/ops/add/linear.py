"""TFLite's add as one linear function, where that is exactly the same: tried on all 65,536 pairs of int8 inputs.

TFLite scales both inputs to a common scale, adds and requantizes, with four roundings. Their results are nearly always
floor((a * Ka + b * Kb + C) / 2^k); whether always can be decided, as there are only 256 x 256 inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 3  # how far from the nearest integer each factor may be
WIDE_SHIFT_MAX = 40


@dataclass(frozen=True)
class Linear:
    """y = clamp((a * factor_a + b * factor_b + offset) >> shift); wide: the sum needs 64 bits."""

    factor_a: int
    factor_b: int
    offset: int
    shift: int
    wide: bool


def find_linear(table: np.ndarray, ratio_a: float, ratio_b: float, bounds: tuple[int, int]) -> Linear | None:
    """The linear function that gives `table` (256, 256: result for a, b = -128 .. 127, clamped), 32 bits before 64.

    ratio: input scale over output scale, negative to subtract.
    """
    reach = 128 * (abs(ratio_a) + abs(ratio_b)) + 256 + 128 * 2
    narrow = int(np.floor(np.log2((2**31 - 1) / reach)))
    factors = int(np.floor(np.log2((2**31 - 1) / max(abs(ratio_a), abs(ratio_b), 1e-12)))) - 1
    tries = [(narrow, False), (narrow - 1, False), (min(factors, WIDE_SHIFT_MAX), True)]
    near = sorted(range(-NEIGHBOURS, NEIGHBOURS + 1), key=abs)
    for shift, wide in tries:
        for da, db in ((da, db) for da in near for db in near if shift > 0):
            factor_a, factor_b = round(ratio_a * 2**shift) + da, round(ratio_b * 2**shift) + db
            offset = _offset(table, bounds, factor_a, factor_b, shift)
            if offset is not None and _fits(factor_a, factor_b, offset, wide=wide):
                return Linear(factor_a, factor_b, offset, shift, wide)
    return None


def _offset(table: np.ndarray, bounds: tuple[int, int], factor_a: int, factor_b: int, shift: int) -> int | None:
    """An offset with which all 65,536 results are right, or None: the middle of what every pair allows."""
    steps = np.arange(-128, 128, dtype=np.int64)
    sums = steps[:, None] * factor_a + steps[None, :] * factor_b
    wanted = table.astype(np.int64)
    low = int(np.where(table == bounds[0], -(2**62), (wanted << shift) - sums).max())
    high = int(np.where(table == bounds[1], 2**62, (wanted + 1 << shift) - 1 - sums).min())
    return (low + high) // 2 if low <= high else None


def _fits(factor_a: int, factor_b: int, offset: int, *, wide: bool) -> bool:
    """No sum leaves 32 bits; of the wide form none leaves 63 and no quotient 32."""
    reach = abs(offset) + 128 * (abs(factor_a) + abs(factor_b))
    return reach <= (2**62 if wide else 2**31 - 1) and max(abs(factor_a), abs(factor_b)) < 2**31
