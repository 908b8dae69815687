"""`hilgate doctor [--json]`."""

from __future__ import annotations

from typing import Annotated

import typer


def command(json: Annotated[bool, typer.Option("--json", help="Print a JSON document instead.")] = False) -> None:
    """Show what is installed, and what to do. Versions and purposes too; exit code 8 when something is missing."""
    from json import dumps

    from hilgate import doctor

    findings = doctor.examine()
    typer.echo(dumps(doctor.as_document(findings), indent=1) if json else doctor.as_text(findings))
    raise typer.Exit(0 if doctor.healthy(findings) else 8)
