"""What the workflows' jobs do, and the same on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def ci() -> None:
    """What the workflows' jobs do, and the same on this computer."""


@app.command()
def pending() -> None:
    """Start the check on the head of the event, and find its pull request."""
    import os

    from hilgate.ci.writing import run_pending

    typer.echo("\n".join(run_pending(os.environ)))


@app.command()
def post(
    folder: Annotated[Path, typer.Argument(help="Holds verdict.json and context.json.")],
    title: Annotated[str, typer.Option(help="How the report is called.")] = "hilgate",
) -> None:
    """Check a verdict once more and write it: one check, one comment."""
    import os

    from hilgate.ci.writing import run_post

    typer.echo("\n".join(run_post(os.environ, folder, title)))


@app.command()
def approve(kind: Annotated[str, typer.Argument(help="hardware or budgets.")]) -> None:
    """Look up who has approved the head of the event."""
    import os

    from hilgate.ci.writing import run_approve

    typer.echo("\n".join(run_approve(os.environ, kind)))


@app.command()
def heartbeat(
    boards: Annotated[list[str], typer.Argument(help="Boards, such as nucleo_f446re.")],
    beat: Annotated[bool, typer.Option("--beat", help="Report these boards as there: what a bench does.")] = False,
) -> None:
    """Say whether the bench of each board is there."""
    import os

    from hilgate.ci.writing import run_heartbeat

    typer.echo("\n".join(run_heartbeat(os.environ, boards, beat)))
