"""docs/benchmarks.md from the measured rows, the grid of kernels and the peers' figures."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from hilgate.compile.ruler.grid import WINOGRAD_SUFFIX, Point
from hilgate.compile.ruler.record import Row

HERE = Path(__file__).parent
MODELS = {"ic": "IC (ResNet-8, CIFAR-10)", "vww": "VWW (MobileNet v1 x 0.25)", "ad": "AD (autoencoder)"}
ROUNDINGS = ("double_relu", "double", "single")
INTERPRETER = "TFLM + CMSIS-NN"
Rows = dict[tuple[str, bool], Row]


@dataclass(frozen=True)
class Peer:
    """One engine's figures for one model on the ruler. cycles_low, cycles_high: the range, equal when measured."""

    engine: str
    model: str
    cycles_low: int
    cycles: int
    cycles_high: int
    flash_bytes: int | None
    arena_bytes: int | None
    how: str


def text(rows: list[Row], points: list[Point]) -> str:
    """The whole page."""
    by_key = {(row.model, row.updatable): row for row in rows if row.optimize == "speed"}
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.get_template("page.md.j2").render(
        goals=_goals(by_key),
        by_weights=_against_peers(by_key, updatable=False),
        updatable=_against_peers(by_key, updatable=True),
        memory=_memory(rows),
        counted=_counted(row for model in MODELS for row in rows if row.model == model),
        own=_counted(row for row in rows if row.model not in MODELS),
        kernels=_kernels(points),
        sources=_table("engine | model | on the ruler", [[p.engine, p.model, p.how] for p in _peers()]),
    )


def verdict(peer: Peer, cycles: int) -> str:
    """Below, inside or above the peer's range; of what was measured on the ruler itself the ratio says it all."""
    ratio = f"{cycles / peer.cycles:.2f} x"
    if peer.cycles_low == peer.cycles_high:
        return ratio
    if peer.cycles_low <= cycles <= peer.cycles_high:
        return f"{ratio}, inside the range: not beaten"
    return f"{ratio}, {'below' if cycles < peer.cycles_low else 'above'} the range"


def _table(heading: str, lines: Iterable[Iterable[Any]]) -> str:
    rule = "---".join("|" * (heading.count("|") + 2))
    return "\n".join([f"| {heading} |", rule, *(f"| {' | '.join(map(str, line))} |" for line in lines)])


