"""What an operator states about itself. Each method is a rule that other parts call: door, verifier, planner,
emitter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hilgate.compile.graph import Quantization, Shape, Site, Tensor
from hilgate.errors import ModelError

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode
    from hilgate.compile.options import Options
    from hilgate.compile.tflite_door import TfliteNode


@dataclass(frozen=True)
class Section:
    """One array of the weights blob. `content`: bytes as the kernel reads them, little-endian."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Pointer:
    """An argument of a kernel that points somewhere: kind `input` or `output` with its index, `section` with its
    name, or `scratch`. c_type: what it points to, such as `int8_t`."""

    kind: str
    key: int | str
    c_type: str


@dataclass(frozen=True)
class Call:
    """How to run the operator: a C function, its pointers in order, then compile-time constants in order.

    constants: numbers, or C names that `preamble` defines. preamble: C text that stands once before the layers however
    many of them bring it, such as a kernel specialised by macros; layers that bring equal text share it.
    Nothing that comes from weight values stands here: that lives in sections, so that an update of the weights is data.
    """

    function: str
    pointers: tuple[Pointer, ...]
    constants: Mapping[str, int | str] = field(default_factory=dict)
    preamble: tuple[str, ...] = ()


STREAMED = (  # of kernels whose packed weights are read in one stream, in the order of their C arguments
    Pointer("input", 0, "int8_t"),
    Pointer("section", "stream", "uint8_t"),
    Pointer("section", "output", "hilgate_output"),
    Pointer("section", "fill", "hilgate_i32"),
    Pointer("output", 0, "int8_t"),
    Pointer("scratch", 0, "int16_t"),
)


class Op(ABC):
    """Attributes are the fields of the frozen dataclass that a subclass is.

    kind: name of its folder; headers: files of kernels/ that its C includes; onnx, tflite: operators of these formats
    that it reads; view: its output is bytes of its inputs where they lie, so no code and no memory;
    keeps_quantization: output numbers are input numbers, so both sides share one quantization; per_channel_inputs:
    inputs whose quantization may have an axis; many_outputs: it has more than one; channelwise: each output channel
    (last axis) depends on the same channel of the inputs only; requantizes_inputs: inputs of other quantizations than
    the output's are requantized in front of it.
    """

    kind: ClassVar[str]
    headers: ClassVar[tuple[str, ...]] = ()
    onnx: ClassVar[tuple[str, ...]] = ()
    tflite: ClassVar[tuple[str, ...]] = ()
    view: bool = False
    keeps_quantization: ClassVar[bool] = False
    per_channel_inputs: ClassVar[tuple[int, ...]] = ()
    many_outputs: ClassVar[bool] = False
    channelwise: ClassVar[bool] = False
    requantizes_inputs: ClassVar[bool] = False

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> None:
        """Add what an ONNX node means to `node.graph`. Raises ModelError through node.refuse(...)."""
        raise node.refuse("this operator cannot be read from ONNX")

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> None:
        """Add what a TFLite operator means, by `node.emit`. Raises ModelError through node.refuse(...)."""
        raise node.refuse("this operator cannot be read from TFLite")

    @abstractmethod
    def output_shapes(self, inputs: Sequence[Tensor]) -> list[Shape]:
        """The shape rule. Raises ValueError with a sentence when inputs do not go together."""

    @abstractmethod
    def reference(self, site: Site, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The exact integers: arrays (N, *tensor.shape) in, array (N, *output.shape) out."""

    def check(self, site: Site) -> None:  # noqa: B027  most operators have no further rule
        """What else must hold when code is about to be made. Raises site.refuse(...)."""

    def natural_quantization(self, site: Site) -> Quantization | None:
        """The output's quantization when the model leaves it in float, for operators whose range is known."""
        return None

    @property
    def monotone(self) -> bool:
        """Larger inputs never give smaller outputs."""
        return False

    def macs(self, site: Site) -> int:
        """Multiply-accumulates as the field counts them: products with padding too."""
        return 0

    def sections(self, site: Site) -> list[Section]:
        """Its part of the weights blob, packed as its kernel reads it."""
        return []

    def tuned(self, site: Site, options: Options) -> Op:
        """The same operator with the kernel chosen that suits its shapes and the options best."""
        return self

    def sources(self, site: Site) -> tuple[str, ...]:
        """The C files that its call needs, relative to the room; `model.c` includes those that end in `.c`."""
        return (f"ops/{self.kind}/{self.kind}.c", f"ops/{self.kind}/{self.kind}.h", *self.headers)

    def scratch_bytes(self, site: Site) -> int:
        """Working memory in the arena, only while this layer runs."""
        return 0

    def placement(self, site: Site) -> tuple[int, ...] | None:
        """Where each input begins in the output, in bytes, when the output is nothing but the inputs in a row, or a
        stretch of its only input (which then begins before it); None: numbers change or change their order."""
        return None

    def overlap_inputs(self, site: Site) -> tuple[int, ...]:
        """Inputs whose memory the output may take: the kernel reads each element before it writes at or after it."""
        return ()

    def overlap_lag(self, site: Site) -> dict[int, int]:
        """For inputs that the kernel reads a stretch ahead of its writing: how many bytes before the input the output
        must begin so that nothing is overwritten before it was read. Negative: it may begin that much later."""
        return {}

    def call(self, site: Site) -> Call | None:
        """The C call; None when the operator is a view."""
        return None


def int32_section(name: str, values: Any) -> Section:
    """A section of little-endian int32. Raises ModelError when a value needs more."""
    array = np.asarray(values, np.int64)
    if array.size and (array.max() > 2**31 - 1 or array.min() < -(2**31)):
        raise ModelError(f"a value of `{name}` needs more than 32 bits", where=name)
    return Section(name, array.astype("<i4").tobytes())


def float_record(name: str, quantization: Quantization) -> Section:
    """The hilgate_edge record of arithmetic.h: float32 scale, int32 zero point, 8 reserved bytes."""
    scale = np.float32(quantization.only_scale).astype("<f4").tobytes()
    return Section(name, scale + np.array([quantization.zero_point, 0, 0], "<i4").tobytes())
