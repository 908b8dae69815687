"""The compile room: an int8 model file to a folder of plain C11. This file is its table of contents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.artifacts import artifact, atomic_write, needed, write_json
from hilgate.compile import emit, plan, weights
from hilgate.compile.cost import predicted_cycles
from hilgate.compile.fits import boards_of, check_fits_a_board, check_fits_a_limit
from hilgate.compile.graph import Graph
from hilgate.compile.kernels.share import share
from hilgate.compile.onnx_door import load_onnx
from hilgate.compile.options import Options
from hilgate.compile.passes import rewrite
from hilgate.compile.place import FINAL_SHUFFLES
from hilgate.compile.stale import remove_stale
from hilgate.compile.tflite_door import load_tflite
from hilgate.compile.verify import verify_lowered
from hilgate.errors import ArtifactError, ModelError

if TYPE_CHECKING:
    from hilgate.params import Params

DOORS = {".onnx": load_onnx, ".tflite": load_tflite}


@dataclass
class Compiled:
    """What one compilation made: the lowered graph, model.json's content, what each pass changed, and predicted cycles
    by layer.
    """

    graph: Graph
    model: dict[str, Any]
    changes: dict[str, int] = field(default_factory=dict)
    cycles: list[int] = field(default_factory=list)


def execute(task: str, params: Params, root: Path) -> Compiled:
    """Compile the task's quantized model and write its test vectors. `task`: an entry of section `compile`."""
    from hilgate.compile.vectors import write_vectors

    options = params.section("compile", task, Options)
    folder = artifact(root, "compile.folder", task)
    compiled = compile_model(needed(root, "quantize.onnx", task), folder, options, name=task)
    check_fits_a_board(task, compiled.model["arena_bytes"], compiled.model["weights_bytes"], boards_of(root))
    write_vectors(task, compiled.graph, root)
    return compiled


def compile_model(path: Path, folder: Path, options: Options | None = None, name: str = "") -> Compiled:
    """Compile a model file into a folder. Raises ModelError that names node, reason and a way out."""
    options = options or Options()
    graph = load(path)
    graph.name = name or graph.name
    changes = lower(graph, options)
    made = allocate(graph, options, hashlib.sha256(path.read_bytes()).hexdigest())
    written = emit.files(made)
    model = emit.description(made, written)
    _write(folder, written, model)
    return Compiled(graph, model, changes, [predicted_cycles(site) for site in made.layers])


def load(path: Path) -> Graph:
    """The graph behind any of the doors, chosen by the file's suffix."""
    door = DOORS.get(path.suffix.lower())
    if door is None:
        hint = "export a network of another framework to ONNX or TFLite first"
        raise ModelError(f"no model file: its name ends in neither {' nor '.join(DOORS)}", where=str(path), hint=hint)
    return door(path)


def lower(graph: Graph, options: Options) -> dict[str, int]:
    """Run the passes until only integer operators remain. Returns changes by pass."""
    changes = rewrite(graph, options)
    verify_lowered(graph, float_edges=options.io == "float32")
    return changes


def allocate(graph: Graph, options: Options, source_hash: str) -> emit.Emission:
    """Choose kernels, plan the arena and pack the weights."""
    options.check_layers(site.node.layer for site in graph.sites() if not site.node.op.view)
    for site in graph.sites():
        site.node.op = site.node.op.tuned(site, options.of(site.node.layer, sparing=site.node.sparing))
    if "share_kernels" not in options.without:
        share(graph, options)
    layers = [site for site in graph.sites() if not site.node.op.view]
    placed = plan.plan(graph, options.without, FINAL_SHUFFLES)
    check_fits_a_limit(graph.name, placed.arena_bytes, options.max_arena_bytes)
    return emit.Emission(graph, layers, placed, weights.pack(layers), options, source_hash)


def _write(folder: Path, written: dict[str, bytes], model: dict[str, Any]) -> None:
    try:
        remove_stale(folder, written)
        for name, content in written.items():
            atomic_write(folder / name, content)
        write_json(folder / "model.json", "model", model)
    except (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        where = str(error.filename2 or error.filename or folder)
        raise ArtifactError(f"cannot be written: {error.strerror}", where=where, hint="name another folder") from error
