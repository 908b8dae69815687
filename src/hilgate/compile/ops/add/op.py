"""Add and subtract, element by element; the second operand may be a constant and may repeat over leading dimensions.

Rounding `single`: y = (a * Ma + b * Mb + c) >> k in 32 bits, M = 2^k * input scale / output scale, c holds zero
points and the half. Rounding `double`: TFLite's (tensorflow/lite/kernels/internal/reference/add.h): both inputs to a
common scale with 20 bits below the point, each rounded, then the sum rounded twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import INT32_MAX, multiply_double, quantize_multiplier, saturate
from hilgate.compile.graph import Shape, Site, Tensor
from hilgate.compile.ops.activation import NONE, Activation
from hilgate.compile.ops.add.linear import Linear, find_linear
from hilgate.compile.ops.base import Call, Op, Pointer, Section, int32_section

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.options import Options
    from hilgate.compile.tflite_door import TfliteNode

DOUBLE_LEFT_SHIFT = 20  # TFLite's for int8
SINGLE_SHIFT = 16  # fraction bits where they fit, so that retraining keeps the code; the error is below 1/256 step
TABLE_BYTES, TABLE_PAYS = 1024, 512  # of add_table_s8: its table, and the elements from which on it pays


@dataclass(frozen=True)
class Add(Op):
    """Inputs: a; b, of the same shape or of its last dimensions. subtract: y = a - b.

    linear: of rounding `double`, the proved linear form that the kernel uses instead.
    """

    subtract: bool = False
    activation: Activation = NONE
    linear: Linear | None = None

    kind: ClassVar[str] = "add"
    channelwise: ClassVar[bool] = True
    onnx: ClassVar[tuple[str, ...]] = ("Add", "Sub")
    tflite: ClassVar[tuple[str, ...]] = ("ADD", "SUB")
    per_channel_inputs: ClassVar[tuple[int, ...]] = (1,)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        a, b = node.alike(0, 1)
        if node.kind == "Add" and (a.constant or len(core(a.shape)) < len(core(b.shape))):
            a, b = b, a
        if a.constant:
            raise node.refuse("its first operand is a constant", "fold constants when exporting")
        node.emit_alike(cls(subtract=node.kind == "Sub"), [a, b])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        options = node.options("AddOptions" if node.kind == "ADD" else "SubOptions")
        a, b = node.input(0), node.input(1)
        if node.kind == "ADD" and (a.constant or len(core(a.shape)) < len(core(b.shape))):
            a, b = b, a
        if a.constant:
            raise node.refuse("its first operand is a constant", "fold constants before converting")
        node.emit(cls(node.kind == "SUB", node.activation(options.FusedActivationFunction())), [a, b])

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        a, b = inputs[0].shape, inputs[1].shape
        tail = core(b)
        if tail != a[len(a) - len(tail) :] or len(b) > len(a):
            raise ValueError(f"shapes {a} and {b} cannot be added: the second must be the last dimensions of the first")
        return [a]

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        a, b = inputs[0].astype(np.int64), inputs[1].astype(np.int64)
        b = b.reshape(b.shape[0], *[1] * (a.ndim - b.ndim), *b.shape[1:])
        lowest, highest = self.activation.int8_bounds(site.output.quant, site.rounding)
        if site.rounding == "double":
            total = self._double(site, a, b)
        elif site.inputs[1].constant:
            k, factor, offsets = self.constant_terms(site)
            total = (a * factor + offsets.reshape(core(site.inputs[1].shape))) >> k
        else:
            form = self.single(site)
            total = (a * form.factor_a + b * form.factor_b + form.offset) >> form.shift
        return saturate(total, lowest, highest)

    def _double(self, site: Site, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        p = self.double(site)
        scaled_a = multiply_double((a + p[0]) << DOUBLE_LEFT_SHIFT, p[1], p[2])
        scaled_b = multiply_double((b + p[3]) << DOUBLE_LEFT_SHIFT, p[4], p[5])
        total = scaled_a - scaled_b if self.subtract else scaled_a + scaled_b
        return multiply_double(total, p[6], p[7]) + site.output.quant.zero_point

    @property
    def monotone(self) -> bool:
        return not self.subtract

    def single(self, site: Site) -> Linear:
        """The nearest linear function with SINGLE_SHIFT fraction bits, or with as many as fit 32 bits."""
        a, b, y = (t.quant for t in (*site.inputs, site.output))
        sign = -1.0 if self.subtract else 1.0
        for k in range(SINGLE_SHIFT, 0, -1):
            factors = [round(a.only_scale / y.only_scale * 2**k), round(sign * b.only_scale / y.only_scale * 2**k)]
            offset = (y.zero_point << k) + (1 << (k - 1)) - a.zero_point * factors[0] - b.zero_point * factors[1]
            if abs(offset) + 128 * (abs(factors[0]) + abs(factors[1])) <= INT32_MAX:
                return Linear(factors[0], factors[1], offset, k, wide=False)
        raise site.refuse("its scales are too far apart for 32 bits", "quantize its inputs and output alike")

    def constant_terms(self, site: Site) -> tuple[int, int, np.ndarray]:
        """(k, Ka, offset per element of the constant)."""
        a, y = site.inputs[0].quant, site.output.quant
        real = site.inputs[1].real().reshape(-1) / y.only_scale * (-1.0 if self.subtract else 1.0)
        for k in range(SINGLE_SHIFT, 0, -1):
            factor = round(a.only_scale / y.only_scale * 2**k)
            offsets: np.ndarray = np.rint(real * 2**k) + (y.zero_point << k) + (1 << (k - 1)) - a.zero_point * factor
            if np.abs(offsets).max() + 128 * factor <= INT32_MAX:
                return k, factor, offsets.astype(np.int64)
        raise site.refuse("its scales are too far apart for 32 bits", "quantize its inputs and output alike")

    def tuned(self, site: Site, options: Options) -> Op:
        """A linear form is proved from the scales, so not for weights that may be replaced."""
        if site.rounding != "double" or options.updatable or site.inputs[1].constant:
            return self
        steps = np.arange(-128, 128, dtype=np.int64)
        bounds = self.activation.int8_bounds(site.output.quant, site.rounding)
        table = saturate(self._double(site, steps[:, None], steps[None, :]), *bounds)
        scale = site.output.quant.only_scale
        ratio_a, ratio_b = (site.inputs[i].quant.only_scale / scale for i in (0, 1))
        return replace(self, linear=find_linear(table, ratio_a, -ratio_b if self.subtract else ratio_b, bounds))

    def double(self, site: Site) -> np.ndarray:
        """Per input minus zero point, multiplier, shift; then the output's multiplier and shift."""
        a, b, y = (t.quant for t in (*site.inputs, site.output))
        common = 2 * max(a.only_scale, b.only_scale)
        multiplier_a, shift_a = quantize_multiplier(a.only_scale / common)
        multiplier_b, shift_b = quantize_multiplier(b.only_scale / common)
        multiplier_y, shift_y = quantize_multiplier(common / ((1 << DOUBLE_LEFT_SHIFT) * y.only_scale))
        if shift_y > 0:
            raise site.refuse("its output scale is too small for its inputs'", "quantize again")
        terms = [-a.zero_point, multiplier_a, shift_a, -b.zero_point, multiplier_b, shift_b, multiplier_y, shift_y]
        return np.array(terms, np.int64)

    def check(self, site: Site) -> None:
        if site.rounding == "double":
            self.double(site)
            if site.inputs[1].dtype != "int8":
                raise site.refuse("its constant is not int8", "quantize the whole model to int8")
        elif site.inputs[1].constant:
            self.constant_terms(site)
        else:
            self.single(site)

    def sections(self, site: Site) -> list[Section]:
        lowest, highest = self.activation.int8_bounds(site.output.quant, site.rounding)
        output = int32_section("output", [site.output.quant.zero_point, 0, lowest, highest])
        constant, form = site.inputs[1].data, self.form(site)
        if form is not None:
            offset = np.frombuffer(np.array([form.offset], "<i8").tobytes(), "<i4")
            return [output, int32_section("factors", [form.factor_a, form.factor_b, *offset])]
        if site.rounding == "double":
            stored = [] if constant is None else [Section("constant", constant.astype(np.int8).tobytes())]
            return [output, int32_section("factors", self.double(site)), *stored]
        _, factor, offsets = self.constant_terms(site)
        return [output, int32_section("factors", [factor]), int32_section("constant", offsets)]

    def form(self, site: Site) -> Linear | None:
        """The linear function that the kernel computes, when it computes one of two tensors."""
        if site.rounding == "double":
            return self.linear
        return None if site.inputs[1].constant else self.single(site)

    def by_table(self, site: Site) -> bool:
        """Whether add_table_s8 computes it: long enough to pay for the table."""
        a, b = site.inputs
        fits = site.rounding == "double" and not self.subtract and not b.constant
        return fits and self.linear is None and a.elements == b.elements >= TABLE_PAYS

    def scratch_bytes(self, site: Site) -> int:
        return TABLE_BYTES if self.by_table(site) else 0

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        whole = site.inputs[1].elements == site.output.elements
        return (0,) if site.inputs[1].constant or not whole else (0, 1)

    def call(self, site: Site) -> Call:
        counts = {"count": site.output.elements, "period": site.inputs[1].elements}
        form, constant = self.form(site), site.inputs[1].constant
        bounds = self.activation.int8_bounds(site.output.quant, site.rounding)
        clamped = {"clamped": int(bounds != (-128, 127) if self.linear else not self.activation.none)}
        if form is not None:
            extra = {"shift": form.shift, "wide": int(form.wide), **clamped}
            return Call("add_linear_s8", self._pointers("int8_t", constant), counts | extra)
        if self.by_table(site):
            pointers = (*self._pointers("int8_t", constant), Pointer("scratch", 0, "hilgate_i32"))
            return Call("add_table_s8", pointers, {"count": site.output.elements})
        if site.rounding == "double":
            return Call("add_double_s8", self._pointers("int8_t", constant), counts | {"subtract": int(self.subtract)})
        extra = {"shift": self.constant_terms(site)[0], **clamped}
        return Call("add_constant_s8", self._pointers("hilgate_i32", constant), counts | extra)

    @staticmethod
    def _pointers(operand: str, constant: bool) -> tuple[Pointer, ...]:
        return (
            Pointer("input", 0, "int8_t"),
            Pointer("section", "constant", operand) if constant else Pointer("input", 1, operand),
            Pointer("section", "factors", "hilgate_i32"),
            Pointer("section", "output", "hilgate_output"),
            Pointer("output", 0, "int8_t"),
        )


def core(shape: Shape) -> Shape:
    """A shape without its leading ones: the part that repeats."""
    first = next((i for i, d in enumerate(shape) if d != 1), len(shape))
    return shape[first:]


OP = Add
