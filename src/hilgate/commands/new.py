"""`hilgate new task|op|board NAME`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class What(StrEnum):
    """The folders that have a TEMPLATE."""

    task = "task"
    op = "op"
    board = "board"


def command(
    what: Annotated[What, typer.Argument(help="What to make.")],
    name: Annotated[str, typer.Argument(help="Its name in snake_case.")],
) -> None:
    """Start a task, an operator or a board. Copies its template and says what to do next."""
    from hilgate.project import project_root
    from hilgate.scaffold import KINDS, create

    root = project_root()
    steps = create(what.value, name, root)
    typer.echo(f"{KINDS[what.value].parent}/{name} is there. Next:")
    for number, step in enumerate(steps, 1):
        typer.echo(f"  {number}. {step}")
