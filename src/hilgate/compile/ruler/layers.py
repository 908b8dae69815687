"""What single layers cost on the virtual Cortex-M4: instructions, cycles, bytes of code and arena, by named shape.

    for layer in measure(folder): print(layer.name, layer.cycles)

One case of each operator (the first of its cases.toml), and some of the grid's shapes for the fast kernels.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from hilgate.artifacts import atomic_write
from hilgate.compile import emit, ops
from hilgate.compile.cases import Case, cases_of, graph_of
from hilgate.compile.compile import allocate
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.ruler import grid
from hilgate.errors import BuildError

OPTIONS = Options(updatable=False, without=("share_kernels",))
SHAPES = (  # of the grid
    "conv2d_32x32x3_to_16_k3s1_double_relu",
    "conv2d_16x16x32_to_32_k3s1_double",
    "conv2d_16x16x32_to_64_k3s2_single",
    "conv2d_6x6x128_to_128_k1s1_single",
    "depthwise_conv2d_24x24x32_k3s1_single",
    "fully_connected_640_to_128_single",
)


@dataclass(frozen=True)
class Layer:
    """One layer alone. code_bytes: of the linked image without weights, model.c's own functions included."""

    name: str
    kernel: str
    instructions: int
    cycles: int
    code_bytes: int
    arena_bytes: int


def cases() -> Iterator[Case]:
    """In a fixed order."""
    for kind, op in ops.operators().items():
        if not op.view:
            yield cases_of(kind)[0]
    yield from (case for case in grid.cases() if case.name in SHAPES)


def measure(folder: Path) -> list[Layer]:
    """Compile, link, run and check every case. Raises BuildError when C does not build or gives another result."""
    return [_layer(graph_of(case), folder) for case in cases()]


def _layer(graph: Graph, folder: Path) -> Layer:
    from hilgate.virtual.bare import SCRATCH, BareMachine

    made = allocate(graph, OPTIONS, "0" * 64)
    sources = folder / graph.name
    written = emit.files(made)
    for name, content in written.items():
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    image = grid.link(sources)
    machine, weights, arena = BareMachine(image), SCRATCH, SCRATCH + (1 << 19)
    machine.write(weights, written["weights.bin"])
    inputs = random_inputs(graph, 1, seed=1)
    for name, array in inputs.items():
        machine.write(arena + made.plan.offset[name], array.tobytes())
    call = machine.call("model_run", weights, arena)
    for name, expected in zip(graph.outputs, run_reference(graph, inputs), strict=True):
        if machine.read(arena + made.plan.offset[name], expected.nbytes) != expected.tobytes():
            raise BuildError("the result is not the reference's, so its cycles mean nothing", where=graph.name)
    kernel = made.layers[0].node.op.call(made.layers[0])
    function = kernel.function if kernel else ""
    return Layer(graph.name, function, call.instructions, call.cycles, _code_bytes(image), made.plan.arena_bytes)


def _code_bytes(image: Path) -> int:
    from elftools.elf.elffile import ELFFile

    with image.open("rb") as file:
        return sum(s["p_filesz"] for s in ELFFile(file).iter_segments() if s["p_type"] == "PT_LOAD")


def read(path: Path) -> list[Layer]:
    """The rows of a file that `write` made."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Layer(row["name"], row["kernel"], *(int(row[f.name]) for f in fields(Layer)[2:]))
            for row in csv.DictReader(file)
        ]


def write(path: Path, layers: Iterable[Layer]) -> None:
    """As CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([f.name for f in fields(Layer)])
    writer.writerows(astuple(layer) for layer in layers)
    atomic_write(path, stream.getvalue().encode())
