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

ROUNDING_CODE = {"single": 0, "double": 1, "away": 2}  # HILGATE_SINGLE and its like in arithmetic.h


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
        """`output`: the hilgate_output record; `channels`: per channel bias, multiplier and, unless `single`, shift."""
        columns = [self.bias, self.output.multiplier]
        if self.output.rounding != "single":
            columns.append(self.output.shift)
        return [output_record(self.output), int32_section("channels", np.stack(columns, axis=1))]


def exact_float(weights: np.ndarray) -> type[np.floating]:
    """The smaller float type that holds every partial sum of int8 x weights exactly: its matrix product is fast."""
    flat = np.abs(weights.reshape(weights.shape[0], -1).astype(np.int64))
    return np.float32 if 128 * int(flat.sum(axis=1).max(initial=0)) < 2**24 else np.float64


def affine(site: Site, activation: Activation, rounding: str = "", *, fold_zero_point: bool = True) -> Affine:
    """The integers of a node with inputs x, weights (channels first) and maybe bias. Raises ModelError naming the node.

    rounding: another than the graph's; fold_zero_point: off where the kernel subtracts the input's zero point itself.
    """
    x, w = site.inputs[0], site.inputs[1]
    weights = w.values
    if w.quant.zero_point != 0:
        raise site.refuse(f"weights with zero point {w.quant.zero_point}", "quantize weights symmetrically")
    scales = factors(site, weights.shape[0])
    try:
        bounds = activation.int8_bounds(site.output.quant, site.rounding)
        output = requantizer(
            scales / np.float64(site.output.quant.only_scale),
            rounding or site.rounding,
            site.output.quant.zero_point,
            bounds,
        )
    except ValueError as error:
        raise site.refuse(str(error), "quantize the model again with calibration data of the real range") from error
    flat = weights.reshape(weights.shape[0], -1).astype(np.int64)
    bias, largest = bias_integers(site, scales), 255
    if fold_zero_point:
        bias, largest = bias - x.quant.zero_point * flat.sum(axis=1), 128
    _prove_no_overflow(site, np.abs(bias) + largest * np.abs(flat).sum(axis=1), output.left_shift)
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
        as_stored = site.rounding == "double"  # TFLite adds the integers whatever scale the file gives them
        if as_stored or np.allclose(stored, scales, rtol=1e-5, atol=0):
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
