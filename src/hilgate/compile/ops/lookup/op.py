"""Any function of one variable, by a table of 256: sigmoid, tanh, leaky ReLU, hard swish, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hilgate.compile.arithmetic import multiply_double, quantize_multiplier, saturate
from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.compile.ops.base import Call, Op, Pointer, Section
from hilgate.compile.ops.lookup.functions import FUNCTIONS
from hilgate.compile.ops.lookup.hard_swish import hard_swish_int16

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.tflite_door import TfliteNode

ONNX = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_swish",
    "Gelu": "gelu",
    "Erf": "erf",
    "Exp": "exp",
    "Abs": "abs",
    "Neg": "negate",
    "Sqrt": "sqrt",
    "Selu": "selu",
    "Celu": "celu",
    "Mish": "mish",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "ThresholdedRelu": "thresholded_relu",
    "Log": "log",
    "Reciprocal": "reciprocal",
    "PRelu": "leaky_relu",
    "Pow": "power",
}
ATTRIBUTES = {  # of ONNX, with their defaults
    "LeakyRelu": {"alpha": 0.01},
    "Elu": {"alpha": 1.0},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5},
    "Selu": {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805},
    "Celu": {"alpha": 1.0},
    "ThresholdedRelu": {"alpha": 1.0},
}
TFLITE = {"LEAKY_RELU": "leaky_relu", "LOGISTIC": "sigmoid", "TANH": "tanh", "HARD_SWISH": "hard_swish"}
NATURAL = {"sigmoid": Quantization((1 / 256,), -128), "tanh": Quantization((1 / 128,), 0)}


@dataclass(frozen=True)
class Lookup(Op):
    """function: a key of FUNCTIONS; parameters: its constants."""

    function: str
    parameters: tuple[float, ...] = ()

    kind: ClassVar[str] = "lookup"
    onnx: ClassVar[tuple[str, ...]] = tuple(ONNX)
    tflite: ClassVar[tuple[str, ...]] = tuple(TFLITE)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        function = ONNX[node.kind]
        parameters = tuple(float(node.attribute(*item)) for item in ATTRIBUTES.get(node.kind, {}).items())
        if node.kind == "Gelu" and node.attribute("approximate", "none") == "tanh":
            function = "gelu_tanh"
        elif node.kind == "Gelu":
            node.must_be("approximate", "none", "tanh")
        elif node.kind in ("PRelu", "Pow"):
            parameters = (_only_value(node, 1),)
        node.emit_alike(cls(function, parameters), [node.raw(0)])

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        parameters: tuple[float, ...] = ()
        if node.kind == "LEAKY_RELU":
            parameters = (float(node.options("LeakyReluOptions").Alpha()),)
        node.emit(cls(TFLITE[node.kind], parameters), [node.input(0)])

    def natural_quantization(self, site: Site) -> Quantization | None:
        """Where ONNX Runtime leaves two such functions in float, one after the other: what the first can reach."""
        if self.function in NATURAL:
            return NATURAL[self.function]
        source = site.inputs[0].quantization
        if source is None or source.axis is not None:
            return None
        reached = self.real(source)
        low, high = min(0.0, float(reached.min())), max(0.0, float(reached.max()))
        scale = float(np.float32((high - low) / 255))
        if not np.isfinite(scale) or scale <= 0:
            return None
        return Quantization((scale,), int(np.clip(round(-128 - low / scale), -128, 127)))

    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        return [inputs[0].shape]

    def check(self, site: Site) -> None:
        if not np.all(np.isfinite(self.parameters)):
            raise site.refuse(f"parameters {self.parameters} are not numbers", "export the model again")
        with np.errstate(all="ignore"):
            if np.isnan(self.real(site.inputs[0].quant)).any():
                raise site.refuse(f"{self.function} with parameters {self.parameters} is no number everywhere")
        self.table(site)

    def table(self, site: Site) -> np.ndarray:
        """int8 (256,): the result for -128 .. 127."""
        source, target = site.inputs[0].quant, site.output.quant
        steps = np.arange(-128, 128, dtype=np.int64)
        if site.rounding == "double" and self.function == "leaky_relu":
            return self._leaky_relu(steps, source, target)
        if site.rounding == "double" and self.function == "hard_swish":
            return hard_swish_int16(steps, source, target)
        return saturate(np.rint(self.real(source) / target.only_scale) + target.zero_point)

    def real(self, source: Quantization) -> np.ndarray:
        """float64 (256,): the function of -128 .. 127."""
        steps = np.arange(-128, 128, dtype=np.int64) - source.zero_point
        return FUNCTIONS[self.function](steps * source.only_scale, self.parameters)

    def _leaky_relu(self, steps: np.ndarray, source: Quantization, target: Quantization) -> np.ndarray:
        """TFLite's QuantizeLeakyRelu (reference/leaky_relu.h): two multipliers, double rounding."""
        factors = (source.only_scale / target.only_scale, source.only_scale * self.parameters[0] / target.only_scale)
        centred, results = steps - source.zero_point, []
        for factor in factors:
            multiplier, shift = quantize_multiplier(abs(factor))
            value = multiply_double(centred, np.array(multiplier), np.array(shift))
            results.append(value if factor >= 0 else multiply_double(centred, np.array(-multiplier), np.array(shift)))
        return saturate(np.where(centred >= 0, results[0], results[1]) + target.zero_point)

    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        result: np.ndarray = self.table(site)[inputs[0].astype(np.int64) + 128]
        return result

    def sections(self, site: Site) -> list[Section]:
        return [Section("table", self.table(site).tobytes())]

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        return (0,)

    def call(self, site: Site) -> Call:
        return table_call(site)


def _only_value(node: OnnxNode, index: int) -> float:
    """The one number of a constant input."""
    node.constant(index)
    values = np.unique(node.input(index).real())
    if values.size != 1:
        raise node.refuse(f"its input {index} has {values.size} different values", "supported: one for all channels")
    return float(values[0])


def table_call(site: Site) -> Call:
    """Each element through the 256 bytes of section `table`."""
    pointers = (
        Pointer("input", 0, "int8_t"),
        Pointer("section", "table", "int8_t"),
        Pointer("output", 0, "int8_t"),
    )
    return Call("lookup_s8", pointers, {"count": site.output.elements})


OP = Lookup
