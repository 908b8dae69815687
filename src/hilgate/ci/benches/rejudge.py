"""The same judgement once more, with measured numbers in place of predicted ones: same commits, same policy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hilgate.artifacts import atomic_write, read_json, write_json
from hilgate.ci.benches.orders import Order
from hilgate.ci.changes.commits import find_commits, judging, stated_by
from hilgate.ci.judging.settle import measured_in, settled_in
from hilgate.ci.judging.speak import spoken
from hilgate.errors import ArtifactError, ClaimError
from hilgate.gate.benches import benches_of, spreads_at
from hilgate.gate.judge import judge
from hilgate.gate.measured import parse_measurement
from hilgate.gate.sides import Side
from hilgate.gate.spread import Spread

PLACES = {"head": "measurements", "base": "base"}  # of a judged folder
LARGEST_BYTES = 8 * 1024 * 1024


def take(order: Order, source: Path, out: Path) -> None:
    """Check what a bench sent of one cell, and put it where the judged folder keeps numbers.

    Raises ClaimError: missing, an error of the bench, or numbers of another image; ArtifactError.
    """
    error = source / "error.txt"
    if error.is_file():
        raise ClaimError(error.read_text("utf-8", "replace").strip()[:500])
    texts = {side: _text(source / f"{side}.json") for side in order.sides}
    for side, text in texts.items():
        found = parse_measurement(text, f"{side} of the bench")
        if (found.cell, found.board, found.source) != (order.cell, order.board, "measured"):
            raise ClaimError(f"the bench sent {found.source} numbers of {found.cell} on {found.board}")
        if found.hashes["firmware"] != order.sides[side]:
            raise ClaimError(f"the bench measured another image than the {side}'s")
    for side, text in texts.items():
        atomic_write(out / PLACES[side] / order.cell / "measurement.json", text.encode())


def _text(path: Path) -> str:
    if not path.is_file():
        raise ClaimError("the bench's job ended before it had measured")
    if path.stat().st_size > LARGEST_BYTES:
        raise ClaimError(f"{path.stat().st_size} bytes are refused", where=path.name)
    return path.read_text("utf-8", "replace")


def rejudge(root: Path, folder: Path) -> dict[str, Any]:
    """Write verdict.json of the folder again, from its measurements and what its context says. Gives it."""
    context, before = read_json(folder / "context.json", "context"), read_json(folder / "verdict.json", "verdict")
    commits = find_commits(root, context["base_ref"], context["head_sha"])
    stated = stated_by(commits)
    approved_by = before["approved_by"]
    judged = judging(commits, stated, approved=bool(approved_by))
    base = replace(stated.base, measurements=measured_in(folder / "base"))
    head = replace(stated.head, measurements=measured_in(folder / "measurements"))
    benches = benches_of(head.measurements)
    asked = _calibrations(root, commits.head_sha, benches)
    spreads = asked if judged.is_own else spreads_at(root, commits.tip.sha, benches)
    policy = replace(judged.policy, spreads=spreads)
    base, head = _with_spreads(base, spreads_at(root, commits.base_sha, benches)), _with_spreads(head, asked)
    verdict = judge(policy, base, head, approved_by)
    verdict = replace(verdict, requests=(*verdict.requests, *stated.requests), notes=(*verdict.notes, *judged.notes))
    document = spoken(verdict, settled_in(context), stated.changed).document()
    write_json(folder / "verdict.json", "verdict", document)
    return read_json(folder / "verdict.json", "verdict")


def _calibrations(root: Path, sha: str, benches: list[str]) -> dict[str, Spread]:
    """The head's: a claim like all else it brings, so damaged ones are none."""
    try:
        return spreads_at(root, sha, benches)
    except ArtifactError:
        return {}


def _with_spreads(side: Side, spreads: dict[str, Spread]) -> Side:
    return replace(side, policy=replace(side.policy, spreads=spreads)) if side.policy else side
