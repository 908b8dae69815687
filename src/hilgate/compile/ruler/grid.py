"""Cycles per MAC of each fast kernel over a grid of shapes, on the virtual Cortex-M4 at zero wait states.

for point in measure(folder): print(point.name, point.cycles_per_mac)
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.artifacts import atomic_write
from hilgate.compile import emit
from hilgate.compile.cases import Case, graph_of
from hilgate.compile.compile import allocate
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs
from hilgate.compile.ruler.ruler import COMPILER, CPU, FLAGS
from hilgate.errors import BuildError

PINNED_COMPILER = "12.2.1 20221205"  # exact counts hold for this one
PANELS = Options(without=("share_kernels", "winograd"))
WINOGRAD = Options(without=("share_kernels",))
WINOGRAD_SUFFIX = "_winograd"
MARKERS = ("<!-- cycles -->", "<!-- /cycles -->")
CONVOLUTIONS = (  # height and width, channels, outputs, kernel, stride
    (32, 3, 16, 3, 1),
    (16, 16, 16, 3, 1),
    (16, 32, 32, 3, 1),
    (8, 64, 64, 3, 1),
    (16, 32, 64, 3, 2),
    (24, 8, 16, 1, 1),
    (12, 32, 64, 1, 1),
    (6, 128, 128, 1, 1),
    (3, 256, 256, 1, 1),
    (7, 21, 37, 3, 1),
)
DEPTHWISE = ((48, 8, 1), (24, 32, 1), (12, 64, 1), (6, 128, 1), (24, 32, 2), (12, 64, 2))  # size, channels, stride
DENSE = ((640, 128), (128, 128), (128, 8), (8, 128))  # inputs, outputs


@dataclass(frozen=True)
class Point:
    """One measurement. kernel: the C function's name."""

    name: str
    kernel: str
    macs: int
    cycles: int

    @property
    def cycles_per_mac(self) -> float:
        return self.cycles / self.macs


def cases() -> Iterator[Case]:
    """The grid: each shape with TFLite's rounding and ReLU, without ReLU, and with ONNX's rounding; convolutions that
    Winograd can compute also by it."""
    for rounding, zero_point in (("double", -128), ("double", -3), ("single", -3)):
        relu = {"activation": [0.0, float("inf")]} if zero_point == -128 else {}
        name = rounding + ("_relu" if relu else "")
        for size, channels, outputs, kernel, stride in CONVOLUTIONS:
            window = _window(size, kernel, stride)
            facts = {"attributes": {"window": window, **relu}, "rounding": rounding}
            weights = [outputs, kernel, kernel, channels]
            shape = f"{size}x{size}x{channels}_to_{outputs}_k{kernel}s{stride}_{name}"
            facts |= _tensors([1, size, size, channels], weights, 0, zero_point)
            yield Case("conv2d", {"name": shape, **facts})
            if (kernel, stride) == (3, 1) and channels % 4 == 0:
                yield Case("conv2d", {"name": shape + WINOGRAD_SUFFIX, **facts})
        for size, channels, stride in DEPTHWISE:
            facts = {"attributes": {"window": _window(size, 3, stride), **relu}, "rounding": rounding}
            shape = f"{size}x{size}x{channels}_k3s{stride}_{name}"
            tensors = _tensors([1, size, size, channels], [1, 3, 3, channels], 3, zero_point)
            yield Case("depthwise_conv2d", {"name": shape, **facts, **tensors})
        for inputs, outputs in DENSE:
            facts = {"attributes": relu, "rounding": rounding}
            tensors = _tensors([1, inputs], [outputs, inputs], None, zero_point)
            yield Case("fully_connected", {"name": f"{inputs}_to_{outputs}_{name}", **facts, **tensors})


def _window(size: int, kernel: int, stride: int) -> dict[str, Any]:
    """TFLite's SAME."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    before = total // 2
    pad = [before, before, total - before, total - before]
    return {"kernel": [kernel, kernel], "stride": [stride, stride], "pad": pad}


def _tensors(x: list[int], weights: list[int], axis: int | None, zero_point: int) -> dict[str, Any]:
    scale: Any = 0.004
    if axis is not None:
        scale = [0.003 + 0.0005 * (i % 7) for i in range(weights[axis])]
    constant = {"shape": weights, "constant": "random", "scale": scale, **({} if axis is None else {"axis": axis})}
    inputs = [{"shape": x, "scale": 0.02, "zero_point": -128}, constant]
    return {"inputs": inputs, "output": {"scale": 0.1, "zero_point": zero_point}}


def measure(folder: Path) -> list[Point]:
    """Compile, link and run every case. `folder` takes the files. Raises BuildError when the C does not build."""
    return [_point(graph_of(case), folder) for case in cases()]


def _point(graph: Graph, folder: Path) -> Point:
    from hilgate.virtual.bare import SCRATCH, BareMachine

    options = WINOGRAD if graph.name.endswith(WINOGRAD_SUFFIX) else PANELS
    made = allocate(graph, options, "0" * 64)
    written = emit.files(made)
    sources = folder / graph.name
    for name, content in written.items():
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    machine = BareMachine(link(sources))
    weights, arena = SCRATCH, SCRATCH + (1 << 19)
    machine.write(weights, written["weights.bin"])
    for name, array in random_inputs(graph, 1, seed=1).items():
        machine.write(arena + made.plan.offset[name], array.tobytes())
    call = machine.call("model_run", weights, arena)
    site = made.layers[0]
    function = site.node.op.call(site)
    macs = int(site.output.elements * _products(site.inputs[1].shape, site.node.op.kind))
    return Point(graph.name, function.function if function else "", macs, call.cycles)


def _products(weights: tuple[int, ...], kind: str) -> int:
    """MACs of one output, padding counted, as peers count."""
    if kind == "depthwise_conv2d":
        return weights[1] * weights[2]
    result = 1
    for size in weights[1:]:
        result *= size
    return result


def link(sources: Path) -> Path:
    """The image of one model without start-up code. Raises BuildError."""
    image = sources / "model.elf"
    layout = "-Wl,-Ttext=0x08000000,-e,0,--no-warn-rwx-segments"
    command = [COMPILER, *CPU, *FLAGS, "-nostdlib", layout, "-o", str(image), str(sources / "model.c"), "-lc", "-lgcc"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(done.stderr.strip()[-2000:], where=str(sources))
    return image


def compiler_is_pinned() -> bool:
    """Whether exact counts can be expected."""
    done = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=False)
    return PINNED_COMPILER in done.stdout


def table(points: list[Point]) -> str:
    """Markdown."""
    rows = [f"| {p.name} | {p.kernel} | {p.macs} | {p.cycles} | {p.cycles_per_mac:.3f} |" for p in points]
    return "\n".join(["| case | kernel | MACs | cycles | per MAC |", "|---|---|---|---|---|", *rows, ""])


def rewrite(page: Path, points: list[Point]) -> None:
    """Put the table between the page's markers."""
    before, rest = page.read_text("utf-8").split(MARKERS[0])
    after = rest.split(MARKERS[1])[1]
    atomic_write(page, f"{before}{MARKERS[0]}\n{table(points)}{MARKERS[1]}{after}".encode())


def main() -> None:
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        rewrite(Path(sys.argv[1]), measure(Path(folder)))


if __name__ == "__main__":
    main()
