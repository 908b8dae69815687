"""How a verdict stands now: what has happened on GitHub since it was computed can hold it back, never improve it."""

from __future__ import annotations

import copy
import math
from typing import Any

from hilgate.errors import ClaimError
from hilgate.gate.verdict import Outcome, worst

HARDWARE = {"offline": Outcome.INCONCLUSIVE, "refused": Outcome.INCONCLUSIVE, "waiting": Outcome.WAITING}


def check_sense(verdict: dict[str, Any], where: str) -> None:
    """Whatever the schema cannot say. Raises ClaimError.

    The whole is no better than its worst part, no rule that failed is hidden in a cell that passed, changes of the
    policy do not pass without an approval, and every number is one.
    """
    outcomes = [Outcome(cell["outcome"]) for cell in verdict["cells"]]
    least = worst(outcomes)
    if verdict["requests"] and not verdict["approved_by"]:
        least = worst([least, Outcome.WAITING])
    if Outcome(verdict["outcome"]).severity < least.severity:
        raise ClaimError(f"the verdict says {verdict['outcome']}, but its parts say {least}", where=where)
    if verdict["exit_code"] != Outcome(verdict["outcome"]).exit_code:
        raise ClaimError("exit code and outcome do not belong together", where=where)
    for cell in verdict["cells"]:
        checks = [*cell["checks"], *(check for axis in cell["axes"] for check in axis["checks"])]
        counted = [Outcome(check["outcome"]) for check in checks if check["enforced"]]
        if worst([Outcome.PASS, *counted]).severity > Outcome(cell["outcome"]).severity:
            raise ClaimError("a cell's outcome is better than its rules'", where=f"{where}: {cell['cell'][:100]}")
    _check_numbers(verdict, where)


def held_back(verdict: dict[str, Any], outcome: Outcome, reason: str, board: str = "") -> dict[str, Any]:
    """The verdict with a further rule in its cells (of one board, or all) whose outcome is this one."""
    held = copy.deepcopy(verdict)
    check = {"rule": "standing", "outcome": outcome.value, "reason": reason[:300], "enforced": True}
    for cell in held["cells"]:
        if board in ("", cell["board"]):
            cell["checks"].insert(0, check)
            cell["outcome"] = worst([Outcome(cell["outcome"]), outcome]).value
    whole = worst([Outcome(held["outcome"]), *(Outcome(cell["outcome"]) for cell in held["cells"])])
    return {**held, "outcome": whole.value, "exit_code": whole.exit_code}


def with_hardware(verdict: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """Held back for each board that should have measured and has not. A board without a bench holds nothing back."""
    for bench in context["hardware"]:
        if bench["state"] in HARDWARE:
            reason = bench["reason"] or f"the bench of {bench['board']} is {bench['state']}"
            verdict = held_back(verdict, HARDWARE[bench["state"]], reason, bench["board"])
    return verdict


def _check_numbers(node: Any, where: str) -> None:
    if isinstance(node, float) and not math.isfinite(node):
        raise ClaimError("a number is infinite", where=where)
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _check_numbers(item, where)
