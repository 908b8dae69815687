"""What each layer of the image is and holds, from the compiler's model.json: it explains later changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hilgate.artifacts import read_json

COPIED = ("name", "op", "kernel", "input_shapes", "output_shape", "macs", "weights_bytes")


def layer_rows(folder: Path) -> list[dict[str, Any]]:
    """One row for each layer of the C folder, in order; none without a model.json (C that hilgate did not make).

    arena_bytes: how far into the arena the layer reaches, with all that must survive it. The largest is the arena.
    Raises ArtifactError.
    """
    if not (folder / "model.json").is_file():
        return []
    model = read_json(folder / "model.json", "model")
    rows = [{name: layer[name] for name in COPIED} for layer in model["layers"]]
    return [{**row, "arena_bytes": _reach(model["arena"], at)} for at, row in enumerate(rows)]


def _reach(arena: list[dict[str, Any]], layer: int) -> int:
    live = [tensor for tensor in arena if tensor["first_layer"] <= layer <= tensor["last_layer"]]
    return max((tensor["offset"] + tensor["bytes"] for tensor in live), default=0)
