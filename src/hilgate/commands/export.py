"""hilgate export TASK"""

from hilgate.export.export import execute
from hilgate.params import load_params
from hilgate.project import project_root


def command(task: str) -> None:
    """Export a trained network to ONNX. Checked against torch."""
    root = project_root()
    execute(task, load_params(root), root)
