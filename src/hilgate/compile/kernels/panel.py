"""Choose and pack for the panel kernel (panel.h): two channels by one to four outputs on int16 activations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hilgate.compile.arithmetic import Requantizer
from hilgate.compile.ops.affine import Affine

SINGLE, DOUBLE, POSITIVE = 0, 1, 2  # PANEL_SINGLE, ... of panel.h
AWAY = 3  # of fully connected layers, whose kernel is not a panel
TRAILER_BYTES = {SINGLE: 8, DOUBLE: 12, POSITIVE: 20}
STEP_CYCLES = {4: 16, 3: 12, 2: 9, 1: 6}  # per pair of k
MAX_UNROLL = {4: 18, 3: 21, 2: 28, 1: 36}  # what 1 KB of instruction cache holds
ACCUMULATOR_LIMIT, SHARED_LIMIT = 1 << 29, 1 << 23
USUAL_TOP = 12  # N of PANEL_POSITIVE where it fits, so that retraining seldom changes the code
MAX_OFFSET = 4095  # of an LDR


@dataclass(frozen=True)
class Panel:
    """The constants of one instance of panel_dsp.h. k_pairs and out_pixel: 0 where they are arguments at run time.

    rounding: SINGLE, DOUBLE or POSITIVE; top: N of POSITIVE; shared: weights are halfwords of two channels.
    """

    pixels: int
    pixel_bytes: int
    k_pairs: int
    unroll: int
    out_pixel: int
    odd: bool
    rounding: int
    top: int
    shared: bool
    out_channel: int = 1

    @property
    def name(self) -> str:
        """One name per set of constants."""
        k = f"k{self.k_pairs}" if self.k_pairs else "kn"
        out = f"o{self.out_pixel}" if self.out_pixel else "on"
        flags = ("s" if self.shared else "") + ("t" if self.odd else "")
        place = f"{self.pixels}x{self.pixel_bytes}_{k}u{self.unroll}_{out}c{self.out_channel}"
        return f"panel_{place}_r{self.rounding}n{self.top}{flags}"

    @property
    def preamble(self) -> str:
        """The C text that makes the instance."""
        facts = {
            "NAME": self.name,
            "PIXELS": self.pixels,
            "PIXEL_BYTES": self.pixel_bytes,
            "K_PAIRS": self.k_pairs,
            "UNROLL": self.unroll,
            "OUT_PIXEL": self.out_pixel,
            "OUT_CHANNEL": self.out_channel,
            "ODD": int(self.odd),
            "ROUNDING": self.rounding,
            "SHIFT": self.top,
            "SHARED": int(self.shared),
        }
        lines = [f"#define PANEL_{key} {value}" for key, value in facts.items()]
        return "\n".join([*lines, '#include "panel_dsp.h" /* NOLINT */', ""])

    def shape(self, k_pairs: int, channels: int, out_pixel: int, groups: int) -> str:
        """The panel_shape initializer of one layer."""
        entry = 0 if self.k_pairs else -k_pairs % self.unroll * (12 * self.pixels + (8 if self.shared else 12))
        stream = (channels + 1) // 2 * (8 + 4 * k_pairs + TRAILER_BYTES[self.rounding])
        return f"{{0, {stream}u, {4 * k_pairs}u, {out_pixel}u, {entry}u, {groups}u}}"


@dataclass(frozen=True)
class Integers:
    """A layer's integers as a panel takes them: weights (channels, K) in run order, int64; shift: n of DOUBLE, >= 1, or
    of AWAY, >= 2.
    """

    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    rounding: int
    top: int
    shared: bool
    zero_point: int


def integers(layer: Affine, runs: np.ndarray, most_left: int | None = None) -> Integers | None:
    """What the panel needs of a layer, or None where its proofs do not hold. runs: weights (channels, K) in run order,
    maybe with zeros in between; most_left: of the left shift that POSITIVE needs, else what a panel can do."""
    weights = runs.astype(np.int64)
    bias, multiplier = layer.bias.astype(np.int64), layer.output.multiplier.astype(np.int64)
    if layer.output.rounding == "single":
        if layer.output.shift.max(initial=0) > 0:
            return None
        multiplier, shift = np.broadcast_to(multiplier, bias.shape), np.zeros_like(bias)
    else:
        weights, bias, multiplier, shift = _settle(weights, bias, multiplier, -layer.output.shift, layer.output)
        if shift.min() < (1 if layer.output.rounding == "double" else 2) or shift.max() > 22:
            return None
    reach = np.abs(bias) + 128 * np.abs(weights).sum(axis=1)
    if reach.max() >= ACCUMULATOR_LIMIT:
        return None
    shared = bool(weights.min(initial=0) >= -127 and reach.max() < SHARED_LIMIT)
    if layer.output.rounding == "single":
        return Integers(weights, bias, multiplier, shift, SINGLE, 0, shared, layer.output.zero_point)
    if layer.output.rounding == "away":
        return Integers(weights, bias, multiplier, shift, AWAY, 0, shared, layer.output.zero_point)
    left = most_left or (8 if shared else 31)
    top = _top(reach, shift, left) if layer.output.zero_point == -128 else 0
    rounding = POSITIVE if top else DOUBLE
    return Integers(weights, bias, multiplier, shift, rounding, top, shared, layer.output.zero_point)


def _settle(
    weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, output: Requantizer
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Channels that give one number whatever the input (pruned ones have extreme scales) become zero weights with a
    bias that gives that number under the layer's largest shift."""
    per_channel = [np.broadcast_to(v, bias.shape) for v in (multiplier, shift)]
    weights, bias, multiplier, shift = weights.copy(), bias.copy(), per_channel[0].copy(), per_channel[1].copy()
    low = np.minimum(weights * -128, weights * 127).sum(axis=1) + bias
    high = np.maximum(weights * -128, weights * 127).sum(axis=1) + bias
    whole = replace(output, lowest=-128, highest=127)
    first, last = (whole.apply(v).astype(np.int64) for v in (low, high))
    constant = first == last
    top = int(shift[~constant].max(initial=1))
    weights[constant] = 0
    bias[constant] = (first[constant] - output.zero_point) << max(top, 1) + 1
    multiplier[constant], shift[constant] = 1 << 30, max(top, 1)
    return weights, bias, multiplier, shift


