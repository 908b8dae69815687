"""What moved between two measurements of one cell: layers, parts of memory, hashes, environment. No judgement here.

This is where a chain of causes grows: each entry names a thing, its value in base and in head, None where it is absent.
"""

from __future__ import annotations

import reprlib
from typing import Any

from hilgate.gate.claims import PARTS
from hilgate.gate.measured import Build, Measurement

MOST_SYMBOLS = 100
MOST_PARAMS = 200
MOST_LETTERS = 200
DEEPEST = 4
JUDGING = ("cells", "gate", "report")  # sections of params.yaml
HASHES = ("model", "architecture", "weights", "image", "firmware", "dataset")


def changes_between(base: Measurement | None, head: Measurement | None) -> dict[str, Any]:
    """All that moved; layers of a side whose latency is of another source are left out."""
    return {
        "layers": _layers(base, head),
        "sizes": _sizes(base, head),
        "symbols": _symbols(base.build if base else None, head.build if head else None),
        "stack_path": {
            "base": list(base.build.stack_path) if base and base.build else [],
            "head": list(head.build.stack_path) if head and head.build else [],
        },
        "hashes": [name for name in HASHES if base and head and base.hashes[name] != head.hashes[name]],
        "environment": _environment(base, head),
    }


def changed_params(base: dict[str, Any], head: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """Entries of params.yaml that differ, by their dotted names; what judges (cells, gate) is a request instead."""
    old, new = (_flat({key: side[key] for key in side if key not in JUDGING}) for side in (base, head))
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return tuple(
        {"name": name, "base": old.get(name, "not set"), "head": new.get(name, "not set")}
        for name in changed[:MOST_PARAMS]
    )


def _flat(node: Any, path: str = "", depth: int = 0) -> dict[str, str]:
    """Dotted name -> text. Bounded, because YAML can nest a mapping in itself and write 10**9 items in a line."""
    if not isinstance(node, dict) or depth == DEEPEST:
        short = reprlib.Repr()
        short.maxlevel, short.maxlist, short.maxother = 3, 40, MOST_LETTERS
        return {path: node[:MOST_LETTERS] if isinstance(node, str) else short.repr(node)[:MOST_LETTERS]}
    found: dict[str, str] = {}
    for key, value in list(node.items())[:MOST_PARAMS]:
        found |= _flat(value, f"{path}.{key}" if path else str(key), depth + 1)
    return found


def facts(measurement: Measurement | None) -> dict[str, Any] | None:
    """One side's numbers as reports show them; raw cycles are summed up, samples stay in their own file."""
    if measurement is None:
        return None
    latency = measurement.latency
    return {
        "source": measurement.source,
        "evidence": measurement.evidence,
        "metric": measurement.metric,
        "interval": list(measurement.interval),
        "vectors": measurement.vectors,
        "mismatches": measurement.mismatches,
        "flash": measurement.flash,
        "ram": measurement.ram,
        "latency": latency
        and {
            "runs": len(latency.cycles),
            "cycles_min": min(latency.cycles),
            "cycles_max": max(latency.cycles),
            "clock_hz": latency.clock_hz,
        },
        "hashes": measurement.hashes,
        "environment": measurement.environment,
    }


def _layers(base: Measurement | None, head: Measurement | None) -> list[dict[str, Any]]:
    """In the head's order, layers that only the base has at the end; a name that repeats is matched by its count."""
    comparable = base is not None and head is not None and base.source == head.source
    old = _cycles(base if comparable or head is None else None)
    new = _cycles(head)
    return [{"name": key[0], "base": old.get(key), "head": new.get(key)} for key in {**new, **old}]


def _cycles(measurement: Measurement | None) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for name, cycles in measurement.latency.layers if measurement and measurement.latency else ():
        repeat = 0
        while (name, repeat) in found:
            repeat += 1
        found[name, repeat] = cycles
    return found


def _sizes(base: Measurement | None, head: Measurement | None) -> list[dict[str, Any]]:
    """Each memory's total, then its parts; stack_seen_bytes is no part but a mark."""
    rows = []
    for memory, parts in PARTS.items():
        old: dict[str, int] = getattr(base, memory) if base else {}
        new: dict[str, int] = getattr(head, memory) if head else {}
        rows += [
            {"memory": memory, "part": part, "base": old.get(part), "head": new.get(part)}
            for part in ("total_bytes", *parts, "stack_seen_bytes")
            if part in old or part in new
        ]
    return rows


def _symbols(base: Build | None, head: Build | None) -> list[dict[str, Any]]:
    """Symbols whose size changed, appeared or went, largest change first."""
    if base is None or head is None:
        return []
    old, new = base.symbols, head.symbols
    changed = [key for key in {**new, **old} if old.get(key) != new.get(key)]
    changed.sort(key=lambda key: (-abs(new.get(key, 0) - old.get(key, 0)), key))
    return [
        {"name": key[0], "memory": key[1], "base": old.get(key), "head": new.get(key)} for key in changed[:MOST_SYMBOLS]
    ]


def _environment(base: Measurement | None, head: Measurement | None) -> list[dict[str, Any]]:
    if base is None or head is None:
        return []
    keys = sorted({*base.environment, *head.environment})
    return [
        {"name": key, "base": base.environment.get(key), "head": head.environment.get(key)}
        for key in keys
        if base.environment.get(key) != head.environment.get(key)
    ]
