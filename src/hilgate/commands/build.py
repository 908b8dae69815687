"""hilgate build CELL"""

from hilgate.build.build import execute
from hilgate.params import load_params
from hilgate.project import project_root


def command(cell: str) -> None:
    """Build a cell's firmware and count its bytes."""
    root = project_root()
    execute(cell, load_params(root), root)