def _top(reach: np.ndarray, shift: np.ndarray, most_left: int) -> int:
    """N of POSITIVE, 0 where it does not fit."""
    for top in (USUAL_TOP, int(shift.max()) + 1):
        left = top - shift + 1
        fits = shift.max() < top <= 22 and all(int(r) << int(s) < 1 << 31 for r, s in zip(reach, left, strict=True))
        if fits and left.max() <= most_left:
            return top
    return 0


def run_order(channels: int) -> list[int]:
    """Channels of a run as strip_widen stores them: groups of four as 0 2 1 3, the rest in order."""
    whole = channels // 4 * 4
    return [g + i for g in range(0, whole, 4) for i in (0, 2, 1, 3)] + list(range(whole, channels))


def pack(layer: Integers) -> bytes:
    """The stream of panel.h."""
    weights = np.pad(layer.weights, ((0, len(layer.weights) % 2), (0, layer.weights.shape[1] % 2)))
    extra = len(weights) - len(layer.weights)
    bias, multiplier = np.pad(layer.bias, (0, extra)), np.pad(layer.multiplier, (0, extra))
    shift = np.pad(layer.shift, (0, extra), mode="edge")
    parts = []
    for c in range(0, len(weights), 2):
        a, b = weights[c], weights[c + 1]
        second = bias[c] + 256 * bias[c + 1] if layer.shared else bias[c + 1]
        parts.append(words([bias[c], second]))
        if layer.shared:
            parts.append((256 * b + a).astype("<i2").tobytes())
        else:
            parts.append(np.stack([a, b], axis=1).astype(np.int8).tobytes())
        parts.append(_trailer(layer, multiplier[c : c + 2], shift[c : c + 2]))
    return b"".join(parts)


