"""hilgate train TASK"""

from hilgate.params import load_params
from hilgate.project import project_root
from hilgate.train.train import execute


def command(task: str) -> None:
    """Train a task's network."""
    root = project_root()
    execute(task, load_params(root), root)
