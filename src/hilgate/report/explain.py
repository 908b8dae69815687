"""Why a metric moved, one sentence each, made of facts that both sides hold; what is not known is not said."""

from __future__ import annotations

import re
from typing import Any

from hilgate.report.words import plural
from hilgate.units import change

AXES = {4: ("batch", "height", "width", "channels"), 2: ("batch", "features")}  # of NHWC tensors and of vectors
FRAME = re.compile(r"(.{1,200}) \((\d{1,9})\)")  # an entry of stack_path: `main (16)`
PARTS = ("total_bytes", "stack_seen_bytes")  # of a memory's rows those that are no part of its total
WEIGHTS = "model_weights"  # the symbol of the weights blob: its bytes are told by layer
KERNELS = ".kernels"  # the section of what counts as kernels; all other code is the runtime's
METRICS = ("accuracy", "flash_bytes", "ram_bytes", "latency_us")
MOST_ENVIRONMENT = 4


def causes(cell: dict[str, Any], base: str) -> list[str]:
    """A sentence for each metric that moved, then what else is not as in `base`: environment, hashes."""
    axes = {axis["metric"]: axis for axis in cell["axes"]}
    told: set[str] = set()
    moved = [_sentence(axes[metric], cell, told) for metric in reversed(METRICS) if axes[metric]["change"]]
    found = [sentence for sentence in moved if sentence]
    environment = cell["changes"]["environment"]
    found += [
        f"{tick(row['name'])}: {tick(row['base'])} → {tick(row['head'])}" for row in environment[:MOST_ENVIRONMENT]
    ]
    if len(environment) > MOST_ENVIRONMENT:
        found.append(f"and {len(environment) - MOST_ENVIRONMENT} more entries of the environment")
    if cell["changes"]["hashes"]:
        found.append(f"changed against {base}: {', '.join(cell['changes']['hashes'])}")
    return found


