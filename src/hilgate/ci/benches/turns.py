"""measure: the bench's job. Base and head take turns on one board; what was measured becomes measurement.json of each.

A load (flash, reset, measure) is the unit of the statistics, so every turn flashes again (docs/statistics.md).
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from hilgate.artifacts import atomic_write, read_json, write_json
from hilgate.bench.seam import Bench, Reading, Request
from hilgate.ci.benches.orders import Order, read_orders
from hilgate.ci.claims.claim import FIRMWARE, logged, printable
from hilgate.console import say
from hilgate.errors import DeviceError, HilgateError, UsageError
from hilgate.gate.loads import interleave

OF_A_PREDICTION = ("unicorn", "cost_model", "fidelity_gaps")


def measure(folder: Path, board: str, out: Path, bench: Bench) -> list[str]:
    """Every order of this board; gives the cells that failed. Writes out/<board>/<cell>/{head,base}.json or error.txt.

    Raises UsageError when there is nothing to measure, ClaimError, ArtifactError.
    """
    orders = [order for order in read_orders(folder) if order.board == board]
    if not orders:
        raise UsageError(f"no order for a board {board[:100]!r}", where=str(folder))
    failed = []
    for order in orders:
        target = out / board / order.cell
        try:
            for side, document in in_turns(order, bench).items():
                write_json(target / f"{side}.json", "measurement", document)
        except HilgateError as error:
            failed.append(order.cell)
            atomic_write(target / "error.txt", f"{printable(str(error), 900)}\n".encode())
            say(f"{order.cell}: {logged(str(error))}")
    return failed


def in_turns(order: Order, bench: Bench) -> dict[str, dict[str, Any]]:
    """Load by load, base and head in the order of `interleave`; one side alone: so many loads of it."""
    turns = ["head" if head else "base" for head in interleave(order.pairs)]
    if "base" not in order.sides:
        turns = ["head"] * order.pairs
    loads: dict[str, list[tuple[int, Reading]]] = {side: [] for side in order.sides}
    for position, side in enumerate(turns):
        reading = bench.measure(_request(order, side))
        loads[side].append((position, reading))
        middle = sorted(reading.cycles)[len(reading.cycles) // 2]
        say(f"{order.cell}: load {position + 1} of {len(turns)}, {side}: {middle} cycles")
    if len({reading.uid for rows in loads.values() for _, reading in rows}) != 1:
        raise DeviceError("the loads ran on different chips", where=order.cell, hint="one board of a kind per runner")
    session = secrets.token_hex(8)
    return {side: _document(order, side, rows, session) for side, rows in loads.items()}


def _request(order: Order, side: str) -> Request:
    inputs = order.pieces(side, "inputs.bin")
    return Request(order.file(side, FIRMWARE), order.board, inputs, order.warmup, order.runs)


def _document(order: Order, side: str, rows: list[tuple[int, Reading]], session: str) -> dict[str, Any]:
    """The side's predicted measurement with what the board showed in its place."""
    import numpy as np

    predicted = read_json(order.file(side, "measurement.json"), "measurement")
    last = rows[-1][1]
    cycles = [count for _, reading in rows for count in reading.cycles]
    us = [1e6 * count / last.clock_hz for count in cycles]
    names = [layer["name"] for layer in (predicted["latency"] or {"layers": []})["layers"]]
    due = order.pieces(side, "outputs.bin")
    mismatches = max(sum(got != want for got, want in zip(r.outputs, due, strict=True)) for _, r in rows)
    latency = {
        "cycles": cycles,
        "clock_hz": last.clock_hz,
        "median_us": float(np.median(us)),
        "p99_us": float(np.quantile(us, 0.99, method="higher")),
        "layers": [{"name": n, "cycles": count} for n, (count, _) in zip(names, last.layers, strict=True)],
        "loads": [{"position": position, "cycles": list(reading.cycles)} for position, reading in rows],
        "session": session,
    }
    kept = {key: value for key, value in predicted["environment"].items() if key not in OF_A_PREDICTION}
    environment = kept | {
        "target": last.uid,
        "uid": last.uid,
        "probe": last.probe,
        "clock_source": last.clock_source,
        "counter": last.counter,
        "clock_ratio": last.clock_ratio,
    }
    seen = max(reading.stack_seen_bytes for _, reading in rows)
    body = {key: value for key, value in predicted.items() if key not in ("schema", "version")}
    return body | {
        "source": "measured",
        "evidence": "measured",
        "parity": {"vectors": order.vectors, "mismatches": mismatches, "first_layer": None},
        "ram": {**predicted["ram"], "stack_seen_bytes": seen},
        "latency": latency,
        "environment": environment,
    }
