"""drift: the same image on the same board, some nights later. What moved then is the bench, not the product.

The reference is the first measurement of that image on that chip in the history; no later one replaces it, so that a
slow drift adds up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from hilgate.artifacts import read_json
from hilgate.errors import ArtifactError
from hilgate.gate.loads import LEAST_PAIRS, visible_change
from hilgate.gate.spread import FOLDER, parse_spread
from hilgate.history import branch
from hilgate.history.branch import Content
from hilgate.history.collect import commit_of, line_of
from hilgate.history.line import Line
from hilgate.params import load_params

WITHOUT_CALIBRATION = 0.005  # relative; a bench that nobody calibrated is only asked about what nobody would overlook


@dataclass(frozen=True)
class Row:
    """One cell on one chip. change: relative, None for the first night; limit: below it a change means nothing."""

    cell: str
    testbed: str
    change: float | None
    limit: float
    calibrated: bool

    @property
    def drifted(self) -> bool:
        return self.change is not None and abs(self.change) > self.limit

    def text(self) -> str:
        what = f"{self.cell} on {self.testbed}"
        if self.change is None:
            return f"{what}: first measurement of this image; later nights are compared with it"
        word = "DRIFTED" if self.drifted else "steady"
        basis = "its calibrated spread" if self.calibrated else f"no {FOLDER}/{self.testbed}.json, so a wide limit"
        limit = f"limit {100 * self.limit:.3f} %: {basis}"
        return f"{what}: {word}, {100 * self.change:+.3f} % since its first night ({limit})"


def drift(root: Path, measured: Path, ref: str | None, revision: str = "HEAD") -> tuple[list[Row], list[Line]]:
    """Compare what boards measured (<board>/<cell>/head.json) with the history `ref`; and the lines new to it.

    Raises ArtifactError: nothing was measured.
    """
    files = sorted(measured.glob("*/*/head.json"))
    if not files:
        hint = "look at the log of the bench's job"
        raise ArtifactError("no board measured anything", where=str(measured), hint=hint)
    content = branch.read(root, ref) if ref else Content({})
    commit, params = commit_of(root, revision), load_params(root)
    rows, new = [], []
    for path in files:
        line = line_of(path, commit, params)
        first = _first(content, line)
        if first is None:
            new.append(line)
        limit, calibrated = _limit(root, line.testbed, read_json(path, "measurement"))
        change = line.values["latency_us"] / first.values["latency_us"] - 1 if first else None
        rows.append(Row(line.cell, line.testbed, change, limit, calibrated))
    return rows, new


def _first(content: Content, line: Line) -> Line | None:
    same = [
        one
        for one in content.lines.values()
        if (one.cell, one.testbed, one.image, one.source) == (line.cell, line.testbed, line.image, "measured")
        and one.values.get("latency_us")
    ]
    return min(same, key=lambda one: one.date, default=None)


def _limit(root: Path, testbed: str, document: dict[str, dict[str, list[object]]]) -> tuple[float, bool]:
    path = root / FOLDER / f"{testbed}.json"
    if not path.is_file():
        return WITHOUT_CALIBRATION, False
    spread = parse_spread(path.read_text("utf-8"), str(path))
    loads = max(LEAST_PAIRS, len(document["latency"].get("loads", ())))
    return max(visible_change(spread.upper, loads), 2 * spread.upper / math.sqrt(loads)), True
