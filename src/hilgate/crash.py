"""A defect of ours: the traceback goes to a file, the user sees one line that says how to report it."""

from __future__ import annotations

import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from hilgate import __version__
from hilgate.project import find_root


def report(error: BaseException) -> str:
    """Save the traceback under .cache/hilgate/ of the project (else the temporary folder); one line for the screen."""
    text = "".join(traceback.format_exception(error))
    header = f"hilgate {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv!r}\n\n"
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    first = str(error).partition("\n")[0]
    what = f"hilgate: this is a defect, not your fault: {type(error).__name__}: {first}"
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(header + text, "utf-8")
        except OSError:
            continue
        return f"{what} (please report it with the file {folder / name})"
    return f"{what} (the report could not be saved: no folder is writable)"


def _folders() -> list[Path]:
    root = find_root()
    return ([root / ".cache" / "hilgate"] if root else []) + [Path(tempfile.gettempdir())]
