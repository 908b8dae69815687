"""`hilgate report`: the verdict as files that people and other programs read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def command(
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Folder with verdict.json (and context.json). Default: artifacts/gate."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the reports. Default: artifacts/report.")] = None,
    history: Annotated[
        str | None, typer.Option(help="Ref with main's history, whose trend the page draws: hilgate-history.")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Also append the report to $GITHUB_STEP_SUMMARY, a job's summary.")
    ] = False,
    annotate: Annotated[
        bool, typer.Option("--annotate", help="Also print workflow commands that annotate lines of params.yaml.")
    ] = False,
) -> None:
    """Render the verdict for people and programs. Prints the paths of the files.

    They are report.md (the comment), report.html, junit.xml, report.json and annotations.json. The exit code says
    nothing about the verdict; `hilgate gate` does.
    """
    from hilgate.artifacts import artifact
    from hilgate.project import project_root
    from hilgate.report.report import Places, append_summary, execute

    root = project_root()
    workspace = os.environ.get("GITHUB_WORKSPACE", "")
    written = execute(root, Places(source, out, Path(workspace) if workspace else None), history)
    if summary:
        append_summary(written.report, os.environ)
    for command_line in written.commands() if annotate else ():
        typer.echo(command_line)
    verdict = artifact(root, "gate.verdict") if source is None else source / "verdict.json"
    for path in [*written.paths, verdict, *sorted(root.glob("artifacts/run/*/measurement.json"))]:
        typer.echo(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix())
