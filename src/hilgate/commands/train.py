"""hilgate train TASK"""

from pathlib import Path

import typer

from hilgate.params import load_params
from hilgate.project import project_root
from hilgate.train.train import execute


def command(
    task: str,
    quick: bool = typer.Option(False, "--quick", help="Use the task's `quick` parameters: minutes instead of hours."),
    checkpoints: Path | None = typer.Option(None, help="Folder for the weights and the history after every epoch."),
) -> None:
    """Train a task's network."""
    root = project_root()
    execute(task, load_params(root), root, quick=quick, checkpoints=checkpoints)
