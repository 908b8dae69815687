"""report: artifacts/gate/verdict.json -> what people and other programs read. It judges nothing.

read -> assemble -> render each format -> write
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hilgate.artifacts import FILES, artifact, atomic_write, read_json, write_json
from hilgate.errors import ArtifactError, UsageError
from hilgate.history.history import load
from hilgate.params import build, load_params
from hilgate.report import junit, markdown, page
from hilgate.report.annotations import Annotation, annotate
from hilgate.report.assemble import assemble
from hilgate.report.document import document
from hilgate.report.marker import head_lines
from hilgate.report.past import histories
from hilgate.report.view import Report
from hilgate.report.words import has_prediction
from hilgate.virtual.evidence import fidelity_gaps

SUMMARY = "GITHUB_STEP_SUMMARY"
UNTRUSTED = ("pull_request", "merge_group")  # events whose jobs run the pull request's own code
ADVICE = (
    "> Computed by this pull request's own jobs: advice for its author, which decides nothing. "
    "The verdict is the check `hilgate`.\n\n"
)
LARGEST_SUMMARY_BYTES = 1024 * 1024  # of all that one step writes; GitHub drops what is longer as a whole


@dataclass(frozen=True)
class ReportParams:
    """Section `report` of params.yaml."""

    title: str = "hilgate"


@dataclass(frozen=True)
class Written:
    """paths: of the files; report: what they show; policy: params.yaml, from the repository's top."""

    paths: tuple[Path, ...]
    report: Report
    annotations: tuple[Annotation, ...]
    policy: str

    def commands(self) -> list[str]:
        """The annotations as workflow commands."""
        return [note.as_command(self.policy) for note in self.annotations]


@dataclass(frozen=True)
class Places:
    """source: folder with verdict.json and perhaps context.json; out: where reports go. None: in artifacts/.

    workspace: the repository's top, where the project is a folder of a larger repository. None: the project itself.
    """

    source: Path | None = None
    out: Path | None = None
    workspace: Path | None = None


def execute(root: Path, places: Places | None = None, history: str | None = None) -> Written:
    """Write every report format. history: a ref with main's history, drawn on the page; "": where it usually is.

    Raises ArtifactError when there is no verdict, ParamsError, UsageError when there is no such history.
    """
    places = places or Places()
    params = load_params(root)
    settings = build(ReportParams, params.sections["report"], f"{params.path}: report")
    verdict, context = read(root, places.source)
    report = assemble(verdict, settings.title, fidelity_gaps() if has_prediction(verdict) else (), context)
    past = (
        ()
        if history is None
        else histories(load(root, history or None).lines.values(), [one.cell for one in report.cells])
    )
    notes = annotate(report, params.path.read_text("utf-8"))
    policy = _policy_path(params.path, places.workspace)
    texts = {
        "report.markdown": f"{head_lines(verdict, context)}\n{markdown.body(report)}",
        "report.page": page.whole(report, past),
        "report.junit": junit.render(report),
        "report.annotations": json.dumps([note.as_check_run(policy) for note in notes], indent=1) + "\n",
    }
    paths = {name: _place(root, places.out, name) for name in (*texts, "report.json")}
    for name, text in texts.items():
        atomic_write(paths[name], text.encode())
    write_json(paths["report.json"], "report", document(report))
    return Written(tuple(paths.values()), report, notes, policy)


def read(root: Path, source: Path | None) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """verdict.json, and context.json where there is one, of a folder. Raises ArtifactError."""
    path = artifact(root, "gate.verdict") if source is None else source / "verdict.json"
    if not path.is_file():
        raise ArtifactError("there is no verdict to report", where=str(path), hint="make it with `hilgate gate`")
    around = path.parent / "context.json"
    return read_json(path, "verdict"), read_json(around, "context") if around.is_file() else None


def append_summary(report: Report, environment: Mapping[str, str]) -> Path:
    """Append the report to the summary of this step of a job. Raises UsageError outside of GitHub Actions.

    In a job of the pull request itself it says that it decides nothing.
    """
    place = environment.get(SUMMARY, "")
    if not place:
        hint = "it is set in a job of GitHub Actions; elsewhere read artifacts/report/report.md"
        raise UsageError(f"{SUMMARY} is not set", where="--summary", hint=hint)
    path = Path(place)
    advice = ADVICE if environment.get("GITHUB_EVENT_NAME") in UNTRUSTED else ""
    text = advice + markdown.body(report)
    there = path.stat().st_size if path.is_file() else 0
    if there + len(text.encode()) > LARGEST_SUMMARY_BYTES:
        short = replace(report, cells=(), requests=report.requests[:20], gaps=())
        text = advice + markdown.body(short) + "\nThe rest is in report.html: this step's summary is full.\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{text}")
    return path


def _policy_path(path: Path, workspace: Path | None) -> str:
    """The path of params.yaml from the repository's top: annotations of another one are shown nowhere."""
    top, path = (workspace or path.parent).resolve(), path.resolve()
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else path.name


def _place(root: Path, out: Path | None, name: str) -> Path:
    return artifact(root, name) if out is None else out / Path(FILES[name]).name
