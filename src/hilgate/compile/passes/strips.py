"""Rewrite some layers so that they run a few rows at a time, nothing computed twice.

In each step every layer computes the rows that have become possible (schedule.py). Of a tensor in between only a window
of rows exists: the last rows of the window before, followed by the new ones. A window is a Slice, which copies the rows
that stay, and a Concat, whose parts are written in place; a layer that reads fewer rows than the window holds reads a
Slice, which is a view. The strips of a layer share its weights: Node.origin.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hilgate.compile.graph import Graph, Node, Shape, Tensor
from hilgate.compile.homes import ALIGNMENT
from hilgate.compile.ops.base import Op
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.slice.op import Slice
from hilgate.compile.passes.rows import HEIGHT, Rows, for_rows, is_image, repeats, row_bytes
from hilgate.compile.passes.schedule import Schedule, schedule


@dataclass(frozen=True)
class Stretch:
    """Layers `first` to `last` of the graph's nodes, of which nobody outside reads anything but the last's output; the
    first computes `rows` rows a step, which lie along `axis`."""

    first: int
    last: int
    rows: int
    axis: int = HEIGHT


@dataclass(frozen=True)
class Window:
    """The rows of a tensor that exist at the moment, as a tensor of their own."""

    name: str
    rows: Rows


@dataclass
class _Rewriting:
    graph: Graph
    times: Schedule
    windows: dict[str, Window] = field(default_factory=dict)
    made: list[Node] = field(default_factory=list)

    def add(self, node: Node, op: Op, inputs: list[str], window: Window) -> str:
        """A node that makes `rows` of tensor `window.name`, as a part of layer `node`; returns the new tensor."""
        tensor, rows = self.graph.tensors[window.name], window.rows
        kind = f".{op.kind}" if op.kind != node.op.kind else ""
        label = f"{node.name}{kind}.{rows.first}-{rows.end - 1}"
        name = self.graph.fresh(f"{window.name}.{rows.first}")
        self.graph.add(Tensor(name, self.shape(tensor, rows), tensor.dtype, tensor.quantization))
        self.made.append(Node(label, op, inputs, [name], origin=node.name, sparing=True))
        return name

    def shape(self, tensor: Tensor, rows: Rows) -> Shape:
        """Of some rows of a tensor."""
        axis = self.times.axis
        return (*tensor.shape[:axis], rows.count, *tensor.shape[axis + 1 :])

    def cut(self, node: Node, window: Window, tensor: str, rows: Rows, *, view: bool) -> str:
        """Some rows of a window of a tensor."""
        if rows == window.rows and view:
            return window.name
        start = tuple(rows.first - window.rows.first if i == self.times.axis else 0 for i in range(4))
        op = Slice(start, self.shape(self.graph.tensors[window.name], rows), (1, 1, 1, 1), view)
        return self.add(node, op, [window.name], Window(tensor, rows))

    def copy(self, node: Node, window: Window, tensor: str, rows: Rows) -> str:
        """The same in another place; the rest of the window is not read."""
        shown = self.cut(node, window, tensor, rows, view=True)
        return self.cut(node, Window(shown, rows), tensor, rows, view=False)


def split(graph: Graph, stretch: Stretch) -> None:
    """Replace the layers of the stretch by their strips."""
    nodes = graph.nodes[stretch.first : stretch.last + 1]
    last, result = nodes[-1], nodes[-1].outputs[0]
    state, parts = _Rewriting(graph, schedule(graph, nodes, stretch.rows, stretch.axis)), []
    for step in range(state.times.steps):
        for node in nodes:
            if state.times.new(node.outputs[0], step).count:
                made = _compute(state, node, step, joined=node is not last)
                parts += [made] if node is last else []
    state.made.append(Node(f"{last.name}.concat", Concat(stretch.axis, view=True), parts, [result], origin=last.name))
    graph.nodes[stretch.first : stretch.last + 1] = state.made
    used = {name for node in graph.nodes for name in (*node.inputs, *node.outputs)} | {*graph.inputs, *graph.outputs}
    graph.tensors = {name: tensor for name, tensor in graph.tensors.items() if name in used or tensor.constant}


def _compute(state: _Rewriting, node: Node, step: int, *, joined: bool) -> str:
    """Add what makes the new rows of a layer, and its window where wanted; returns the tensor of the new rows."""
    output, rows = node.outputs[0], state.times.new(node.outputs[0], step)
    first, old = state.times.keep[output][step], state.windows.get(output)
    stays = Rows(first, rows.first)
    kept = state.copy(node, old, output, stays) if joined and old and stays.count else None
    inputs = [_rows_of(state, node, name, rows) for name in node.inputs]
    op = for_rows(node.op, rows, state.times.height(node.inputs[0]), state.times.axis)
    made = state.add(node, op, inputs, Window(output, rows))
    state.windows[output] = Window(made, rows)
    if kept:
        whole = Window(output, Rows(first, rows.end))
        window = state.add(node, Concat(state.times.axis, view=True), [kept, made], whole)
        state.windows[output] = Window(window, whole.rows)
    return made


def _rows_of(state: _Rewriting, node: Node, name: str, out: Rows) -> str:
    """The rows of an input that these rows of the output need."""
    tensor, times = state.graph.tensors[name], state.times
    inside = name in times.ends
    if not is_image(tensor) or (repeats(tensor, times.axis) and not inside):
        return name
    window = state.windows[name] if inside else Window(name, Rows(0, times.height(name)))
    rows = times.needs(node, name, out)
    aligned = (rows.first - window.rows.first) * row_bytes(tensor, times.axis) % ALIGNMENT == 0
    return state.cut(node, window, name, rows, view=aligned)


def copied(graph: Graph) -> Graph:
    """A graph that can be rewritten while this one stays."""
    nodes = [replace(node, inputs=list(node.inputs), outputs=list(node.outputs)) for node in graph.nodes]
    return replace(graph, nodes=nodes, tensors=dict(graph.tensors))
