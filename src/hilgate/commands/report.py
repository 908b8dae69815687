"""`hilgate report`: the verdict as files that people read."""

from __future__ import annotations

import typer


def command() -> None:
    """Render the verdict as Markdown and HTML. Prints the paths of the files."""
    from hilgate.artifacts import artifact
    from hilgate.project import project_root
    from hilgate.report.report import execute

    root = project_root()
    for path in [
        *execute(root),
        artifact(root, "gate.verdict"),
        *sorted(root.glob("artifacts/run/*/measurement.json")),
    ]:
        typer.echo(path.relative_to(root).as_posix())