def _lines(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _peers() -> list[Peer]:
    words = ("engine", "model", "how")
    return [
        Peer(**{name: value if name in words else int(value) if value else None for name, value in line.items()})
        for line in _lines("on_the_ruler.csv")
    ]


def _goals(by_key: Rows) -> str:
    """Ours both ways beside what this project set out to reach."""
    heading = f"| {INTERPRETER} | best closed engine | to reach | good | outstanding | hilgate | hilgate, updatable"
    return _table(heading, [_goal(line["model"], line["measure"], line, by_key) for line in _lines("goals.csv")])


def _goal(model: str, measure: str, goals: dict[str, str], by_key: Rows) -> list[str]:
    of_model = [peer for peer in _peers() if peer.model == model]
    interpreter = next(peer for peer in of_model if peer.engine == INTERPRETER)
    best = min((peer for peer in of_model if peer.engine != INTERPRETER), key=lambda peer: peer.cycles)
    return [
        f"{model.upper()} {measure.replace('_bytes', ' bytes')}",
        _number(getattr(interpreter, measure)),
        f"{best.cycles_low:,} to {best.cycles_high:,}" if measure == "cycles" else "",
        *(_number(int(goals[name]) if goals[name] else None) for name in ("to_reach", "good", "outstanding")),
        *(f"**{getattr(by_key[model, u], measure):,}**" if (model, u) in by_key else "" for u in (False, True)),
    ]


def _against_peers(by_key: Rows, *, updatable: bool) -> str:
    lines: list[list[str]] = []
    for model, title in MODELS.items():
        ours = by_key.get((model, updatable))
        if ours is not None:
            per_mac, flash, arena = f"{ours.cycles_per_mac:.2f}", _number(ours.flash_bytes), _number(ours.arena_bytes)
            lines.append([title, "**hilgate**", f"**{ours.cycles:,}**", per_mac, flash, arena, ""])
            lines += [_peer_line(peer, ours) for peer in _peers() if peer.model == model]
    return _table("model | engine | cycles | per MAC | flash B | arena B | hilgate's cycles against it", lines)


def _peer_line(peer: Peer, ours: Row) -> list[str]:
    sizes = _number(peer.flash_bytes), _number(peer.arena_bytes)
    return ["", peer.engine, _range(peer), f"{peer.cycles / ours.macs:.2f}", *sizes, verdict(peer, ours.cycles)]


def _memory(rows: list[Row]) -> str:
    """The arena where memory counts, and what it costs against speed."""
    chosen = {(row.model, row.optimize): row for row in rows if not row.updatable}
    arena = {peer.model: peer.arena_bytes for peer in _peers() if peer.engine == INTERPRETER}
    lines = []
    for model in [*MODELS, *sorted({row.model for row in rows} - set(MODELS))]:
        fast, small = chosen.get((model, "speed")), chosen.get((model, "ram"))
        if fast and small and fast.arena_bytes != small.arena_bytes:
            costs = f"{small.cycles / fast.cycles:.2f} x", f"{small.flash_bytes - fast.flash_bytes:+,}"
            arenas = arena.get(model), fast.arena_bytes
            lines.append([model, *map(_number, arenas), f"**{small.arena_bytes:,}**", *costs])
    return _table(f"model | {INTERPRETER} | `speed` | `ram` | cycles of `ram` against `speed` | flash B", lines)


def _range(peer: Peer) -> str:
    whole = _millions(peer.cycles)
    spread = f" ({_millions(peer.cycles_low)} to {_millions(peer.cycles_high)})"
    return whole if peer.cycles_low == peer.cycles_high else whole + spread


def _millions(cycles: int) -> str:
    return f"{cycles / 1e6:.{1 if cycles >= 2_000_000 else 3}f} M"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _counted(rows: Iterable[Row]) -> str:
    heading = "model | optimize | updatable | MACs run | instructions | cycles | per MAC run | flash B | arena B"
    return _table(f"{heading} | RAM + stack B", map(_counted_line, rows))


def _counted_line(row: Row) -> list[str]:
    numbers = (row.run_macs, row.instructions, row.cycles)
    sizes = (row.flash_bytes, row.arena_bytes, row.ram_bytes + row.stack_bytes)
    per_mac = f"{row.cycles / max(1, row.run_macs):.2f}"
    return [row.model, row.optimize, str(row.updatable).lower(), *map(_number, numbers), per_mac, *map(_number, sizes)]


def _kernels(points: list[Point]) -> str:
    """One row per shape, one column per rounding."""
    shapes: dict[str, dict[str, Point]] = {}
    for point in points:
        name = point.name.removesuffix(WINOGRAD_SUFFIX)
        rounding = next(r for r in ROUNDINGS if name.endswith(f"_{r}"))
        way = WINOGRAD_SUFFIX if name != point.name else ""
        shapes.setdefault(name.removesuffix(f"_{rounding}") + way, {})[rounding] = point
    lines = []
    for shape, found in shapes.items():
        first = next(iter(found.values()))
        cells = [f"{found[r].cycles_per_mac:.2f}" if r in found else "" for r in ROUNDINGS]
        lines.append(
            [shape.removesuffix(WINOGRAD_SUFFIX).replace("_", " "), f"`{first.kernel}`", f"{first.macs:,}", *cells]
        )
    return _table("shape | kernel | MACs | TFLite, ReLU | TFLite | ONNX", lines)
