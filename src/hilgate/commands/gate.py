"""`hilgate gate`: judge what was measured against budgets and base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    cells: Annotated[
        list[str] | None, typer.Argument(help="Judge these cells alone, as against one measurement.json. Default: all.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="Git revision (its merge-base with HEAD), measurement.json or folder. Default: main."),
    ] = None,
    head: Annotated[Path | None, typer.Option(help="measurement.json or folder. Default: artifacts/run.")] = None,
    approved_by: Annotated[
        str,
        typer.Option(
            help="Who approved the requested policy changes; they then judge. Whoever calls must have checked it."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print verdict.json on stdout instead of the table.")] = False,
) -> None:
    """Judge measurements by budgets and base. Writes artifacts/gate/verdict.json.

    Exit codes: 0 pass or warn, 10 fail, 11 inconclusive (something is missing or cannot be compared), 12 waiting (for
    approval of a policy change). Input that is refused has the exit code of its error: 2 usage, 3 params.yaml,
    9 a damaged measurement.
    """
    from hilgate.artifacts import artifact, read_json
    from hilgate.gate.gate import execute
    from hilgate.project import project_root
    from hilgate.report.terminal import show

    root = project_root()
    verdict = execute(root, base, head, approved_by, cells or ())
    document = read_json(artifact(root, "gate.verdict"), "verdict")
    if as_json:
        typer.echo(json.dumps(document, indent=1, sort_keys=True))
    else:
        show(document)
    raise typer.Exit(verdict.outcome.exit_code)
