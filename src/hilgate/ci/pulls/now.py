"""Where a pull request stands now: what happened since a verdict was computed, asked of GitHub just before writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgate.ci.judging.standing import held_back, with_hardware
from hilgate.ci.pulls.approval import LABEL, POLICY, QUEUE, Approval, budget_approval, hardware_approval
from hilgate.ci.pulls.event import Event
from hilgate.gate.verdict import Outcome
from hilgate.github.client import Client
from hilgate.github.pulls import Pull, pull_request, pulls_with_head

Document = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """title: of the report; policy: path of params.yaml; author_may_approve: as HILGATE_SELF_APPROVAL says."""

    title: str = "hilgate"
    policy: str = POLICY
    author_may_approve: bool = False


@dataclass(frozen=True)
class Stands:
    """Verdict and context as they stand now. bench_is_busy: all that it waits for is a bench at work."""

    verdict: Document
    context: Document
    bench_is_busy: bool


def pull_of(client: Client, event: Event, context: Document) -> Pull | None:
    """The pull request: by the number that the verdict is for, else by its head. None: a merge queue's, or gone."""
    number = context["pull_request"] or event.pull_request
    if event.kind == "merge_group":
        return None
    if number is not None:
        return pull_request(client, number)
    found = pulls_with_head(client, event.head_sha)
    return next((pull for pull in found if pull.base_ref == context["base_ref"]), found[0] if found else None)


def outdated(event: Event, pull: Pull | None) -> str:
    """Why nothing is written, "" when all is well."""
    if event.kind == "merge_group":
        return ""
    if pull is None:
        return f"no pull request has the head {event.head_sha[:10]}: nothing written"
    if pull.merged or not pull.is_open:
        return f"pull request {pull.number} is {'merged' if pull.merged else 'closed'}: nothing written"
    if pull.head_sha != event.head_sha:
        moved = f"from {event.head_sha[:10]} to {pull.head_sha[:10]}"
        return f"the head of pull request {pull.number} moved {moved}: that commit's own run writes"
    return ""


def stands(
    client: Client, event: Event, pull: Pull | None, documents: tuple[Document, Document], options: Options
) -> Stands:
    """Held back by benches that did not measure, by another base branch, and by approvals that do not stand.

    documents: verdict and context. What people tried and does not count is told in the verdict's notes.
    """
    verdict, context = documents
    verdict = with_hardware(verdict, context)
    if pull is None:
        asked = verdict["requests"] and verdict["approved_by"] != QUEUE
        return Stands(verdict, context, verdict["outcome"] == Outcome.WAITING and not asked)
    if pull.base_ref != context["base_ref"]:
        reason = "the pull request goes to another branch now than the verdict was computed for; push, or run CI again"
        verdict = held_back(verdict, Outcome.INCONCLUSIVE, reason)
    notes: tuple[str, ...] = ()
    somebody_must_act = context["approval"]["state"] == "needed"
    if verdict["requests"]:
        budgets = budget_approval(client, pull, policy=options.policy, author_may=options.author_may_approve)
        verdict, unapproved = _as_approved(verdict, budgets)
        somebody_must_act = somebody_must_act or unapproved
        notes = () if budgets.state == "given" else budgets.notes
    if any(bench["state"] == "waiting" for bench in context["hardware"]):
        hardware = hardware_approval(client, pull, event.run_id)
        notes = (*notes, *hardware.notes)
        somebody_must_act = somebody_must_act or hardware.state == "needed"
    verdict = {**verdict, "notes": [*notes, *verdict["notes"]][:1000]}
    return Stands(verdict, context, verdict["outcome"] == Outcome.WAITING and not somebody_must_act)


def _as_approved(verdict: Document, approval: Approval) -> tuple[Document, bool]:
    """As it is where its approval still stands, or none was claimed; and whether somebody has yet to approve."""
    if not verdict["approved_by"]:
        return verdict, True
    if approval.state == "given" and approval.by == verdict["approved_by"]:
        return verdict, False
    why = "" if approval.notes else f": the label `{LABEL}` is gone"
    reason = f"the approval by {verdict['approved_by'][:100]} does not stand{why}"
    return {**held_back(verdict, Outcome.WAITING, reason), "approved_by": ""}, True
