"""hilgate data TASK"""

from hilgate.data.data import execute
from hilgate.params import load_params
from hilgate.project import project_root


def command(task: str) -> None:
    """Fetch a task's raw data and split it."""
    root = project_root()
    execute(task, load_params(root), root)
