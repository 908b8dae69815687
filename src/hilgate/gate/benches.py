"""The calibrations that a comparison needs, from the project's folder or from a git revision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hilgate.errors import ArtifactError
from hilgate.gate import git
from hilgate.gate.loads import USUAL_PAIRS, pairs_needed
from hilgate.gate.measured import Measurement
from hilgate.gate.policy import Budget, allowance
from hilgate.gate.spread import FOLDER, LARGEST_BYTES, TESTBED, Spread, parse_spread

MOST_PAIRS_ORDERED = 40  # 80 flashes: some ten minutes of a bench for one cell


def benches_of(measurements: Mapping[str, Measurement]) -> list[str]:
    """The benches that measured these; a name that is no file name cannot have a calibration."""
    measured = (one for one in measurements.values() if one.source == "measured")
    names = {str(one.environment.get("target", "")) for one in measured}
    return sorted(name for name in names if TESTBED.fullmatch(name))


def pairs_for(root: Path, board: str, budget: Budget) -> int:
    """How many pairs of loads a comparison on this kind of board needs, by the worst of its calibrated benches.

    USUAL_PAIRS where none is calibrated or fewer would do; never more than MOST_PAIRS_ORDERED, which take long enough.
    """
    names = [path.stem for path in sorted((root / FOLDER).glob("*.json")) if TESTBED.fullmatch(path.stem)]
    spreads = [spread.upper for spread in spreads_in(root, names).values() if spread.board == board]
    limit = (allowance(budget.worse_fail, 1.0) or 0.0) if isinstance(budget.worse_fail, str) else 0.0
    if not spreads or not limit:
        return USUAL_PAIRS
    needed = pairs_needed(max(spreads), limit) or MOST_PAIRS_ORDERED
    return min(max(needed, USUAL_PAIRS), MOST_PAIRS_ORDERED)


def spreads_in(root: Path, names: list[str]) -> dict[str, Spread]:
    """Of the project folder. Raises ArtifactError: a file that is damaged or of another bench."""
    texts = {}
    for name in names:
        path = root / FOLDER / f"{name}.json"
        if path.is_file():
            texts[name] = _text(path)
    return {name: _spread(text, name, f"{FOLDER}/{name}.json") for name, text in texts.items()}


def spreads_at(root: Path, sha: str, names: list[str]) -> dict[str, Spread]:
    """Of a commit. Raises ArtifactError."""
    found = {}
    for name in names:
        path = f"{FOLDER}/{name}.json"
        text = git.read_blob(root, sha, path, LARGEST_BYTES)
        if text is not None:
            found[name] = _spread(text, name, f"{sha[:10]}:{path}")
    return found


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST_BYTES:
        raise ArtifactError(f"more than {LARGEST_BYTES} bytes are refused", where=str(path))
    return path.read_bytes().decode("utf-8", "replace")


def _spread(text: str, testbed: str, where: str) -> Spread:
    spread = parse_spread(text, where)
    if spread.testbed != testbed:
        raise ArtifactError("the calibration of another bench", where=where, hint="its name is the testbed's")
    return spread