def _trailer(layer: Integers, multiplier: np.ndarray, shift: np.ndarray) -> bytes:
    if layer.rounding == SINGLE:
        return words(multiplier)
    if layer.rounding == DOUBLE:
        return words([*multiplier, shift[0] | shift[1] << 8])
    top, left = layer.top, layer.top - shift + 1
    rounding = (layer.zero_point << top) + (1 << top - 1) + (np.int64(1) << left - 2)
    stored = 8 - left[1] if layer.shared else left[1]
    return words([multiplier[0], rounding[0], multiplier[1], rounding[1], left[0] | stored << 8])


def words(values: object) -> bytes:
    """Modulo 2^32: the sum of a shared pair may wrap, as the kernel's does."""
    return (np.asarray(values, np.int64) & 0xFFFFFFFF).astype("<u4").tobytes()


def pair_cycles(panel: Panel, k_pairs: int) -> int:
    """Of one pair of channels for one group of outputs, zero wait states, counted from panel_dsp.h."""
    pixels = panel.pixels
    passes = -(-k_pairs // panel.unroll)
    flat = 0 < panel.k_pairs <= panel.unroll and panel.rounding != DOUBLE
    if panel.k_pairs == 0:
        loop = 7 + 5 * passes + 2 * (pixels - 1)
    elif panel.k_pairs > panel.unroll:
        loop = 3 + 5 * (k_pairs // panel.unroll) + 2 * (pixels - 1)
    else:
        loop = 0
    scale = {SINGLE: (3, 5, 2), DOUBLE: (6, 7, 6), POSITIVE: (4, 5, 4)}[panel.rounding]
    finish = pixels * (scale[0] + scale[1] - (0 if panel.shared else 1)) + 2 * scale[2]
    place = 0 if panel.out_pixel else 2 * (pixels + 2)
    step = STEP_CYCLES[pixels] + (0 if panel.shared else 1)
    return 13 - flat + step * k_pairs + loop + finish + place + (2 if panel.odd else 0)


def layer_cycles(panel: Panel, k_pairs: int, channels: int, width: int, rows: int) -> int:
    """Of a layer whose rows of `width` outputs are computed in whole panels; the last one overlaps."""
    groups = -(-width // panel.pixels)
    return rows * (40 + groups * ((channels + 1) // 2 * pair_cycles(panel, k_pairs) + 20))


def code_bytes(panel: Panel) -> int:
    """About what an instance takes in flash."""
    steps = panel.unroll + (panel.k_pairs % panel.unroll if panel.k_pairs > panel.unroll else 0)
    finish = {SINGLE: 24, DOUBLE: 44, POSITIVE: 32}[panel.rounding]
    place = 0 if panel.out_pixel else 8 * panel.pixels
    return 190 + steps * (12 * panel.pixels + (8 if panel.shared else 12)) + finish * panel.pixels + place


def best_pixels(shared: bool, k_pairs: int, channels: int, width: int, pixel_bytes: int) -> int | None:
    """How many outputs a panel should compute: the fewest cycles that the addressing allows."""

    def cost(pixels: int) -> int:
        panel = Panel(pixels, pixel_bytes, k_pairs, unroll(k_pairs, pixels), 1, False, DOUBLE, 0, shared)
        return layer_cycles(panel, k_pairs, channels, width, 1)

    possible = [p for p in STEP_CYCLES if p <= width and (p - 1) * pixel_bytes <= MAX_OFFSET]
    return min(possible, key=cost, default=None)


def unroll(k_pairs: int, pixels: int, limit: int | None = None) -> int:
    """Passes of equal length that fit the instruction cache."""
    most = min(limit or MAX_UNROLL[pixels], MAX_UNROLL[pixels])
    return -(-k_pairs // -(-k_pairs // most))
