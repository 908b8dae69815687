"""hilgate quantize TASK"""

from typing import Annotated

import typer

from hilgate.params import load_params
from hilgate.project import project_root
from hilgate.quantize.quantize import execute


def command(task: Annotated[str, typer.Argument(help="A task of params.yaml, such as digits.")]) -> None:
    """Quantize a task's ONNX model to int8. Writes artifacts/quantize/TASK, with the error of each layer."""
    root = project_root()
    execute(task, load_params(root), root)
