"""Files of an earlier compilation into the same folder: removed when the new one does not write them, others left
alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hilgate.artifacts import read_json
from hilgate.errors import ArtifactError


def remove_stale(folder: Path, written: Iterable[str]) -> None:
    """Delete what the folder's old model.json lists and `written` does not. A folder without one loses nothing."""
    try:
        listed = read_json(folder / "model.json", "model")["files"]
    except ArtifactError:
        return
    for name in set(listed) - set(written):
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
