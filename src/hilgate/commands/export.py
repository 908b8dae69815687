"""hilgate export TASK"""

from typing import Annotated

import typer

from hilgate.export.export import execute
from hilgate.params import load_params
from hilgate.project import project_root


def command(task: Annotated[str, typer.Argument(help="A task of params.yaml, such as digits.")]) -> None:
    """Export a trained network to ONNX. Checked against torch; writes artifacts/export/TASK."""
    root = project_root()
    execute(task, load_params(root), root)
