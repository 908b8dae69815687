"""The rows of the table of layers: the strips of a layer that was split stand in one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class LayerRow:
    """One layer, or all its strips. shape: of what it makes as a whole; arena: bytes in use at its fullest."""

    name: str
    op: str
    kernel: str
    shape: str
    macs: int
    weights_bytes: int
    cycles: int
    arena_bytes: int
    calls: int = 1

    @property
    def title(self) -> str:
        """Its name, and how many strips it is."""
        if self.calls == 1:
            return self.name
        return f"{self.name}: {self.calls} {'moves' if self.op == 'slice' else 'strips'}"


def layer_rows(model: dict[str, Any], cycles: Sequence[int]) -> list[LayerRow]:
    """Of a model.json document and each layer's predicted cycles; in order of the first strip."""
    rows: dict[tuple[object, ...], LayerRow] = {}
    heights: dict[tuple[object, ...], int] = {}
    for index, (layer, predicted) in enumerate(zip(model["layers"], cycles, strict=True)):
        key: tuple[object, ...] = (layer["strip_of"], layer["op"]) if "strip_of" in layer else (index,)
        shape, arena = layer["output_shape"][1:], arena_in_use(model, index)
        kernel = layer["kernel"].removesuffix("_s8")
        if key not in rows:
            heights[key] = 0
            name = layer.get("strip_of", layer["name"])
            rows[key] = LayerRow(name, layer["op"], kernel, "", 0, 0, 0, 0, calls=0)
        row = rows[key]
        heights[key] += shape[0] if shape else 1
        row.shape = "x".join(map(str, [heights[key], *shape[1:]] if "strip_of" in layer else shape))
        row.macs += layer["macs"]
        row.weights_bytes += layer["weights_bytes"]
        row.cycles += predicted
        row.arena_bytes = max(row.arena_bytes, arena)
        row.calls += 1
    return list(rows.values())


def arena_in_use(model: dict[str, Any], layer: int) -> int:
    """Bytes of the arena that are needed while a layer of a model.json document runs; shared bytes count once."""
    total = end = 0
    alive = [b for b in model["arena"] if b["first_layer"] <= layer <= b["last_layer"]]
    for buffer in sorted(alive, key=lambda b: int(b["offset"])):
        first, last = buffer["offset"], buffer["offset"] + buffer["bytes"]
        total += max(0, last - max(first, end))
        end = max(end, last)
    return total
