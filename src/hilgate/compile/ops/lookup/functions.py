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


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + e^x), without overflow."""
    result: np.ndarray = np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)
    return result


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """The approximation of Hendrycks and Gimpel, arXiv 1606.08415, which ONNX's Gelu offers."""
    result: np.ndarray = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return result


def power(x: np.ndarray, exponent: float) -> np.ndarray:
    """x^exponent; of a negative x only with a whole exponent, else as of 0."""
    base = x if exponent == round(exponent) else np.maximum(x, 0)
    with np.errstate(divide="ignore", over="ignore"):
        result: np.ndarray = np.power(base, exponent)
    return result


def logarithm(x: np.ndarray) -> np.ndarray:
    """Minus infinity, which saturates, for what has none."""
    with np.errstate(divide="ignore"):
        result: np.ndarray = np.log(np.maximum(x, 0))
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
    "gelu_tanh": lambda x, _: gelu_tanh(x),
    "selu": lambda x, p: p[1] * np.where(x >= 0, x, p[0] * np.expm1(np.minimum(x, 0))),
    "celu": lambda x, p: np.maximum(x, 0) + p[0] * np.expm1(np.minimum(x / p[0], 0)),
    "mish": lambda x, _: x * np.tanh(softplus(x)),
    "softplus": lambda x, _: softplus(x),
    "softsign": lambda x, _: x / (1 + np.abs(x)),
    "thresholded_relu": lambda x, p: np.where(x > p[0], x, 0),
    "log": lambda x, _: logarithm(x),
    "reciprocal": lambda x, _: power(x, -1.0),
    "power": lambda x, p: power(x, p[0]),
}
