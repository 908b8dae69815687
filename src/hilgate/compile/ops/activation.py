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

    def __post_init__(self) -> None:
        if math.isnan(self.low) or math.isnan(self.high):
            raise ValueError(f"bounds {self.low} and {self.high} are not numbers")

    @property
    def none(self) -> bool:
        return self.low == -math.inf and self.high == math.inf

    def then(self, other: Activation) -> Activation:
        """This clamp followed by `other`, as one clamp."""
        low = min(max(self.low, other.low), other.high)
        return Activation(low, max(min(self.high, other.high), low))

    def int8_bounds(self, quantization: Quantization, rounding: str = "single") -> tuple[int, int]:
        """The clamp in steps of the output: bounds quantized like any value, so that quantize(clamp(x)) is equal.

        Half-way bounds round to even like ONNX QuantizeLinear, with rounding `double` away from zero like TFLite.
        """
        return self._step(self.low, quantization, rounding), self._step(self.high, quantization, rounding)

    @staticmethod
    def _step(bound: float, quantization: Quantization, rounding: str) -> int:
        if math.isinf(bound):
            return 127 if bound > 0 else -128
        steps = float(np.float32(bound) / np.float32(quantization.only_scale))
        whole = float(np.rint(steps)) if rounding == "single" else math.copysign(math.floor(abs(steps) + 0.5), steps)
        return int(np.clip(whole + quantization.zero_point, -128, 127))


NONE = Activation()
RELU = Activation(low=0.0)
RELU6 = Activation(low=0.0, high=6.0)
