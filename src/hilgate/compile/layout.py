"""ONNX is channels-first, the device channels-last: which tensors are stored channels-last, and changes between the
two.

A tensor of rank 3 or 4 that a convolution or a pool makes is stored as (1, W, C) or (1, H, W, C) and marked.
Operators that treat every element alike pass the mark on. Where an operator needs ONNX's order a transpose is added,
or a mere reshape when that is the same bytes. An input of the model which convolutions read is itself stored
channels-last: the host permutes.
"""

from __future__ import annotations

import numpy as np

from hilgate.compile.graph import Graph, Node, Quantization, Shape, Tensor
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.transpose.op import Transpose


class Layout:
    """The marks of one graph while it is read."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.marked: set[str] = set()
        self.changed: dict[str, str] = {}  # tensor -> the same in the other order

    def mark(self, tensor: Tensor) -> None:
        self.marked.add(tensor.name)

    def is_channels_last(self, tensor: Tensor) -> bool:
        return tensor.name in self.marked

    def channels_last(self, tensor: Tensor) -> Tensor:
        """The tensor as (1, ..., C), marked."""
        if self.is_channels_last(tensor):
            return tensor
        return self._change(tensor, (0, *range(2, len(tensor.shape)), 1), marked=True)

    def store_input(self, tensor: Tensor) -> None:
        """Let the host permute an input of the model, before anything reads it."""
        order = (0, *range(2, len(tensor.shape)), 1)
        self.graph.source_axes[tensor.name] = order
        tensor.shape = tuple(tensor.shape[i] for i in order)
        self.mark(tensor)

    def channels_first(self, tensor: Tensor) -> Tensor:
        """The tensor as ONNX sees it, not marked."""
        if not self.is_channels_last(tensor):
            return tensor
        rank = len(tensor.shape)
        return self._change(tensor, (0, rank - 1, *range(1, rank - 1)), marked=False)

    def constant_last(self, tensor: Tensor, rank: int) -> Tensor:
        """A constant that numpy would broadcast against a tensor of that rank, with its channels last."""
        shape = (1,) * (rank - len(tensor.shape)) + tensor.shape
        order = (0, *range(2, rank), 1)
        data = np.ascontiguousarray(tensor.values.reshape(shape).transpose(order))
        quant = tensor.quantization
        if quant is not None and quant.axis is not None:
            axis = order.index(quant.axis + rank - len(tensor.shape))
            quant = Quantization(quant.scale, quant.zero_point, axis)
        name = self.graph.fresh(f"{tensor.name}.channels_last")
        return self.graph.add(Tensor(name, data.shape, tensor.dtype, quant, data))

    def _change(self, tensor: Tensor, order: tuple[int, ...], *, marked: bool) -> Tensor:
        if tensor.name in self.changed:
            return self.graph.tensors[self.changed[tensor.name]]
        shape = tuple(tensor.shape[i] for i in order)
        name = self.graph.fresh(f"{tensor.name}.channels_{'last' if marked else 'first'}")
        op = Reshape(shape) if same_bytes(tensor.shape, order) else Transpose(order)
        self.graph.nodes.append(Node(name, op, [tensor.name], [name]))
        result = self.graph.add(Tensor(name, shape, tensor.dtype, tensor.quantization))
        self.changed[tensor.name] = name
        if marked:
            self.mark(result)
        return result


def same_bytes(shape: Shape, order: tuple[int, ...]) -> bool:
    """Whether a transposition moves no element: the dimensions larger than 1 keep their order."""
    moved = [axis for axis in order if shape[axis] > 1]
    return moved == sorted(moved)
