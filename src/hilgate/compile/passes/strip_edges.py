"""The device speaks int8: QuantizeLinear at an input and DequantizeLinear at an output go, unless `io: float32` keeps
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph
from hilgate.compile.ops.dequantize.op import Dequantize
from hilgate.compile.ops.quantize.op import Quantize

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Rename the graph's inputs and outputs to the int8 tensors within; several readers of one input must agree."""
    if options.io == "float32":
        return 0
    changes = 0
    for index, name in enumerate(graph.inputs):
        readers = [] if name in graph.outputs else graph.consumers(name)
        same = {graph.tensors[r.outputs[0]].quantization for r in readers if isinstance(r.op, Quantize)}
        if not readers or not all(isinstance(r.op, Quantize) for r in readers) or len(same) != 1:
            continue
        target = readers[0].outputs[0]
        for reader in readers:
            graph.nodes.remove(reader)
            graph.replace(reader.outputs[0], target)
        graph.inputs[index] = target
        if name in graph.source_axes:
            graph.source_axes[target] = graph.source_axes.pop(name)
        changes += 1
    for index, name in enumerate(graph.outputs):
        producer = graph.producer(name)
        if producer is not None and isinstance(producer.op, Dequantize):
            graph.outputs[index] = producer.inputs[0]
            changes += 1
    return changes
