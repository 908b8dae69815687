"""What layers with weights share: biases with zero points folded in, requantization per channel, the proof that no
accumulator overflows, and the sections of the blob that kernels read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hilgate.compile.arithmetic import INT32_MAX, Requantizer, requantizer
from hilgate.compile.graph import Site, Tensor
from hilgate.compile.ops.activation import Activation
from hilgate.compile.ops.base import Section, int32_section

ROUNDING_CODE = {"single": 0, "double": 1}  # HILGATE_SINGLE, HILGATE_DOUBLE of arithmetic.h


@dataclass(frozen=True)
class Affine:
    """One layer's integers. weights int8 (channels, ...); bias int64 (channels,) with the input's zero point folded
    in.
    """

    weights: np.ndarray
    bias: np.ndarray
    output: Requantizer

    @property
    def channels(self) -> int:
        return int(self.weights.shape[0])

    def sections(self) -> list[Section]:
        """`output`: the hilgate_output record; `channels`: per channel bias, multiplier and, when `double`, shift."""
        columns = [self.bias, self.output.multiplier]
        if self.output.rounding == "double":
            columns.append(self.output.shift)
        return [output_record(self.output), int32_section("channels", np.stack(columns, axis=1))]


def affine(site: Site, activation: Activation) -> Affine:
    """The integers of a node with inputs x, weights (channels first) and maybe bias. Raises ModelError naming the
    node.
    """
    x, w = site.inputs[0], site.inputs[1]
    weights = w.values
    if w.quant.zero_point != 0:
        raise site.refuse(f"weights with zero point {w.quant.zero_point}", "quantize weights symmetrically")
    scales = factors(site, weights.shape[0])
    try:
        bounds = activation.int8_bounds(site.output.quant)
        output = requantizer(
            scales / np.float64(site.output.quant.only_scale), site.rounding, site.output.quant.zero_point, bounds
        )
    except ValueError as error:
        raise site.refuse(str(error), "quantize the model again with calibration data of the real range") from error
    flat = weights.reshape(weights.shape[0], -1).astype(np.int64)
    bias = bias_integers(site, scales) - x.quant.zero_point * flat.sum(axis=1)
    _prove_no_overflow(site, np.abs(bias) + 128 * np.abs(flat).sum(axis=1), output.left_shift)
    return Affine(weights, bias, output)


def factors(site: Site, channels: int) -> np.ndarray:
    """Input scale times weight scale, float64 (channels,)."""
    x, w = site.inputs[0].quant, site.inputs[1].quant
    if w.axis not in (None, 0) or len(w.scale) not in (1, channels):
        raise site.refuse(f"weights are quantized along axis {w.axis}", "quantize per output channel")
    return np.broadcast_to(np.float64(x.only_scale) * np.asarray(w.scale, np.float64), (channels,))


def bias_integers(site: Site, scales: np.ndarray) -> np.ndarray:
    """The bias in accumulator steps, int64 (channels,): as stored when its scale is input x weight scale, else
    rounded.
    """
    if len(site.inputs) < 3:
        return np.zeros(scales.shape, np.int64)
    bias: Tensor = site.inputs[2]
    values = bias.values.reshape(-1)
    if values.shape != scales.shape:
        raise site.refuse(f"bias has {values.size} values for {scales.size} channels")
    if bias.dtype == "int32" and bias.quantization is not None:
        stored = np.asarray(bias.quantization.scale, np.float64)
        if np.allclose(stored, scales, rtol=1e-5, atol=0):
            return values.astype(np.int64)
    rounded: np.ndarray = np.rint(bias.real().reshape(-1) / scales)
    if not np.all(np.abs(rounded) <= INT32_MAX):
        raise site.refuse("a bias needs more than 32 bits", "quantize again; its weights may be almost zero")
    return rounded.astype(np.int64)


def output_record(output: Requantizer) -> Section:
    """The hilgate_output record of arithmetic.h."""
    shift = int(output.shift[0]) if output.rounding == "single" else 0
    return int32_section("output", [output.zero_point, shift, output.lowest, output.highest])


def _prove_no_overflow(site: Site, bounds: np.ndarray, left_shift: int) -> None:
    """No partial sum leaves int32, whatever int8 input comes: |bias| + 128 * sum |weights|, times the left shift."""
    worst = int(bounds.max(initial=0)) << left_shift
    if worst > INT32_MAX:
        channel = int(bounds.argmax())
        raise site.refuse(
            f"the accumulator of channel {channel} could reach {worst}, more than int32 holds",
            "split the layer, or quantize with smaller weights",
        )
