"""Transpositions and reshapes in a row become one transposition, or none where the bytes come back to their order.

ONNX is channels-first and the device channels-last, so what a model turns (channel shuffles, heads with channels last)
arrives as several transpositions around it. A tensor is described by atoms: runs of elements `step` apart, outermost
first. Transposing changes the order of atoms, reshaping splits and groups them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph, Node, Shape, Tensor
from hilgate.compile.ops.reshape.op import Reshape
from hilgate.compile.ops.transpose.op import RANK_MAX, Transpose

if TYPE_CHECKING:
    from hilgate.compile.options import Options


@dataclass(frozen=True)
class Atom:
    """Elements along a part of an axis. step: between two of them, in the chain's input."""

    size: int
    step: int


def run(graph: Graph, options: Options) -> int:
    """Join each chain that has at least two transpositions. Returns how many went."""
    changes = 0
    for node in list(graph.nodes):
        if node in graph.nodes and _moves(node) and not _continues(graph, node):
            changes += _join(graph, _chain(graph, node))
    return changes


def _moves(node: Node | None) -> bool:
    return node is not None and isinstance(node.op, Transpose | Reshape)


def _continues(graph: Graph, node: Node) -> bool:
    """Whether the chain begins before this node."""
    return _moves(graph.producer(node.inputs[0])) and graph.only_consumer(node.inputs[0]) is node


def _chain(graph: Graph, node: Node) -> list[Node]:
    chain = [node]
    while (following := graph.only_consumer(chain[-1].outputs[0])) is not None and _moves(following):
        chain.append(following)
    return chain


def _join(graph: Graph, chain: list[Node]) -> int:
    while chain and not isinstance(chain[-1].op, Transpose):
        chain.pop()
    before = sum(isinstance(node.op, Transpose) for node in chain)
    source = graph.tensors[chain[0].inputs[0]] if chain else None
    if source is None or before < 2:
        return 0
    atoms = _atoms(graph, source.shape, chain)
    if atoms is None or len(atoms) > RANK_MAX:
        return 0
    position, output = graph.nodes.index(chain[0]), graph.tensors[chain[-1].outputs[0]]
    made = _nodes(graph, chain[-1], source, output, atoms)
    for node in chain:
        graph.nodes.remove(node)
    graph.nodes[position:position] = made
    return before - (len(made) > 1)


def _atoms(graph: Graph, shape: Shape, chain: list[Node]) -> list[Atom] | None:
    """The chain's output in atoms of its input; None where a reshape cuts an atom unevenly."""
    axes = [[Atom(size, prod(shape[axis + 1 :]))] for axis, size in enumerate(shape)]
    for node in chain:
        if isinstance(node.op, Transpose):
            axes = [axes[axis] for axis in node.op.order]
            continue
        grouped = _grouped([atom for axis in axes for atom in axis], graph.tensors[node.outputs[0]].shape)
        if grouped is None:
            return None
        axes = grouped
    return _merged([atom for axis in axes for atom in axis])


def _grouped(atoms: list[Atom], shape: Shape) -> list[list[Atom]] | None:
    """The same elements in the same order, as axes of these sizes."""
    left, axes = [atom for atom in atoms if atom.size > 1], []
    for size in shape:
        axis = []
        while size > 1:
            if not left:
                return None
            atom = left.pop(0)
            if size % atom.size == 0:
                axis.append(atom)
                size //= atom.size  # noqa: PLW2901  what is left of the axis
            elif atom.size % size == 0:
                rest = atom.size // size
                axis.append(Atom(size, atom.step * rest))
                left.insert(0, Atom(rest, atom.step))
                break
            else:
                return None
        axes.append(axis)
    return axes


def _merged(atoms: list[Atom]) -> list[Atom]:
    """Neighbours that follow each other in the input are one."""
    result: list[Atom] = []
    for atom in atoms:
        if atom.size == 1:
            continue
        if result and result[-1].step == atom.size * atom.step:
            result[-1] = Atom(result[-1].size * atom.size, atom.step)
        else:
            result.append(atom)
    return result


def _nodes(graph: Graph, last: Node, source: Tensor, output: Tensor, atoms: list[Atom]) -> list[Node]:
    """A reshape, or a reshape to the atoms, a transposition and a reshape to the output."""
    if len(atoms) < 2:
        return [Node(last.name, Reshape(output.shape), [source.name], [output.name])]
    rows = sorted(range(len(atoms)), key=lambda index: -atoms[index].step)
    before = (1, *(atoms[index].size for index in rows))
    after = (1, *(atom.size for atom in atoms))
    order = (0, *(1 + rows.index(index) for index in range(len(atoms))))
    names = [
        graph.add(Tensor(graph.fresh(f"{last.name}.{what}"), shape, source.dtype, source.quantization)).name
        for what, shape in (("split", before), ("turned", after))
    ]
    return [
        Node(names[0], Reshape(before), [source.name], [names[0]]),
        Node(last.name, Transpose(order), [names[0]], [names[1]]),
        Node(names[1], Reshape(output.shape), [names[1]], [output.name]),
    ]
