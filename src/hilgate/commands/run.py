"""`hilgate run CELL`."""

from __future__ import annotations

from typing import Annotated

import typer

from hilgate.params import load_params
from hilgate.project import project_root


def command(
    cell: Annotated[str, typer.Argument(help="A cell of params.yaml, such as digits_nucleo_f446re.")],
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            help="A port or URL: /dev/ttyACM0, socket://host:port, qemu://netduinoplus2, virtual://BOARD?image=ELF.",
        ),
    ] = None,
) -> None:
    """Measure a cell on its virtual board. Or on what --on leads to: accuracy, parity, flash, RAM, latency."""
    from hilgate.run.run import execute

    root = project_root()
    path = execute(cell, load_params(root), root, on=on)
    typer.echo(path.relative_to(root))
