"""hardware: which benches can measure a change, may they, and the verdict again once they have.

plan (hosted): heartbeats and approval -> boards for the job matrix. judge (last job): measured in place of predicted.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.artifacts import read_json, write_json
from hilgate.catalogue import board_names, load_board
from hilgate.ci.benches.heartbeat import Pulse, pulse
from hilgate.ci.benches.orders import Order, read_orders
from hilgate.ci.pulls.approval import ENVIRONMENT, Approval, hardware_approval
from hilgate.ci.pulls.event import Event
from hilgate.ci.pulls.pending import find_pull
from hilgate.errors import HilgateError
from hilgate.github.client import Client
from hilgate.github.shape import shaped

Document = dict[str, Any]
MEASURES = (  # a job that nobody takes is dropped by GitHub after a day; until then the check stays in progress
    "the bench measures it; should it have gone off after it last reported, stop this run and start it again: "
    "then it counts as offline"
)
BEGIN = "a bench begins with `hilgate ci heartbeat {board} --beat`: docs/bench.md"


@dataclass(frozen=True)
class Plan:
    """boards: whose bench is there and may be asked, or will be once somebody approves; guarded: by the environment."""

    boards: tuple[str, ...]
    approval: Approval
    guarded: bool
    rows: tuple[dict[str, str], ...]

    def as_outputs(self) -> dict[str, str]:
        return {
            "boards": json.dumps(list(self.boards)),
            "approval": self.approval.state,
            "guarded": str(self.guarded).lower(),
        }


def plan(client: Client, event: Event, folder: Path) -> Plan:
    """Ask for each board of the orders; the judged folder's context.json then says where the hardware stands."""
    boards = sorted({order.board for order in read_orders(folder)})
    pulses = [pulse(client, board) for board in boards]
    approval = _approval(client, event) if boards else Approval("none")
    online = tuple(one.board for one in pulses if one.state == "online")
    rows = tuple(_row(one, approval) for one in pulses)
    context = read_json(folder / "context.json", "context")
    stands = approval.as_context() if online else Approval("none").as_context()  # nobody is asked for nothing
    _write(folder, {**context, "hardware": list(rows), "approval": stands})
    return Plan(online, approval, bool(online) and _is_guarded(client), rows)


def online(client: Client, root: Path) -> list[Pulse]:
    """Every board of the project that can be flashed, and whether its bench is there."""
    return [pulse(client, name) for name in board_names(root) if "probe" in load_board(name, root).tables]


def _approval(client: Client, event: Event) -> Approval:
    pull = find_pull(client, event)
    if pull is None:  # a merge queue's commit: everything in it lies in this repository and was approved to be merged
        return Approval("none", sha=event.head_sha)
    return hardware_approval(client, pull, event.run_id)


def _row(one: Pulse, approval: Approval) -> dict[str, str]:
    if one.state == "absent":
        return {"board": one.board, "state": one.state, "reason": BEGIN.format(board=one.board)}
    if one.state != "online":
        return {"board": one.board, "state": one.state, "reason": one.reason}
    reason = MEASURES
    if approval.state == "needed":
        reason = f"it comes from outside: somebody with write access has to comment `/hardware {approval.sha}`"
    return {"board": one.board, "state": "waiting", "reason": reason}


def _is_guarded(client: Client) -> bool:
    """Whether the environment stops a job until a person agrees; GitHub makes unguarded ones by itself."""
    document = client.find(client.repo("environments", ENVIRONMENT))
    if document is None:
        return False
    with shaped("an environment"):
        rules = document.get("protection_rules") or []
        return any(rule["type"] == "required_reviewers" and rule.get("reviewers") for rule in rules)


def judge(root: Path, folder: Path, measured: Path, out: Path, bench: str) -> Document:
    """The judged folder with what the boards measured, judged again by the same policy. bench: how its jobs ended.

    Gives the verdict. Raises ArtifactError, ClaimError, UsageError.
    """
    from hilgate.ci.benches.rejudge import rejudge

    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder, out)
    context = read_json(out / "context.json", "context")
    orders: dict[str, list[Order]] = {}
    for order in read_orders(folder):
        orders.setdefault(order.board, []).append(order)
    rows, taken = [], 0
    for row in context["hardware"]:
        if row["state"] != "waiting":
            rows.append(row)
            continue
        found, reasons = _taken(orders.get(row["board"], []), measured / row["board"], out)
        rows.append(_became(row, found, reasons, bench))
        taken += found
    _write(out, {**context, "hardware": rows})
    return rejudge(root, out) if taken else read_json(out / "verdict.json", "verdict")


def _taken(orders: list[Order], measured: Path, out: Path) -> tuple[int, list[str]]:
    """How many cells a board measured, and why not the others."""
    from hilgate.ci.benches.rejudge import take

    taken, reasons = 0, []
    for order in orders:
        try:
            take(order, measured / order.cell, out)
            taken += 1
        except HilgateError as error:
            reasons.append(f"{order.cell}: {error.what}")
    return taken, reasons


def _became(row: dict[str, str], taken: int, reasons: list[str], bench: str) -> dict[str, str]:
    """What became of a board that was to measure. A skipped job was never allowed to: the board still waits."""
    if bench == "skipped" and not taken:
        return row
    if reasons or not taken:
        said = "; ".join(reasons) or "nothing to measure"
        return {**row, "state": "offline", "reason": f"the bench did not measure: {said}"[:1000]}
    return {**row, "state": "measured", "reason": f"{taken} cells measured"}


def _write(folder: Path, context: Document) -> None:
    write_json(folder / "context.json", "context", {k: v for k, v in context.items() if k not in ("schema", "version")})
