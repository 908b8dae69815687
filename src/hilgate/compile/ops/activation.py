"""The clamp that operators carry: ReLU and its relatives as bounds in real numbers, turned into int8 bounds late."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hilgate.compile.graph import Quantization


@dataclass(frozen=True)
class Activation:
    """Real bounds; infinite where there is none."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def none(self) -> bool:
        return self.low == -math.inf and self.high == math.inf

    def then(self, other: Activation) -> Activation:
        """This clamp followed by `other`, as one clamp."""
        low = min(max(self.low, other.low), other.high)
        return Activation(low, max(min(self.high, other.high), low))

    def int8_bounds(self, quantization: Quantization) -> tuple[int, int]:
        """The clamp in steps of the output: bounds quantized like any value, so that QuantizeLinear(clamp(x)) is
        equal.
        """
        return self._step(self.low, quantization), self._step(self.high, quantization)

    @staticmethod
    def _step(bound: float, quantization: Quantization) -> int:
        if math.isinf(bound):
            return 127 if bound > 0 else -128
        step = np.rint(np.float32(bound) / np.float32(quantization.only_scale)) + quantization.zero_point
        return int(np.clip(step, -128, 127))


NONE = Activation()
RELU = Activation(low=0.0)
RELU6 = Activation(low=0.0, high=6.0)
