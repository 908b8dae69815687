"""What stands behind a change: shape, kernel, weights and memory of each layer, sections, what fills the image.

Facts of both sides, side by side; sentences are made of them by the report room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilgate.gate.pairing import pair_layers

if TYPE_CHECKING:
    from hilgate.gate.measured import Build, Measurement

MOST_LAYERS = 300
MOST_SECTIONS = 60
MOST_PIECES = 80  # symbols that fill the picture of an image; the rest is one piece
WEIGHTS = ("model_weights", "flash")  # the symbol of the weights blob and its memory


def causes_between(base: Measurement | None, head: Measurement | None) -> dict[str, Any]:
    """Additions to `changes` of a cell: sections, layer_facts, image."""
    old, new = (side.build if side else None for side in (base, head))
    return {
        "sections": _sections(old, new),
        "layer_facts": _layer_facts(old, new),
        "image": _image(new or old),
    }


def _layer_facts(base: Build | None, head: Build | None) -> list[dict[str, Any]]:
    """Layers that are not the same on both sides, with all that is known of each; of one side alone nothing."""
    if not base or not head or not base.layers or not head.layers:
        return []
    names = [[layer["name"] for layer in side.layers] for side in (base, head)]
    rows = []
    for was, now in pair_layers(names[0], names[1], base, head):
        old = None if was is None else base.layers[was]
        new = None if now is None else head.layers[now]
        if _facts(old) != _facts(new):
            rows.append({"name": (new or old or {})["name"], "base": _facts(old), "head": _facts(new)})
    return rows[:MOST_LAYERS]


def _facts(layer: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if layer is None else {key: value for key, value in layer.items() if key != "name"}


def _sections(base: Build | None, head: Build | None) -> list[dict[str, Any]]:
    """Every section of both images by memory, in the head's order; only where both are known."""
    if not base or not head or not base.sections or not head.sections:
        return []
    old, new = base.sections, head.sections
    return [
        {"name": key[0], "memory": key[1], "base": old.get(key, 0), "head": new.get(key, 0)}
        for key in list({**new, **old})[:MOST_SECTIONS]
    ]


def _image(build: Build | None) -> list[dict[str, Any]]:
    """What fills the image, largest first: symbols by memory; the weights by layer where that is known."""
    if build is None:
        return []
    pieces = [("symbol", name, memory, size) for (name, memory), size in build.symbols.items()]
    blob = build.symbols.get(WEIGHTS)
    by_layer = sum(layer["weights_bytes"] for layer in build.layers)
    if blob and 0 < by_layer <= blob:
        pieces.remove(("symbol", *WEIGHTS, blob))
        memory = WEIGHTS[1]
        pieces += [("weights", layer["name"], memory, layer["weights_bytes"]) for layer in build.layers]
        pieces.append(("symbol", f"{WEIGHTS[0]}, header", memory, blob - by_layer))
    pieces = sorted((piece for piece in pieces if piece[3]), key=lambda piece: (-piece[3], piece))
    rest: dict[str, int] = {}
    for _, _, memory, size in pieces[MOST_PIECES:]:
        rest[memory] = rest.get(memory, 0) + size
    kept = [*pieces[:MOST_PIECES], *(("rest", "", memory, size) for memory, size in rest.items())]
    return [{"kind": kind, "name": name, "memory": memory, "bytes": size} for kind, name, memory, size in kept]
