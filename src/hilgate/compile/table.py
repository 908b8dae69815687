"""The table that `hilgate compile` prints: one row per layer, on stdout."""

from __future__ import annotations

import sys
from typing import Any

PIPE_COLUMNS = 140  # into a file or a log nothing is cut


def show(model: dict[str, Any]) -> None:
    """Print layers and sums of a model.json document."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=model["name"], caption=_sums(model), caption_justify="left")
    for heading in ("layer", "op", "output"):
        table.add_column(heading)
    for heading in ("MACs", "weights B", "output B", "arena offset"):
        table.add_column(heading, justify="right")
    for layer in model["layers"]:
        shape = "x".join(map(str, layer["output_shape"]))
        numbers = (layer["macs"], layer["weights_bytes"], layer["output_bytes"], layer["output_offset"])
        table.add_row(layer["name"], layer["op"], shape, *(f"{n:,}" for n in numbers))
    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)


def _sums(model: dict[str, Any]) -> str:
    edges = [*model["input"], *model["output"]]
    arena, weights, macs = model["arena_bytes"], model["weights_bytes"], model["macs"]
    shapes = " -> ".join("x".join(map(str, edge["shape"])) for edge in edges)
    return f"{shapes}: {macs:,} MACs, {weights:,} bytes of weights, {arena:,} bytes of arena"
