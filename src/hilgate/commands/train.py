"""hilgate train TASK"""

from pathlib import Path
from typing import Annotated

import typer

from hilgate.params import load_params
from hilgate.project import project_root
from hilgate.train.train import execute


def command(
    task: Annotated[str, typer.Argument(help="A task of params.yaml, such as digits.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="Use the task's `quick` parameters: minutes, not hours.")
    ] = False,
    checkpoints: Annotated[
        Path | None, typer.Option(help="Folder for the weights and the history after every epoch.")
    ] = None,
) -> None:
    """Train a task's network. Writes artifacts/train/TASK: weights, history, the float score."""
    root = project_root()
    execute(task, load_params(root), root, quick=quick, checkpoints=checkpoints)
