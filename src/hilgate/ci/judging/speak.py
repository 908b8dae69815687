"""A verdict with what only the trusted side knows: cells that failed, were refused or are missing, and false claims."""

from __future__ import annotations

from dataclasses import replace

from hilgate.ci.judging.settle import Settled
from hilgate.gate.verdict import CellVerdict, Check, Outcome, Verdict, quote

MOST_NOTES = 40
LONGEST_REASON = 900


def spoken(verdict: Verdict, settled: dict[str, Settled], changed: tuple[str, ...] = ()) -> Verdict:
    """The verdict with a rule in each cell that has no numbers, and a note for each number that did not hold.

    changed: paths of the change, which may explain a number.
    """
    cells = tuple(_cell(cell, settled.get(cell.cell)) for cell in verdict.cells)
    judged = {cell.cell for cell in cells}
    notes = [note for name, one in settled.items() for note in _notes(name, one, name in judged)]
    notes += _preprocess(cells, settled, changed)
    if len(notes) > MOST_NOTES:
        notes = [*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES} more claims that did not hold"]
    return replace(verdict, cells=cells, notes=(*verdict.notes, *notes))


def _preprocess(cells: tuple[CellVerdict, ...], settled: dict[str, Settled], changed: tuple[str, ...]) -> list[str]:
    """Why an accuracy may be lower than its author saw: main feeds the model, with main's `preprocess`."""
    tasks = {cell.task for cell in cells for row in _claims(settled, cell.cell) if row["what"] == "accuracy.value"}
    edited = {task for task in tasks if any(path.startswith(f"src/tasks/{task}/") for path in changed)}
    return [
        f"this PR changes {quote(f'src/tasks/{task}')}; main's own preprocess fed its model" for task in sorted(edited)
    ]


def _claims(settled: dict[str, Settled], cell: str) -> tuple[dict[str, str], ...]:
    return settled[cell].claims if cell in settled else ()


def _cell(cell: CellVerdict, settled: Settled | None) -> CellVerdict:
    if settled is None or settled.state in ("recomputed", "unchanged"):
        return cell
    line = " ".join(settled.error.split())
    line = line if len(line) <= LONGEST_REASON else f"... {line[-LONGEST_REASON:]}"
    words = {
        "failed": "it could not be built or run",
        "refused": "its image cannot be judged",
        "missing": "it is missing",
    }
    guilty = settled.by_author and settled.state != "missing"
    check = Check(settled.state, Outcome.FAIL if guilty else Outcome.INCONCLUSIVE, f"{words[settled.state]}: {line}")
    return replace(cell, checks=(check, *cell.checks))


def _notes(name: str, settled: Settled, judged: bool) -> list[str]:
    notes = [
        f"{quote(name)}: this PR claims {row['what']} {quote(row['claimed'])}, "
        f"recomputed it is {quote(row['recomputed'])}, which is judged"
        for row in settled.claims
    ]
    if not judged and settled.error:
        notes.append(
            f"{quote(name)}, which only this PR has, is {settled.state}: {' '.join(settled.error.split())[:300]}"
        )
    return notes
