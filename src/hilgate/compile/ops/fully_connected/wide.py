"""Choose and pack for fully_connected_wide.h: eight outputs at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilgate.compile.kernels.panel import SINGLE, Integers, integers, run_order, words
from hilgate.compile.ops.affine import ROUNDING_CODE, Affine
from hilgate.compile.ops.base import Call, Pointer, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.graph import Site

ROWS = 8
STEP_BYTES = 68  # WIDE_STEP_BYTES
MAX_UNROLL = 15  # of pairs of k in 1 KB of instruction cache
PASS_CYCLES, GROUP_CYCLES, DRIVER_BYTES = 5, 120, 700  # of a pass, of a group without its passes, of the rest
FEWEST_OUTPUTS = 8
FOLDER = "ops/fully_connected/fully_connected_wide"
SOURCES = (f"{FOLDER}.c", f"{FOLDER}.h", f"{FOLDER}_dsp.h", "kernels/panel.h", "kernels/strip.h")


@dataclass(frozen=True)
class WideKernel:
    """unroll: pairs of k per pass; rounding: a ROUNDING_CODE; per_tensor: one multiplier for all outputs."""

    unroll: int
    rounding: int
    per_tensor: bool

    @property
    def name(self) -> str:
        return f"wide_u{self.unroll}_r{self.rounding}p{int(self.per_tensor)}"

    @property
    def preamble(self) -> str:
        """The C text that makes the instance."""
        facts = {
            "NAME": self.name,
            "UNROLL": self.unroll,
            "ROUNDING": self.rounding,
            "PER_TENSOR": int(self.per_tensor),
        }
        lines = [f"#define WIDE_{key} {value}" for key, value in facts.items()]
        return "\n".join([*lines, '#include "fully_connected_wide_dsp.h" /* NOLINT */', ""])


def choose(layer: Affine) -> WideKernel | None:
    """The kernel, or None where its proofs do not hold."""
    found = _integers(layer)
    if found is None or not found.shared or layer.channels < FEWEST_OUTPUTS:
        return None
    one = len({*zip(found.multiplier.tolist(), found.shift.tolist(), strict=True)}) == 1
    return WideKernel(MAX_UNROLL, ROUNDING_CODE[layer.output.rounding], one)


def cycles(kernel: WideKernel, inputs: int, outputs: int, rows: int) -> int:
    """Of one layer, zero wait states."""
    k_pairs = (inputs + 1) // 2
    group = 19 * k_pairs + PASS_CYCLES * -(-k_pairs // kernel.unroll) + GROUP_CYCLES
    return rows * (-(-outputs // ROWS) * group + 2 * inputs)


def code_bytes(kernel: WideKernel) -> int:
    """About what an instance and its driver take in flash."""
    return STEP_BYTES * kernel.unroll + DRIVER_BYTES


def _integers(layer: Affine) -> Integers | None:
    return integers(layer, layer.weights[:, run_order(layer.weights.shape[1])])


def _right(layer: Integers) -> np.ndarray:
    """s of fully_connected_wide.h: what the high word is shifted by."""
    return layer.shift if layer.rounding == SINGLE else layer.shift - 1


def sections(layer: Affine, kernel: WideKernel) -> list[Section]:
    """`output`, `scale` (multiplier and n of the first output) and `stream`."""
    found = _integers(layer)
    if found is None:
        raise ValueError("this layer has no wide kernel")
    scale = int32_section("scale", [found.multiplier[0], _right(found)[0]])
    return [layer.sections()[0], scale, Section("stream", _stream(found, kernel))]


def _stream(layer: Integers, kernel: WideKernel) -> bytes:
    missing = -len(layer.weights) % ROWS
    weights = np.pad(layer.weights, ((0, missing), (0, layer.weights.shape[1] % 2)))
    bias = np.pad(layer.bias, (0, missing))
    multiplier, shift = (np.pad(v, (0, missing), mode="edge") for v in (layer.multiplier, _right(layer)))
    parts = []
    for first in range(0, len(weights), ROWS):
        group = slice(first, first + ROWS)
        low, high = weights[group][0::2], weights[group][1::2]
        parts.append(bias[group].astype("<i4").view(np.uint8).reshape(ROWS, 4)[:, :3].tobytes())
        halves = (256 * high + low).reshape(ROWS // 2, -1, 2)  # pair, pair of k, k
        parts.append(halves.transpose(1, 0, 2).astype("<i2").tobytes())
        if not kernel.per_tensor:
            parts.append(words(np.stack([multiplier[group], shift[group]], axis=1)))
    return b"".join(parts)


def call(site: Site, kernel: WideKernel) -> Call:
    """The call with its instance."""
    channels, inputs = site.inputs[1].shape
    pointers = (
        Pointer("input", 0, "int8_t"),
        Pointer("section", "stream", "uint8_t"),
        Pointer("section", "scale", "hilgate_i32"),
        Pointer("section", "output", "hilgate_output"),
        Pointer("output", 0, "int8_t"),
        Pointer("scratch", 0, "int16_t"),
    )
    constants: dict[str, int | str] = {
        "rows": site.output.elements // channels,
        "inputs": inputs,
        "outputs": channels,
        "entry_bytes": -((inputs + 1) // 2) % kernel.unroll * STEP_BYTES,
        "rounding": kernel.rounding,
        "per_tensor": int(kernel.per_tensor),
        "run": kernel.name,
    }
    return Call("fully_connected_wide_s8", pointers, constants, (kernel.preamble,))
