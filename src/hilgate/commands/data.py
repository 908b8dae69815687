"""hilgate data TASK"""

from typing import Annotated

import typer

from hilgate.data.data import execute
from hilgate.params import load_params
from hilgate.project import project_root


def command(task: Annotated[str, typer.Argument(help="A task of params.yaml, such as digits.")]) -> None:
    """Fetch a task's raw data and split it. Writes artifacts/data/TASK."""
    root = project_root()
    execute(task, load_params(root), root)
