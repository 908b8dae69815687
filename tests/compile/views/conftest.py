"""Graphs of images for the tests of views, and a run in an arena of bytes whose dead bytes are poisoned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from hilgate.compile.compile import allocate
from hilgate.compile.graph import Graph, Node, Quantization, Site, Tensor
from hilgate.compile.ops.concat.op import Concat
from hilgate.compile.ops.conv2d.op import Conv2D
from hilgate.compile.ops.slice.op import Slice
from hilgate.compile.ops.window import Window
from hilgate.compile.options import Options
from hilgate.compile.passes import avoid_copies
from hilgate.compile.plan import Plan
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify_lowered

ONE = Quantization((0.02,), 0)


@dataclass
class Maker:
    """Builds a graph of images (1, rows, width, channels) that share one quantization."""

    graph: Graph

    def input(self, rows: int, width: int = 4, channels: int = 4) -> str:
        name = f"x{len(self.graph.inputs)}"
        self.graph.add(Tensor(name, (1, rows, width, channels), "int8", ONE))
        self.graph.inputs.append(name)
        return name

    def node(self, op, *inputs: str, name: str = "") -> str:
        name = name or f"{op.kind}{len(self.graph.nodes)}"
        shape = op.output_shapes([self.graph.tensors[n] for n in inputs])[0]
        self.graph.add(Tensor(name, shape, "int8", ONE))
        self.graph.nodes.append(Node(name, op, list(inputs), [name]))
        return name

    def rows(self, x: str, first: int, count: int) -> str:
        shape = self.graph.tensors[x].shape
        return self.node(Slice((0, first, 0, 0), (1, count, *shape[2:]), (1, 1, 1, 1)), x)

    def conv(self, x: str, kernel: int = 3) -> str:
        channels = self.graph.tensors[x].shape[3]
        name = f"w{len(self.graph.tensors)}"
        data = np.random.default_rng(len(name)).integers(-40, 41, (channels, kernel, kernel, channels)).astype(np.int8)
        self.graph.add(Tensor(name, data.shape, "int8", ONE, data))
        side = kernel // 2
        return self.node(Conv2D(Window((kernel, kernel), pad=(side, side, side, side))), x, name)

    def join(self, *parts: str, axis: int = 1) -> str:
        return self.node(Concat(axis), *parts)

    def done(self, *outputs: str) -> Graph:
        used = {name for node in self.graph.nodes for name in node.inputs}
        self.graph.outputs = list(outputs) or [n for n in self.graph.tensors if n not in used and n[0] != "w"]
        return self.graph


@pytest.fixture(scope="session")
def maker() -> Callable[[], Maker]:
    """maker() -> a Maker of an empty graph."""
    return lambda: Maker(Graph("views"))


def _check_overlaps(site: Site, found: Plan) -> None:
    """An output lies over an input only as the operator says that it may."""
    output, op = site.output, site.node.op
    begin, end = found.offset[output.name], found.offset[output.name] + output.bytes
    for index, tensor in enumerate(site.inputs):
        if tensor.constant or not (
            found.offset[tensor.name] < end and begin < found.offset[tensor.name] + tensor.bytes
        ):
            continue
        ahead = found.offset[tensor.name] - begin
        lag = op.overlap_lag(site).get(index)
        assert (ahead == 0 and index in op.overlap_inputs(site)) or (lag is not None and ahead >= lag), output.name


def simulated(graph: Graph, found: Plan, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Run in a byte arena; what no buffer holds is poisoned before each layer."""
    arena = np.full(found.arena_bytes, 0x55, np.int8)

    def place(name: str) -> np.ndarray:
        tensor = graph.tensors[name]
        return arena[found.offset[name] :][: tensor.elements].reshape(1, *tensor.shape)

    for name, array in inputs.items():
        place(name)[...] = array
    for index, site in enumerate(site for site in graph.sites() if not site.node.op.view):
        living = np.zeros(found.arena_bytes, bool)
        for buffer in found.buffers:
            if buffer.first < index <= buffer.last:
                living[buffer.offset : buffer.end] = True
        arena[~living] = 0x55 - index % 7
        _check_overlaps(site, found)
        result = site.node.op.reference(
            site, [t.data[None] if t.constant else place(t.name).copy() for t in site.inputs]
        )
        place(site.output.name)[...] = result
    return [place(name).copy() for name in graph.outputs]


def _check_simulated(graph: Graph) -> Plan:
    found, inputs = allocate(graph, Options(), "0" * 64).plan, random_inputs(graph, 1, seed=1)
    for mine, wanted in zip(simulated(graph, found, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)
    assert all(offset % 4 == 0 for offset in (*found.offset.values(), *(b.offset for b in found.buffers)))
    return found


@pytest.fixture(scope="session")
def check_simulated() -> Callable[[Graph], Plan]:
    """check_simulated(graph) -> the plan with chosen kernels, in which it ran and gave the reference."""
    return _check_simulated


def _copying(graph: Graph) -> list[str]:
    """The slices and concatenations that still move bytes, after the pass."""
    avoid_copies.run(graph, Options())
    verify_lowered(graph, float_edges=False)
    return [n.name for n in graph.nodes if n.op.kind in ("slice", "concat") and not n.op.view]


@pytest.fixture(scope="session")
def copying() -> Callable[[Graph], list[str]]:
    """copying(graph) -> runs the pass and names what still copies."""
    return _copying
