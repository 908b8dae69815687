"""hilgate quantize TASK"""

from hilgate.params import load_params
from hilgate.project import project_root
from hilgate.quantize.quantize import execute


def command(task: str) -> None:
    """Quantize a task's ONNX model to int8. Reports the error of each layer."""
    root = project_root()
    execute(task, load_params(root), root)
