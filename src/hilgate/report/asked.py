"""What a change asks of its own judging, in the order in which a reader needs it.

Another compiler first, because it is rarely meant; new cells as one line each; then whatever else decides verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilgate.report.view import NewCell, Request
from hilgate.report.words import plural
from hilgate.units import NAMES

APPROVAL_LABEL = "hilgate-approve-budgets"  # as ci/approval.py reads it
WHO = (
    ": a code owner of `params.yaml` by an approving review of this commit, "
    f"or somebody with write access by the label `{APPROVAL_LABEL}`"
)


def heading(verdict: dict[str, Any], base: str, head: str) -> str:
    """What is asked for, as a clause; empty where nothing is."""
    kinds = {row["kind"] for row in verdict["requests"]}
    if kinds == {"compiler"}:
        return f"{head} was built with another compiler than {base}"
    return f"{head} asks to change what judges it" if kinds else ""


def approval(verdict: dict[str, Any], base: str, approved_by: str, *, of_pull_request: bool) -> str:
    """Who has to agree, or who did; of another compiler first what is compared all the same and what else helps."""
    if approved_by:
        return f"Approved by {approved_by}; the new policy judged."
    who = WHO if of_pull_request else ""
    kinds = {row["kind"] for row in verdict["requests"]}
    sentences = []
    if "compiler" in kinds:
        what = "Sizes and cycles" if len(kinds) == 1 else f"{base} was built with another compiler: sizes and cycles"
        sentences = [
            f"{what} are not compared with {base}; accuracy, outputs and absolute budgets are judged all the same.",
            f"To compare everything, use {base}'s compiler (the container has the pinned one: "
            f"`scripts/in_container dvc repro`) or measure {base} with this one (`dvc repro` there).",
        ]
    if kinds == {"compiler"}:
        sentences.append(f"Where the new compiler is meant, somebody else must approve it{who}.")
    else:
        why = "Somebody else must approve this, because merging it changes later verdicts"
        sentences.append(f"Judged by the old policy. {why}{who}.")
    return " ".join(sentences)


def new_cells(verdict: dict[str, Any]) -> tuple[NewCell, ...]:
    """The cells that the head adds, each with its budgets, and with the parameters of its task or board that are new.

    Parameters of a task or board that an older cell has too are changes like any other.
    """
    added = [row for row in verdict["requests"] if _adds(row)]
    names = {row["cell"] for row in added}
    older = [cell for cell in verdict["cells"] if cell["cell"] not in names]
    taken = {cell[key] for cell in older for key in ("task", "board")}
    left = [row for row in verdict["params"] if row["base"] == "not set"]
    found = []
    for row in added:
        task, _, board = row["head"].partition(" on ")
        own = {task, board, row["cell"]} - taken
        params = [one for one in left if own & set(one["name"].split(".")[1:2])]
        left = [one for one in left if one not in params]
        budgets = [one for one in verdict["requests"] if one["kind"] == "budget" and one["cell"] == row["cell"]]
        entries = [Request(row["cell"], one["what"], one["base"], one["head"], "adds") for one in budgets]
        entries += [Request(row["cell"], one["name"], one["base"], one["head"], "adds") for one in params]
        found.append(NewCell(row["cell"], f"{row['head']}, {_size(budgets, len(params))}", tuple(entries)))
    return tuple(found)


def other_requests(verdict: dict[str, Any]) -> tuple[Request, ...]:
    """All that is asked besides new cells and their budgets."""
    names = {row["cell"] for row in verdict["requests"] if _adds(row)}
    return tuple(
        Request(row["cell"], row["what"], row["base"], row["head"], row["effect"])
        for row in verdict["requests"]
        if not (row["cell"] in names and row["kind"] in ("cell", "budget"))
    )


def counted(verdict: dict[str, Any]) -> str:
    """How much is asked: `1 new cell and 2 changes of what judges it`."""
    cells, others = len(new_cells(verdict)), len(other_requests(verdict))
    parts = [plural(cells, "new cell", "new cells")] if cells else []
    if others or not cells:
        parts.append(plural(others, "change of what judges it", "changes of what judges it"))
    return " and ".join(parts)


def _adds(row: dict[str, str]) -> bool:
    return (row["kind"], row["effect"]) == ("cell", "adds")


def _size(budgets: Sequence[dict[str, str]], params: int) -> str:
    """`4 budgets, 12 parameters`; a metric that is not to be judged is named."""
    metrics = {one["what"].partition(".")[0] for one in budgets}
    skipped = {one["what"].partition(".")[0] for one in budgets if one["what"].endswith(".skip")}
    kept = len(metrics - skipped)
    parts = [plural(kept, "budget", "budgets") if kept else "no budgets"]
    parts += [f"{NAMES.get(metric, metric)} not judged" for metric in sorted(skipped)]
    return ", ".join(parts + ([plural(params, "parameter", "parameters")] if params else []))
