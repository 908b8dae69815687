"""From DequantizeLinear -> operator -> QuantizeLinear to one integer operator: the heart of reading a QDQ model.

Walking in execution order: an operator reads the int8 tensor behind each DequantizeLinear, and writes the int8 tensor
of the QuantizeLinear that follows. An operator that only moves numbers passes its quantization on when none follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node, Quantization, Site, Tensor
from hilgate.compile.ops.dequantize.op import Dequantize
from hilgate.compile.ops.quantize.op import Quantize
from hilgate.compile.ops.requantize.op import Requantize

if TYPE_CHECKING:
    from hilgate.compile.options import Options


def run(graph: Graph, options: Options) -> int:
    """Lower every node; float tensors that remain are at the edges, or refused later by name."""
    changes = 0
    for node in list(graph.nodes):
        if node not in graph.nodes or isinstance(node.op, Dequantize):
            continue
        changes += _read_integers(graph, node)
        if isinstance(node.op, Quantize):
            changes += _requantize(graph, node)
        else:
            changes += _write_integers(graph, node)
    return changes


def _read_integers(graph: Graph, node: Node) -> int:
    changes = 0
    for index, name in enumerate(node.inputs):
        producer = graph.producer(name)
        if producer is not None and isinstance(producer.op, Dequantize):
            node.inputs[index] = producer.inputs[0]
            changes += 1
    return changes


def _requantize(graph: Graph, node: Node) -> int:
    """QuantizeLinear of an integer tensor is a change of scale."""
    if graph.tensors[node.inputs[0]].dtype != "int8":
        return 0
    node.op = Requantize()
    return 1


def _write_integers(graph: Graph, node: Node) -> int:
    for name in node.outputs:
        output = graph.tensors[name]
        if output.dtype != "float32" or not _reads_integers(graph, node):
            continue
        quantize = _common_quantize(graph, node, name)
        if quantize:
            output.quantization = graph.tensors[quantize[0].outputs[0]].quantization
            output.dtype = "int8"
            for follower in quantize:
                graph.replace(follower.outputs[0], name)
                graph.nodes.remove(follower)
            return 1 + _requantize_inputs(graph, node)
        quantization = _own_quantization(graph, node)
        if quantization is not None:
            output.quantization, output.dtype = quantization, "int8"
            return 1 + _requantize_inputs(graph, node)
    return 0


def _requantize_inputs(graph: Graph, node: Node) -> int:
    """Bring every input to the output's quantization, for operators that only put numbers side by side."""
    if not node.op.requantizes_inputs:
        return 0
    target, changes = graph.tensors[node.outputs[0]].quantization, 0
    for index, name in enumerate(node.inputs):
        source = graph.tensors[name]
        if source.quantization == target:
            continue
        inner = graph.add(Tensor(graph.fresh(f"{name}.requantized"), source.shape, "int8", target))
        graph.nodes.insert(graph.nodes.index(node), Node(inner.name, Requantize(), [name], [inner.name]))
        node.inputs[index] = inner.name
        changes += 1
    return changes


def _reads_integers(graph: Graph, node: Node) -> bool:
    inputs = [graph.tensors[name] for name in node.inputs]
    return all(t.constant or t.dtype == "int8" for t in inputs)


def _common_quantize(graph: Graph, node: Node, name: str) -> list[Node]:
    """The QuantizeLinear nodes that are all that reads the tensor, when they agree, with what the operator can give
    too.
    """
    readers = graph.consumers(name)
    if not readers or name in graph.outputs or not all(isinstance(reader.op, Quantize) for reader in readers):
        return []
    wanted = {graph.tensors[reader.outputs[0]].quantization for reader in readers}
    if node.op.keeps_quantization and not node.op.requantizes_inputs:
        wanted.add(graph.tensors[node.inputs[0]].quantization)
    return readers if len(wanted) == 1 else []


def _own_quantization(graph: Graph, node: Node) -> Quantization | None:
    if node.op.keeps_quantization:
        return graph.tensors[node.inputs[0]].quantization
    return node.op.natural_quantization(Site(graph, node))
