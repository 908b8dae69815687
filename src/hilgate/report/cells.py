"""One cell of verdict.json as a CellView: what every format shows of it, in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hilgate.report import explain, story, words
from hilgate.report.view import CellView, Moved, Pair, Piece
from hilgate.units import percent

LONGEST_CHAIN = 20
MOST_PROVENANCE = 40
PART_NAMES = {"flash": "flash", "ram": "RAM"}
LONGEST_HASH, LONGEST_ENTRY = 12, 200


def cell_view(cell: dict[str, Any], base: str, head: str) -> CellView:
    """base, head: what people call the two sides."""
    rows = tuple(words.row(axis) for axis in cell["axes"])
    facts = cell["facts"]["head"] or cell["facts"]["base"]
    changes = cell["changes"]
    return CellView(
        cell=cell["cell"],
        task=cell["task"],
        board=cell["board"],
        outcome=cell["outcome"],
        quiet=_is_quiet(cell),
        both=both(cell),
        rows=rows,
        reasons=story.reasons(cell),
        checks=story.findings(cell),
        causes=tuple(explain.causes(cell, base)),
        source=facts["source"] if facts else "",
        layers=_layers(cell),
        layers_say=_layers_say(cell),
        comparable=comparable(cell),
        sizes=tuple(_part(part, both(cell)) for part in changes["sizes"]),
        sections=tuple(_section(row) for row in changes.get("sections", [])),
        layer_bytes=tuple(_layer_bytes(changes.get("layer_facts", []))),
        symbols=tuple(_symbol(row) for row in changes["symbols"]),
        image=tuple(Piece(row["kind"], row["name"], row["memory"], row["bytes"]) for row in changes.get("image", [])),
        capacity={memory: facts[memory]["capacity_bytes"] for memory in PART_NAMES} if facts else {},
        stack_path=_chain(changes["stack_path"]["head"]),
        stack_path_before=_chain(changes["stack_path"]["base"]),
        evidence=tuple(_evidence(cell, base, head)),
        provenance=tuple(_provenance(cell)),
    )


def both(cell: dict[str, Any]) -> bool:
    """Whether the cell was measured on both sides."""
    return None not in (cell["facts"]["base"], cell["facts"]["head"])


def comparable(cell: dict[str, Any]) -> bool:
    """Whether the cycles of its layers can be compared."""
    layers = cell["changes"]["layers"]
    return all(any(layer[side] is not None for layer in layers) for side in ("base", "head"))


def difference(row: dict[str, Any], compared: bool) -> str:
    """Change of a layer, a symbol or a part of memory, in percent of base where there is one."""
    old, new = row["base"], row["head"]
    if old is None or new is None:
        return "not compared" if not compared else "new" if old is None else "gone"
    if old == new:
        return "±0"
    text = f"{new - old:+,}".replace("-", "−")
    return f"{text} ({percent(new - old, old)})" if old else text


def _is_quiet(cell: dict[str, Any]) -> bool:
    """Passed, and no number, hash or entry of the environment is other than in the base."""
    changes = cell["changes"]
    same = all(axis["change"] == 0 or axis["budget"]["skip"] is not None for axis in cell["axes"])
    return cell["outcome"] == "pass" and same and both(cell) and not (changes["hashes"] or changes["environment"])


def _layers(cell: dict[str, Any]) -> tuple[Moved, ...]:
    facts = {row["name"]: row for row in cell["changes"].get("layer_facts", [])}
    names = Counter(row["name"] for row in cell["changes"]["layers"])
    return tuple(
        Moved(
            name=row["name"],
            group="",
            base=row["base"],
            head=row["head"],
            change=difference(row, comparable(cell)),
            detail=_detail(row, facts.get(row["name"]) if names[row["name"]] == 1 else None),
        )
        for row in cell["changes"]["layers"]
    )


def _detail(row: dict[str, Any], facts: dict[str, Any] | None) -> str:
    """What is different about a layer besides its cycles: its name, shapes, kernel."""
    clauses = explain.layer_facts(facts["base"], facts["head"]) if facts else ""
    renamed = f"it was called {explain.tick(row['was'])}" if row.get("was") else ""
    return "; ".join(filter(None, (renamed, clauses)))


def _layers_say(cell: dict[str, Any]) -> str:
    """`2 of 4 changed`, or why there is nothing to compare."""
    layers = cell["changes"]["layers"]
    if not comparable(cell):
        return "nothing to compare with"
    changed = sum(layer["base"] != layer["head"] for layer in layers)
    return f"{changed} of {len(layers)} changed" if changed else "none changed"


def _part(part: dict[str, Any], compared: bool) -> Moved:
    name = f"{PART_NAMES[part['memory']]} {part['part'].removesuffix('_bytes').replace('_', ' ')}"
    return Moved(name, part["memory"], part["base"], part["head"], difference(part, compared))


def _section(row: dict[str, Any]) -> Moved:
    return Moved(row["name"], PART_NAMES[row["memory"]], row["base"], row["head"], difference(row, compared=True))


def _layer_bytes(facts: list[dict[str, Any]]) -> list[Moved]:
    """Weights and reach of the layers in which these differ."""
    found = []
    for field, memory in (("weights_bytes", "flash"), ("arena_bytes", "RAM")):
        for row in facts:
            sides = {side: row[side][field] if row[side] else None for side in ("base", "head")}
            if sides["base"] != sides["head"]:
                moved = Moved(row["name"], memory, sides["base"], sides["head"], difference(sides, compared=True))
                found.append(moved)
    return found


def _symbol(row: dict[str, Any]) -> Moved:
    return Moved(row["name"], row["memory"], row["base"], row["head"], difference(row, compared=True))


def _chain(path: list[str]) -> str:
    """The deepest chain of calls with the bytes of each, or an empty string."""
    shown = [explain.tick(frame) for frame in path[:LONGEST_CHAIN]]
    return " → ".join(shown) + (f" → {len(path) - LONGEST_CHAIN} more" if len(path) > LONGEST_CHAIN else "")


def _evidence(cell: dict[str, Any], base: str, head: str) -> list[str]:
    """What stands behind the numbers: evidence class, statistics, what was compared to the bit, the runs."""
    facts = cell["facts"]["head"]
    found = [f"latency of {head}: {words.evidence_sentence(facts)}"]
    found += [f"accuracy: {text}" for axis in cell["axes"] if (text := story.paired_sentence(axis, base, head))]
    found += [f"latency: {text}" for axis in cell["axes"] if (text := story.loads_sentence(axis))]
    if facts:
        found.append(
            f"outputs compared with the reference to the bit: {facts['vectors']:,}, different: {facts['mismatches']:,}"
        )
    if facts and facts["latency"]:
        runs = facts["latency"]
        cycles = f"{runs['cycles_min']:,} to {runs['cycles_max']:,} at {runs['clock_hz']:,} Hz"
        found.append(f"cycles over {runs['runs']:,} runs: {cycles}")
    return found


def _provenance(cell: dict[str, Any]) -> list[Pair]:
    """Hashes (their first digits) and environment of both sides."""
    found = []
    for field, longest in (("hashes", LONGEST_HASH), ("environment", LONGEST_ENTRY)):
        old, new = ((cell["facts"][side] or {}).get(field, {}) for side in ("base", "head"))
        for key in sorted({*old, *new})[:MOST_PROVENANCE]:
            base, head = (str(side.get(key, "none"))[:longest] for side in (old, new))
            found.append(Pair(key, base, head))
    return found