def layer_facts(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    """What is different about a layer, as clauses: shapes, kernel, MACs; an empty string: nothing that is known."""
    if old is None or new is None:
        return ""
    found = [f"it is {tick(new['op'])} instead of {tick(old['op'])}"] if old["op"] != new["op"] else []
    shapes = _inputs(old["input_shapes"], new["input_shapes"])
    shapes += _shape("output", old["output_shape"], new["output_shape"])
    found += shapes
    if old["kernel"] != new["kernel"]:
        found.append(f"it runs {tick(new['kernel'])} instead of {tick(old['kernel'])}")
    if old["macs"] != new["macs"] and not shapes:
        found.append(f"its MACs went {old['macs']:,} → {new['macs']:,}")
    return _all(found)


def tick(name: object) -> str:
    """A foreign name in backticks, `none` where there is nothing."""
    return f"`{str(name)[:80].replace('`', chr(39))}`" if name is not None else "none"


def share(value: float, base: float) -> str:
    """A signed share of `base` in as few digits as tell it: `+7.1 %`, `+41 %`."""
    percent = 100 * abs(value) / abs(base)
    digits = 0 if percent >= 10 else 1 if percent >= 0.95 else 2
    shown = f"{percent:.{digits}f}" if percent >= 0.005 else "<0.01"
    return f"{'+' if value > 0 else '−'}{shown} %"


def _sentence(axis: dict[str, Any], cell: dict[str, Any], told: set[str]) -> str:
    """told: layers whose facts an earlier sentence of this cell has given."""
    moved = axis["change"]
    if axis["metric"] == "accuracy":
        why = _accuracy(cell)
        return f"accuracy {change(axis['unit'], moved)}: {why}" if why else ""
    name = {"latency_us": "latency", "flash_bytes": "flash", "ram_bytes": "RAM"}[axis["metric"]]
    if axis["metric"] == "latency_us":
        why = _latency(cell, told)
    else:
        why = _memory(cell, axis["metric"].removesuffix("_bytes"), told)
    return f"{name} {share(moved, axis['base']) if axis['base'] else change(axis['unit'], moved)}: {why}" if why else ""


def _accuracy(cell: dict[str, Any]) -> str:
    """What the score was computed from that is another thing now."""
    hashes = cell["changes"]["hashes"]
    if "dataset" in hashes:
        return "another test set"
    if "architecture" in hashes:
        return "another architecture" + (" and other weights" if "weights" in hashes else "")
    return "other weights of the same architecture" if "weights" in hashes else ""


def _latency(cell: dict[str, Any], told: set[str]) -> str:
    """The layer that moved most, its part of the whole step, and what is different about it."""
    layers = cell["changes"]["layers"]
    rows = [row for row in layers if row["base"] != row["head"]]
    if not rows or not all(any(row[side] is not None for row in layers) for side in ("base", "head")):
        return ""
    row = max(rows, key=lambda row: abs(_step(row)))
    total = sum(_step(row) for row in rows)
    name = tick(row["name"]) + (f" (was {tick(row['was'])})" if row.get("was") else "")
    text = _moved(row, name, "cycles")
    if len(rows) > 1 and total and 0 < _step(row) / total <= 1:
        text += f", {100 * _step(row) / total:.0f} % of the change in {len(rows)} layers"
    elif len(rows) > 1:
        text += f", the largest change in {len(rows)} layers"
    clauses = _told_once(_facts_of(cell, row["name"]), told)
    return f"{text}; {clauses}{_as_others(cell, row['name'], clauses)}" if clauses else text


def _memory(cell: dict[str, Any], memory: str, told: set[str]) -> str:
    """The part of flash or RAM that moved most, and the layer, symbol or chain of calls behind it."""
    rows = [row for row in cell["changes"]["sizes"] if row["memory"] == memory and row["part"] not in PARTS]
    moved = [row for row in rows if row["base"] != row["head"]]
    if not moved:
        return ""
    row = max(moved, key=lambda row: abs(_step(row)))
    text = _moved(row, row["part"].removesuffix("_bytes").replace("_", " "), "B")
    if row["part"] in ("weights_bytes", "arena_bytes"):
        detail = (_weights if row["part"] == "weights_bytes" else _arena)(cell, told)
    else:
        detail = _stack(cell) if row["part"] == "stack_worst_bytes" else _symbol(cell, memory, row["part"])
    return f"{text}; {detail}" if detail else text


def _weights(cell: dict[str, Any], told: set[str]) -> str:
    """The layer whose weights moved most."""
    found = [(_bytes(row, "weights_bytes"), row) for row in cell["changes"].get("layer_facts", [])]
    step, row = max(found, key=lambda item: abs(item[0]), default=(0, None))
    if row is None or not step:
        return ""
    clauses = _told_once(row, told)
    state = ", which is new" if row["base"] is None else ", which is gone" if row["head"] is None else ""
    return f"most in {tick(row['name'])}{state}, {_signed(step)} B" + (f": {clauses}" if clauses else "")


def _arena(cell: dict[str, Any], told: set[str]) -> str:
    """The layer that decides the arena now, when it is one that changed."""
    arena = next((row["head"] for row in cell["changes"]["sizes"] if row["part"] == "arena_bytes"), None)
    peaks = [
        row
        for row in cell["changes"].get("layer_facts", [])
        if row["head"] and arena and row["head"]["arena_bytes"] == arena
    ]
    if not peaks:
        return ""
    clauses = _told_once(peaks[0], told)
    return f"{tick(peaks[0]['name'])} needs all of it" + (f": {clauses}" if clauses else "")


def _stack(cell: dict[str, Any]) -> str:
    """Where the deepest chain of calls left the old one, or which frame grew."""
    old, new = (cell["changes"]["stack_path"][side] for side in ("base", "head"))
    if not old or not new or old == new:
        return ""
    names = [[frame[1] if (frame := FRAME.fullmatch(entry)) else entry for entry in side] for side in (old, new)]
    if names[0] != names[1]:
        other = [name for name in names[1] if name not in names[0]]
        return f"the deepest chain of calls now goes through {tick(other[0])}" if other else "another chain is deepest"
    at = next(at for at, (was, now) in enumerate(zip(old, new, strict=True)) if was != now)
    return f"the frame in the deepest chain went {tick(old[at])} → {tick(new[at])}"


def _symbol(cell: dict[str, Any], memory: str, part: str) -> str:
    """The symbol that moved most in a part of a memory; regions of RAM differ by board, flash is called so."""
    rows = [row for row in cell["changes"]["symbols"] if (row["memory"] == "flash") == (memory == "flash")]
    rows = [row for row in rows if row["name"] != WEIGHTS]
    if part in ("kernels_bytes", "runtime_bytes"):
        wanted = part == "kernels_bytes"
        rows = [row for row in rows if not row.get("section") or (row["section"] == KERNELS) == wanted]
    return f"most {_moved(rows[0], tick(rows[0]['name']), 'B')}" if rows else ""


def _as_others(cell: dict[str, Any], name: str, clauses: str) -> str:
    """How many other layers differ in the very same."""
    others = [row for row in cell["changes"].get("layer_facts", []) if row["name"] != name]
    count = sum(layer_facts(row["base"], row["head"]) == clauses for row in others)
    return f", as in {plural(count, 'other layer', 'other layers')}" if count else ""


def _told_once(row: dict[str, Any] | None, told: set[str]) -> str:
    """The facts of a layer as clauses, the first time."""
    if row is None or row["name"] in told:
        return ""
    told.add(row["name"])
    return layer_facts(row["base"], row["head"])


def _facts_of(cell: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Facts of the one layer of this name; of a name that two layers have, none."""
    named = sum(row["name"] == name for row in cell["changes"]["layers"])
    found = [row for row in cell["changes"].get("layer_facts", []) if row["name"] == name]
    return found[0] if named == len(found) == 1 else None


def _inputs(old: list[list[int]], new: list[list[int]]) -> list[str]:
    if len(old) != len(new):
        return [f"it has {len(new)} inputs instead of {len(old)}"]
    found = [clause for was, now in zip(old, new, strict=True) for clause in _shape("input", was, now)]
    return list(dict.fromkeys(found))


def _shape(what: str, old: list[int], new: list[int]) -> list[str]:
    """How a shape changed, by the names of its axes where at most two of them did."""
    if old == new:
        return []
    names = AXES.get(len(old), ()) if len(old) == len(new) else ()
    axes = [at for at, (was, now) in enumerate(zip(old, new, strict=False)) if was != now]
    if not names or len(axes) > 2:
        return [f"its {what} went {_times(old)} → {_times(new)}"]
    named = " and ".join(names[at] for at in axes)
    return [f"its {what} {named} went {_times([old[at] for at in axes])} → {_times([new[at] for at in axes])}"]


def _moved(row: dict[str, Any], name: str, unit: str) -> str:
    """`name` with its step: in percent where it was there before."""
    if row["base"] is None or row["head"] is None:
        return f"{name}, which is {'new' if row['base'] is None else 'gone'}, {_signed(_step(row))} {unit}"
    if unit == "cycles" and row["base"]:
        return f"{name} {share(_step(row), row['base'])}"
    return f"{name} {_signed(_step(row))} {unit}"


def _step(row: dict[str, Any]) -> int:
    return int(row["head"] or 0) - int(row["base"] or 0)


def _bytes(row: dict[str, Any], field: str) -> int:
    old, new = (row[side][field] if row[side] else 0 for side in ("base", "head"))
    return int(new) - int(old)


def _signed(value: int) -> str:
    return f"{value:+,}".replace("-", "−")


def _times(shape: list[int]) -> str:
    return "×".join(str(length) for length in shape)


def _all(clauses: list[str]) -> str:
    return " and ".join([", ".join(clauses[:-1]), clauses[-1]]) if len(clauses) > 1 else "".join(clauses)
