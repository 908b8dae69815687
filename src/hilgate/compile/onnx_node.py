"""An ONNX node as the operators' from_onnx read it: inputs, attributes, and the nodes of the graph that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hilgate.compile.graph import Graph, Quantization, Shape, Tensor
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.errors import ModelError

if TYPE_CHECKING:
    from hilgate.compile.onnx_door import OnnxDoor
    from hilgate.compile.ops.base import Op


@dataclass
class OnnxNode:
    """An ONNX node while it is read: attributes are taken one by one, and one that nobody took is an error."""

    door: OnnxDoor
    proto: Any
    taken: set[str] = field(default_factory=set)

    @property
    def graph(self) -> Graph:
        return self.door.graph

    @property
    def kind(self) -> str:
        return str(self.proto.op_type)

    @property
    def name(self) -> str:
        return str(self.proto.name or next(iter(self.proto.output), "without a name"))

    @property
    def where(self) -> str:
        return f"node `{self.name}` ({self.kind})"

    def refuse(self, what: str, hint: str = "") -> ModelError:
        return ModelError(what, where=self.where, hint=hint)

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute's value (int, float, str, list), or the default, whose type it must have."""
        from onnx import helper

        self.taken.add(name)
        for attribute in self.proto.attribute:
            if attribute.name == name:
                try:
                    value = helper.get_attribute_value(attribute)
                except ValueError as error:
                    raise self.refuse(f"attribute {name} is damaged", "export the model again") from error
                value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                if default is not None and type(value) is not type(default):
                    raise self.refuse(f"attribute {name} is {value!r}, not {type(default).__name__}")
                return value
        return default

    def must_be(self, name: str, *allowed: Any) -> None:
        """An attribute of which only some values are supported; the first is the default."""
        value = self.attribute(name, allowed[0])
        if value not in allowed:
            raise self.refuse(
                f"attribute {name}={value} is not supported", f"supported: {', '.join(map(str, allowed))}"
            )

    def has(self, index: int) -> bool:
        return index < len(self.proto.input) and self.proto.input[index] != ""

    def input(self, index: int) -> Tensor:
        """An input as ONNX sees it: channels after the batch."""
        return self.door.layout.channels_first(self.raw(index))

    def raw(self, index: int) -> Tensor:
        """An input as it is stored, for operators that treat every element alike."""
        if not self.has(index):
            raise self.refuse(f"input {index} is missing")
        return self.door.value(self.proto.input[index], self)

    def is_channels_last(self, index: int) -> bool:
        """Whether an input is stored in another order than ONNX sees it."""
        return self.door.layout.is_channels_last(self.raw(index))

    def shape(self, index: int) -> Shape:
        """An input's shape as ONNX sees it."""
        shape = self.raw(index).shape
        return (shape[0], shape[-1], *shape[1:-1]) if self.is_channels_last(index) else shape

    def channels_last_2d(self, index: int) -> Tensor:
        """An input as (1, H, W, C); a 1-D one as (1, 1, W, C)."""
        tensor = self.raw(index)
        if len(tensor.shape) not in (3, 4) or tensor.constant:
            raise self.refuse(
                f"an input of shape {tensor.shape} is not supported", "supported: (1, C, W), (1, C, H, W)"
            )
        tensor = self.door.layout.channels_last(tensor)
        if len(tensor.shape) == 3:
            batch, width, channels = tensor.shape
            tensor = self.door.view(tensor, (batch, 1, width, channels))
        return tensor

    def constant(self, index: int) -> np.ndarray:
        """The data of an input that must be known at compile time."""
        tensor = self.input(index)
        if tensor.data is None:
            raise self.refuse(
                f"input {index} (`{tensor.name}`) must be a constant", "export the model with fixed shapes"
            )
        return tensor.data

    def emit(self, op: Op, inputs: Sequence[Tensor], dtype: str = "float32", quant: Quantization | None = None) -> None:
        """Add the node that computes this ONNX node's first output."""
        self.door.emit(self, op, inputs, Tensor(self.proto.output[0], (), dtype, quant))

    def mark_channels_last(self) -> None:
        """The output that was just emitted is stored with its channels last."""
        self.door.layout.mark(self.graph.tensors[self.proto.output[0]])

    def numbers(self, index: int) -> list[int]:
        """A constant input as whole numbers: a shape, axes, pads."""
        return [int(v) for v in self.constant(index).reshape(-1)]

    def inner(self, op: Op, inputs: Sequence[Tensor]) -> Tensor:
        """A node before the one that makes this ONNX node's output; returns its output."""
        tensor = Tensor(self.graph.fresh(f"{self.proto.output[0]}.{op.kind}"), (), "float32")
        self.door.emit(self, op, inputs, tensor, define=False)
        return tensor

    def alike(self, *indices: int) -> list[Tensor]:
        """Several inputs in one order: channels-last when any is stored so, constants permuted to fit."""
        tensors = [self.raw(index) for index in indices]
        if not any(self.door.layout.is_channels_last(t) for t in tensors):
            return tensors
        rank = max(len(t.shape) for t in tensors)
        return [
            self.door.layout.constant_last(t, rank) if t.constant else self.door.layout.channels_last(t)
            for t in tensors
        ]

    def emit_channels_last(self, op: Op, inputs: Sequence[Tensor]) -> None:
        """The same for an operator over (1, H, W, C), when ONNX's own output is (1, C, H, W), or (1, C, W) of a 1-D
        input.
        """
        one_dimensional = len(self.raw(0).shape) == 3
        name = self.proto.output[0]
        inner = self.graph.fresh(f"{name}.2d") if one_dimensional else name
        self.door.emit(self, op, inputs, Tensor(inner, (), "float32"), define=not one_dimensional)
        if one_dimensional:
            batch, _, width, channels = self.graph.tensors[inner].shape
            flat = Tensor(name, (), "float32")
            self.door.emit(self, Reshape((batch, width, channels)), [self.graph.tensors[inner]], flat)
        self.door.layout.mark(self.graph.tensors[name])

    def single_output(self) -> None:
        """Refuse more than one output, and none."""
        count = len([name for name in self.proto.output if name])
        if count != 1:
            raise self.refuse("has more than one output" if count else "has no output")

    def emit_alike(self, op: Op, inputs: Sequence[Tensor], *, output: int = 0, into: Tensor | None = None) -> None:
        """Add a node that treats every element alike: its output is stored as its first input is.

        into: the output tensor when it is not float32.
        """
        name = self.proto.output[output]
        tensor = into or Tensor(name, (), "float32")
        self.door.emit(self, op, inputs, tensor)
        if self.door.layout.is_channels_last(inputs[0]):
            self.door.layout.mark(tensor)

    def define(self, tensor: Tensor) -> None:
        """The first output is this tensor (a constant, or another name of an input)."""
        self.door.values[self.proto.output[0]] = self.graph.add(tensor).name
