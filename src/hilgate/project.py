"""Where the user's project is: the folder that holds params.yaml."""

from __future__ import annotations

import os
from pathlib import Path

from hilgate.errors import UsageError


def project_root(start: Path | None = None) -> Path:
    """The nearest folder at or above `start` (default: the current one) with a params.yaml. Raises UsageError."""
    root = find_root(start)
    if root is None:
        raise UsageError(
            "no params.yaml here or in any folder above",
            where=str(start or os.environ.get("PWD", ".")),
            hint="change to a project made from the hilgate template",
        )
    return root


def find_root(start: Path | None = None) -> Path | None:
    """The same, but None when there is no project."""
    try:
        here = (start or Path.cwd()).resolve()
    except FileNotFoundError:  # somebody removed the folder in which we run
        return None
    for folder in (here, *here.parents):
        if (folder / "params.yaml").is_file():
            return folder
    return None
