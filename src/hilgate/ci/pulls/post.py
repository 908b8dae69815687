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
from hilgate.ci.judging.standing import check_sense
from hilgate.ci.pulls import now
from hilgate.ci.pulls.event import Event
from hilgate.ci.pulls.now import Document, Options
from hilgate.ci.pulls.pending import KINDS, put_verdict
from hilgate.errors import ClaimError, GitHubError
from hilgate.github.access import WORKFLOW_APP
from hilgate.github.checks import Check
from hilgate.github.client import Client
from hilgate.github.comments import stick
from hilgate.github.contents import read_file
from hilgate.github.refusal import RefusedError
from hilgate.github.stamp import Stamp

if TYPE_CHECKING:
    from hilgate.report.view import Report


@dataclass(frozen=True)
class Posted:
    """What was written and why something was not. outcome: as written; "" when nothing was."""

    outcome: str
    notes: tuple[str, ...]


def execute(client: Client, event: Event, folder: Path, options: Options | None = None) -> Posted:
    """Write the verdict of `folder` to its pull request. Raises ArtifactError, ClaimError, GitHubError."""
    options = options or Options()
    verdict, context = _read(folder, event)
    pull = now.pull_of(client, event, context)
    outdated = now.outdated(event, pull)
    if outdated:
        return Posted("", (outdated,))
    stands = now.stands(client, event, pull, (verdict, context), options)
    report = _assembled(stands.verdict, _with_hints(client, stands.context), options.title)
    body = _body(stands.verdict, stands.context, report)
    stamp = Stamp(event.run_id, event.attempt, event.head_sha)
    outcome = "" if stands.bench_is_busy else stands.verdict["outcome"]
    notices = _annotations(client, event, report, options.policy)
    check = Check(stamp, _title(stands.verdict), body, event.run_url, outcome, notices)
    writes: list[tuple[str, Callable[[], str]]] = [("check", lambda: put_verdict(client, check))]
    if pull is not None:
        number = pull.number
        writes.append(("comment", lambda: _comment(client, number, body, stamp)))
    return Posted(stands.verdict["outcome"], tuple(_all(writes)))


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
