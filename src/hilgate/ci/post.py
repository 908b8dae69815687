"""post: the last job, the only one that writes what people read. It believes nothing: files are checked once more, and
where the pull request stands is asked of GitHub immediately before writing.

checked -> pull request -> held back by what has changed -> check -> comment
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.artifacts import read_json
from hilgate.ci.approval import LABEL, POLICY, budget_approval, hardware_approval
from hilgate.ci.event import Event
from hilgate.ci.pending import KINDS, put_verdict
from hilgate.ci.standing import check_sense, held_back, with_hardware
from hilgate.errors import ClaimError, GitHubError
from hilgate.gate.verdict import Outcome
from hilgate.github.access import WORKFLOW_APP
from hilgate.github.checks import Check
from hilgate.github.client import Client
from hilgate.github.comments import stick
from hilgate.github.contents import read_file
from hilgate.github.pulls import Pull, pull_request, pulls_with_head
from hilgate.github.refusal import RefusedError
from hilgate.github.stamp import Stamp

if TYPE_CHECKING:
    from hilgate.report.view import Report

Document = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """title: of the report; policy: path of params.yaml; author_may_approve: as HILGATE_SELF_APPROVAL says."""

    title: str = "hilgate"
    policy: str = POLICY
    author_may_approve: bool = False


@dataclass(frozen=True)
class Posted:
    """What was written and why something was not. outcome: as written; "" when nothing was."""

    outcome: str
    notes: tuple[str, ...]


def execute(client: Client, event: Event, folder: Path, options: Options | None = None) -> Posted:
    """Write the verdict of `folder` to its pull request. Raises ArtifactError, ClaimError, GitHubError."""
    options = options or Options()
    verdict, context = _read(folder, event)
    pull = _pull(client, event, context)
    outdated = _outdated(event, pull)
    if outdated:
        return Posted("", (outdated,))
    verdict = with_hardware(verdict, context)
    verdict, context, notes = _as_it_stands(client, verdict, context, pull, options)
    report = _assembled(verdict, _with_hints(client, context), options.title)
    body = _body(verdict, context, report)
    stamp = Stamp(event.run_id, event.attempt, event.head_sha)
    outcome = "" if _is_under_way(client, event, verdict, context, pull) else verdict["outcome"]
    notices = _annotations(client, event, report, options.policy)
    check = Check(stamp, _title(verdict), body, event.run_url, outcome, notices)
    writes: list[tuple[str, Callable[[], str]]] = [("check", lambda: put_verdict(client, check))]
    if pull is not None:
        number = pull.number
        writes.append(("comment", lambda: _comment(client, number, body, stamp)))
    return Posted(verdict["outcome"], (*notes, *_all(writes)))


def _read(folder: Path, event: Event) -> tuple[Document, Document]:
    """Both files, checked by schema and sense, and for this repository and commit."""
    verdict = read_json(folder / "verdict.json", "verdict")
    context = read_json(folder / "context.json", "context")
    check_sense(verdict, str(folder / "verdict.json"))
    where = str(folder / "context.json")
    for field, expected in (("repository", event.repository), ("head_sha", event.head_sha)):
        if str(context[field]).lower() != expected.lower():
            raise ClaimError(f"{field} is {context[field]!r}, this run is for {expected}", where=where)
    if event.kind not in KINDS:
        raise ClaimError(f"a {event.kind} has no pull request to write to", where="the event")
    return verdict, context


def _pull(client: Client, event: Event, context: Document) -> Pull | None:
    """The pull request as it is now: by the number that the verdict is for, else by its head."""
    number = context["pull_request"] or event.pull_request
    if event.kind == "merge_group":
        return None
    if number is not None:
        return pull_request(client, number)
    found = pulls_with_head(client, event.head_sha)
    return next((pull for pull in found if pull.base_ref == context["base_ref"]), found[0] if found else None)


def _outdated(event: Event, pull: Pull | None) -> str:
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


def _as_it_stands(
    client: Client, verdict: Document, context: Document, pull: Pull | None, options: Options
) -> tuple[Document, Document, list[str]]:
    """Held back where the base branch is another one now, or an approval does not stand; and what people must know."""
    if pull is None:
        return verdict, context, []
    if pull.base_ref != context["base_ref"]:
        reason = "the pull request goes to another branch now than the verdict was computed for; push, or run CI again"
        verdict = held_back(verdict, Outcome.INCONCLUSIVE, reason)
    if not verdict["requests"]:
        return verdict, context, []
    approval = budget_approval(client, pull, policy=options.policy, author_may=options.author_may_approve)
    if verdict["approved_by"] and (approval.state != "given" or approval.by != verdict["approved_by"]):
        reason = f"the approval does not stand: {'; '.join(approval.notes) or f'the label `{LABEL}` is gone'}"
        verdict = {**held_back(verdict, Outcome.WAITING, reason), "approved_by": ""}
        context = {**context, "approval": {"state": "needed", "by": "", "sha": ""}}
    return verdict, context, list(approval.notes)


def _is_under_way(client: Client, event: Event, verdict: Document, context: Document, pull: Pull | None) -> bool:
    """Whether all that it waits for is a bench at work: then nobody has to act, and the check stays in progress."""
    asked = verdict["requests"] and not verdict["approved_by"]
    if verdict["outcome"] != Outcome.WAITING or asked or context["approval"]["state"] == "needed":
        return False
    return pull is None or hardware_approval(client, pull, event.run_id).state != "needed"


def _with_hints(client: Client, context: Document) -> Document:
    """The context, with what this job alone knows to be missing."""
    if client.access.app_slug != WORKFLOW_APP:
        return context
    what = "no GitHub App: any workflow of a branch in this repository could post a check of the same name"
    hint = {"what": what, "command": "hilgate setup github"}
    return {**context, "missing": [*context["missing"], hint][:50]}


def _assembled(verdict: Document, context: Document, title: str) -> Report:
    from hilgate.report.assemble import assemble
    from hilgate.report.words import has_prediction
    from hilgate.virtual.evidence import fidelity_gaps

    return assemble(verdict, title, fidelity_gaps() if has_prediction(verdict) else (), context)


def _body(verdict: Document, context: Document, report: Report) -> str:
    from hilgate.report.markdown import body
    from hilgate.report.marker import head_lines

    return f"{head_lines(verdict, context)}\n{body(report)}"


def _title(verdict: Document) -> str:
    from hilgate.report.escape import visible
    from hilgate.report.story import headline

    return visible(headline(verdict), 200)


def _annotations(client: Client, event: Event, report: Report, policy: str) -> tuple[dict[str, Any], ...]:
    """On the lines of params.yaml as the head has it: a stranger's text, of which only line numbers are taken."""
    from hilgate.report.annotations import annotate

    try:
        content = read_file(client, policy, event.head_sha) or b""
    except GitHubError:
        content = b""  # then they stand on the first line: no reason to write no verdict
    return tuple(note.as_check_run(policy) for note in annotate(report, content.decode("utf-8", "replace")))


def _comment(client: Client, number: int, body: str, stamp: Stamp) -> str:
    """A locked conversation takes no comment; the check says the same."""
    try:
        return stick(client, number, body, stamp)
    except RefusedError as error:
        if error.status == 403 and "locked" in error.message.lower():
            return "none: the conversation is locked"
        raise


def _all(writes: list[tuple[str, Callable[[], str]]]) -> list[str]:
    """Every write is tried though another failed; then the first failure is raised."""
    told: list[str] = []
    failures: list[GitHubError] = []
    for name, write in writes:
        try:
            told.append(f"{name}: {write()}")
        except GitHubError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return told
