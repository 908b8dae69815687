"""calibrate: load one image on one bench again and again; how much its loads scatter becomes benches/<chip>.json."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from hilgate.artifacts import needed, write_json
from hilgate.bench.seam import Bench, Reading, Request
from hilgate.console import say
from hilgate.errors import DeviceError, UsageError
from hilgate.gate.loads import USUAL_PAIRS, pairs_needed, visible_change
from hilgate.gate.spread import FOLDER, LEAST_LOADS, MOST_DISTURBED, calibrate
from hilgate.params import load_params
from hilgate.run.settings import settings_of

VECTORS = 4  # compared with the reference at each load, so that a load that went wrong is not taken for a slow one
USUAL_LOADS = 64
CLAIMED = 0.02  # the slow-down that docs/statistics.md speaks of


def run(root: Path, cell: str, bench: Bench, loads: int = USUAL_LOADS, tell: Callable[[str], None] = say) -> Path:
    """Measure `loads` loads of the cell's image, write the calibration and give its path.

    Raises UsageError: too few loads; ArtifactError: not built; DeviceError: other outputs, or another chip half-way.
    """
    if loads < LEAST_LOADS:
        raise UsageError(f"{loads} loads are too few", where="--loads", hint=f"at least {LEAST_LOADS}")
    request, due = _request(root, cell)
    readings: list[Reading] = []
    for number in range(1, loads + 1):
        readings.append(_checked(bench.measure(request), due, readings, cell))
        tell(f"{cell}: load {number} of {loads}: {median(readings[-1].cycles):.0f} cycles")
    found = calibrate([median(reading.cycles) for reading in readings])
    first = readings[0]
    content = {"testbed": first.uid, "board": request.board, "image": first.image, "made": _today(), **found}
    path = root / FOLDER / f"{first.uid}.json"
    write_json(path, "spread", content)
    for line in claims(found["upper"], found["disturbed"]):
        tell(line)
    return path


def claims(upper: float, disturbed: float) -> list[str]:
    """What a bench of this spread may claim, for people. disturbed: share of pairs of loads."""
    if disturbed > MOST_DISTURBED:
        said = f"{100 * disturbed:.2g} % of the pairs of loads were disturbed, so this bench may claim nothing"
        return [f"{said}: look for what disturbs it (power, other programs, a loose cable), then calibrate again"]
    visible = visible_change(upper, USUAL_PAIRS)
    lines = [
        f"one load scatters by {100 * upper:.3g} % at most (95 % confidence)",
        f"with {USUAL_PAIRS} pairs of loads it finds a slow-down of {100 * visible:.2g} % in 99 % of sessions",
    ]
    if visible > CLAIMED:
        wanted = pairs_needed(upper, CLAIMED)
        more = f"takes {wanted} pairs" if wanted else "cannot be found with any number of loads"
        lines.append(f"a slow-down of {100 * CLAIMED:g} % {more}")
    return lines


def _request(root: Path, cell: str) -> tuple[Request, tuple[bytes, ...]]:
    """The cell's own image, with a few of its test vectors and the outputs that are due."""
    import numpy as np

    params = load_params(root)
    known = params.cell(cell)
    image, vectors = needed(root, "build.elf", cell), needed(root, "compile.vectors", known.task)
    with np.load(vectors) as content:
        inputs, outputs = (content[name][:VECTORS] for name in ("input", "expected"))
    settings = settings_of(known.task, params)
    request = Request(image, known.board, tuple(one.tobytes() for one in inputs), settings.warmup, settings.runs)
    return request, tuple(one.tobytes() for one in outputs)


def _checked(reading: Reading, due: tuple[bytes, ...], before: list[Reading], cell: str) -> Reading:
    if reading.outputs != due:
        raise DeviceError("outputs differ from the reference", where=cell, hint="`hilgate run` names the layer")
    if before and reading.uid != before[0].uid:
        what = f"the loads ran on the chips {before[0].uid} and {reading.uid}"
        raise DeviceError(what, where=cell, hint="name one probe with --probe")
    return reading


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")
