"""A clamp after an operator that can clamp becomes part of it: in real numbers before quantization, in int8 after
it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from hilgate.compile.graph import Graph, Node
from hilgate.compile.ops.requantize.op import Requantize

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Fuse each producer -> clamp pair where nobody else reads the value between and no rounding lies between."""
    changes = 0
    for clamp in list(graph.nodes):
        if not isinstance(clamp.op, Requantize):
            continue
        producer = graph.producer(clamp.inputs[0])
        if producer is None or not hasattr(producer.op, "activation"):
            continue
        if graph.only_consumer(producer.outputs[0]) is not clamp or not _same_numbers(graph, clamp):
            continue
        op: Any = producer.op
        producer.op = dataclasses.replace(op, activation=op.activation.then(clamp.op.activation))
        producer.outputs = list(clamp.outputs)
        graph.nodes.remove(clamp)
        changes += 1
    return changes


def _same_numbers(graph: Graph, clamp: Node) -> bool:
    """The clamp neither quantizes nor requantizes: both sides are real, or share one quantization."""
    before, after = graph.tensors[clamp.inputs[0]], graph.tensors[clamp.outputs[0]]
    return before.dtype == after.dtype and before.quantization == after.quantization
