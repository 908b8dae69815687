"""QuantizeLinear moves before operators that move or choose numbers: quantize(reshape(x)) = reshape(quantize(x))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node, Tensor
from hilgate.compile.ops.quantize.op import Quantize

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Swap each such operator -> Quantize pair, until the Quantize stands at an input or after an operator that
    computes.
    """
    changes = 0
    while _swap_one(graph):
        changes += 1
    return changes


def _swap_one(graph: Graph) -> bool:
    for quantize in graph.nodes:
        if not isinstance(quantize.op, Quantize):
            continue
        view = graph.producer(quantize.inputs[0])
        if (
            view is None
            or not view.op.keeps_quantization
            or len(view.inputs) != 1
            or graph.only_consumer(view.outputs[0]) is not quantize
        ):
            continue
        source, target = graph.tensors[view.inputs[0]], graph.tensors[quantize.outputs[0]]
        if source.dtype != "float32" or source.constant:
            continue
        name = graph.fresh(f"{source.name}.quantized")
        graph.add(Tensor(name, source.shape, "int8", target.quantization))
        first = Node(quantize.name, quantize.op, [source.name], [name])
        second = Node(view.name, view.op, [name], [target.name])
        position = graph.nodes.index(view)
        graph.nodes.remove(quantize)
        graph.nodes[position : position + 1] = [first, second]
        return True
    return False
