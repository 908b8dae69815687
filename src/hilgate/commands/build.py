"""hilgate build CELL"""

from typing import Annotated

import typer

from hilgate.build.build import execute
from hilgate.params import load_params
from hilgate.project import project_root


def command(cell: Annotated[str, typer.Argument(help="A cell of params.yaml, such as digits_nucleo_f446re.")]) -> None:
    """Build a cell's firmware and count its bytes. Writes artifacts/build/CELL."""
    root = project_root()
    execute(cell, load_params(root), root)
