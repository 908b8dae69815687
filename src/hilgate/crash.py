"""An exception that nobody expected: the traceback goes to a file, the user sees one line."""

from __future__ import annotations

import errno
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from hilgate import __version__
from hilgate.errors import HilgateError, UsageError
from hilgate.guard import place, told
from hilgate.project import find_root

THIS_COMPUTER = {  # what no program can help: what to do about it
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the limit on the size of files: ulimit -f",
    errno.EROFS: "work in a copy that can be written",
    errno.EACCES: "look at who may read and write it",
    errno.EPERM: "look at who may read and write it",
    errno.EMFILE: "raise the limit of open files: ulimit -n",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EISDIR: "a folder stands where a file is needed",
    errno.EIO: "the disk may be failing",
}


def report(error: BaseException) -> HilgateError:
    """What to tell: this computer refuses, the task's own code (src/tasks) raised it, or it is a defect of ours."""
    if isinstance(error, OSError) and error.errno in THIS_COMPUTER and not place(error):
        where = str(error.filename or "writing")
        return UsageError(error.strerror or type(error).__name__, where=where, hint=THIS_COMPUTER[error.errno])
    saved = save(error)
    if of_task := told(error, f"the whole traceback: {saved}" if saved else ""):
        return of_task
    first = str(error).partition("\n")[0]
    hint = (
        f"please report it with the file {saved}" if saved else "the report could not be saved: no folder is writable"
    )
    return HilgateError(f"this is a defect, not your fault: {type(error).__name__}: {first}", hint=hint)


def save(error: BaseException) -> Path | None:
    """Write the traceback under .cache/hilgate/ of the project, else into the temporary folder. None: neither works."""
    text = "".join(traceback.format_exception(error))
    header = f"hilgate {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv!r}\n\n"
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(header + text, "utf-8", errors="backslashreplace")
        except OSError:
            continue
        return folder / name
    return None


def _folders() -> list[Path]:
    root = find_root()
    return ([root / ".cache" / "hilgate"] if root else []) + [Path(tempfile.gettempdir())]
