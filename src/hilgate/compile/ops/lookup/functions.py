"""The real functions of one variable that become tables of 256 int8."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Function = Callable[[np.ndarray, tuple[float, ...]], np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), without overflow."""
    positive: np.ndarray = 1 / (1 + np.exp(-np.abs(x)))
    result: np.ndarray = np.where(x >= 0, positive, 1 - positive)
    return result


def error_function(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.vectorize(math.erf, otypes=[np.float64])(x)
    return result


FUNCTIONS: dict[str, Function] = {
    "sigmoid": lambda x, _: sigmoid(x),
    "tanh": lambda x, _: np.tanh(x),
    "leaky_relu": lambda x, p: np.where(x >= 0, x, p[0] * x),
    "elu": lambda x, p: np.where(x >= 0, x, p[0] * np.expm1(np.minimum(x, 0))),
    "hard_sigmoid": lambda x, p: np.clip(p[0] * x + p[1], 0, 1),
    "hard_swish": lambda x, _: x * np.clip(x / 6 + 0.5, 0, 1),
    "gelu": lambda x, _: 0.5 * x * (1 + error_function(x / math.sqrt(2))),
    "erf": lambda x, _: error_function(x),
    "exp": lambda x, _: np.exp(np.minimum(x, 80)),
    "abs": lambda x, _: np.abs(x),
    "negate": lambda x, _: -x,
    "sqrt": lambda x, _: np.sqrt(np.maximum(x, 0)),
}
