"""What `hilgate compile` prints on stdout: one row per layer, and with --explain the passes, the choices, the arena."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from hilgate.compile.compile import Compiled
    from hilgate.compile.explain import Explanation

PIPE_COLUMNS = 160  # into a file or a log nothing is cut


def show(compiled: Compiled) -> None:
    """Print the layers of a compilation and their sums."""
    model, cycles = compiled.model, compiled.cycles
    table = _table(
        model["name"], ("layer", "op", "kernel", "output"), ("MACs", "weights B", "cycles", "output B", "at")
    )
    for layer, predicted in zip(model["layers"], cycles, strict=True):
        shape = "x".join(map(str, layer["output_shape"]))
        numbers = (layer["macs"], layer["weights_bytes"], predicted, layer["output_bytes"], layer["output_offset"])
        table.add_row(layer["name"], layer["op"], layer["kernel"], shape, *(f"{n:,}" for n in numbers))
    table.caption = _sums(model, sum(cycles))
    _print(table)


def show_explanation(explanation: Explanation) -> None:
    """Print what each pass did, what the alternatives cost, and the arena's map."""
    passes = _table("passes", ("pass",), ("changes", "layers", "MACs", "int8 weights B", "arena B"))
    for step in explanation.steps:
        arena = "" if step.arena_bytes is None else f"{step.arena_bytes:,}"
        passes.add_row(step.name, *(f"{n:,}" for n in (step.changes, step.layers, step.macs, step.weight_bytes)), arena)
    passes.caption = "arena before kernels are chosen: without their working memory"
    _print(passes)
    choices = _table("choices", ("optimize", "updatable"), ("MACs", "weights blob B", "arena B", "predicted cycles"))
    for choice in explanation.choices:
        numbers = (choice.macs, choice.blob_bytes, choice.arena_bytes, choice.cycles)
        choices.add_row(choice.options.optimize, str(choice.options.updatable), *(f"{n:,}" for n in numbers))
    choices.caption = "the first row is what was compiled; cycles of a Cortex-M4 at zero wait states"
    _print(choices)
    print(explanation.arena_text())  # noqa: T201


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    from rich.table import Table

    table = Table(title=title, caption_justify="left")
    for heading in left:
        table.add_column(heading)
    for heading in right:
        table.add_column(heading, justify="right")
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)


def _sums(model: dict[str, Any], cycles: int) -> str:
    shapes = " -> ".join("x".join(map(str, edge["shape"])) for edge in (*model["input"], *model["output"]))
    arena, weights, macs = model["arena_bytes"], model["weights_bytes"], model["macs"]
    return (
        f"{shapes}: {macs:,} MACs, {weights:,} bytes of weights, {arena:,} bytes of arena, "
        f"{cycles:,} cycles predicted (Cortex-M4, zero wait states)"
    )
