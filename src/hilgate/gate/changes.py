"""What moved between two measurements of one cell: layers, parts of memory, hashes, environment. No judgement here.

Each entry names a thing, its value in base and in head, None where it is absent. causes.py adds what explains them.
"""

from __future__ import annotations

import reprlib
from typing import Any

from hilgate.gate.causes import causes_between
from hilgate.gate.claims import PARTS
from hilgate.gate.measured import Build, Measurement
from hilgate.gate.pairing import pair_layers

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
        **causes_between(base, head),
    }


def changed_params(base: dict[str, Any], head: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """Entries of params.yaml that differ, by their dotted names; what judges (cells, gate) is a request instead."""
    old, new = (_flat({key: side[key] for key in side if key not in JUDGING}) for side in (base, head))
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return tuple(
        {"name": name, "base": old.get(name, "not set"), "head": new.get(name, "not set")}
        for name in changed[:MOST_PARAMS]
    )


def changed_packages(base: dict[str, str], head: dict[str, str]) -> tuple[dict[str, str], ...]:
    """Pinned packages whose version differs; a package that only one side pins is `not there` on the other."""
    changed = sorted(name for name in {*base, *head} if base.get(name) != head.get(name))
    return tuple(
        {"name": name, "base": base.get(name, "not there"), "head": head.get(name, "not there")}
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
        "first_layer": measurement.first_layer,
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
    """Cycles in the head's order, layers that only the base has at the end. was: another name in the base."""
    comparable = base is not None and head is not None and base.source == head.source
    old = _cycles(base if comparable or head is None else None)
    new = _cycles(head)
    pairs = pair_layers(
        [name for name, _ in old],
        [name for name, _ in new],
        base.build if base else None,
        head.build if head else None,
    )
    rows = []
    for was, now in pairs:
        then, here = (None if was is None else old[was]), (None if now is None else new[now])
        row = {"name": (here or then or ("", 0))[0], "base": then and then[1], "head": here and here[1]}
        rows.append({**row, "was": then[0]} if then and here and then[0] != here[0] else row)
    return rows


def _cycles(measurement: Measurement | None) -> tuple[tuple[str, int], ...]:
    return measurement.latency.layers if measurement and measurement.latency else ()


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
    old, new, homes = base.symbols, head.symbols, base.homes | head.homes
    changed = [key for key in {**new, **old} if old.get(key) != new.get(key)]
    changed.sort(key=lambda key: (-abs(new.get(key, 0) - old.get(key, 0)), key))
    return [
        {"name": key[0], "memory": key[1], "base": old.get(key), "head": new.get(key), "section": homes.get(key, "")}
        for key in changed[:MOST_SYMBOLS]
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
