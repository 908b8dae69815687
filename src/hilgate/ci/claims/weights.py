"""Training is never repeated in CI: are trained weights there, and are they of this very code, data and parameters?

dvc.lock says what the weights were made of. What differs, or is missing, is the author's to make and push.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from hilgate.ci.changes.revisions import Tree
from hilgate.ci.changes.stages import read_pipeline
from hilgate.errors import UsageError
from hilgate.tools import run_git

TIMEOUT_S = 300


def missing_weights(root: Path, tasks: list[str]) -> tuple[dict[str, str], ...]:
    """What the author of a change has to do before CI can build these tasks: {what, command} each, or nothing."""
    lock = read_pipeline(Tree(root)).lock
    return tuple(need for task in tasks if (need := _need(root, task, lock.get(f"train@{task}"))) is not None)


def _need(root: Path, task: str, entry: Any) -> dict[str, str] | None:
    stage = f"train@{task}"
    outs = entry.get("outs") if isinstance(entry, dict) else None
    if not outs:
        what = f"dvc.lock has no trained weights of {task}"
        return {"what": what, "command": f"dvc repro {stage} && {_publish(root, task, [])}"}
    paths = [str(out["path"]) for out in outs]
    command = f"dvc repro {stage} && {_publish(root, task, paths)}"
    damaged = [out["path"] for out in outs if (root / out["path"]).is_file() and not _is(root / out["path"], out)]
    if damaged:
        return {"what": f"{damaged[0]} is not the file that dvc.lock names", "command": command}
    reason = stale_reason(root, stage)
    if reason:
        return {"what": f"the weights of {task} are not of this code: {reason}", "command": command}
    missing = [path for path in paths if not (root / path).exists()]
    if missing:
        return {"what": f"{missing[0]} is neither in git nor on the DVC remote", "command": _publish(root, task, paths)}
    return None


def stale_reason(root: Path, stage: str) -> str:
    """Why DVC would train again: it asks for no file that is only on a remote. Empty: it would not."""
    command = [str(Path(sys.executable).with_name("dvc")), "repro", "--dry", "--allow-missing", "--single-item", stage]
    try:
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"dvc cannot be asked: {error}", where=str(root), hint="pip install dvc") from error
    if f"Running stage '{stage}'" in answer.stdout:
        return "its code, data or parameters changed after the training"
    if answer.returncode != 0:
        return f"dvc says {' '.join(answer.stderr.split())[:200]}"
    return ""


def _publish(root: Path, task: str, paths: list[str]) -> str:
    """How weights get to where CI finds them: into git, or to the remote where DVC keeps them."""
    in_git = [path for path in paths if not _ignored(root, path)]
    files = " ".join(["dvc.lock", *(in_git or ([] if paths else [f"artifacts/train/{task}"]))])
    push = "" if paths and len(in_git) == len(paths) else "dvc push && "
    return f"{push}git add {files} && git commit && git push"


def _ignored(root: Path, path: str) -> bool:
    return run_git(root, "check-ignore", "--quiet", "--", path).returncode == 0


def _is(path: Path, out: dict[str, Any]) -> bool:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == out.get("md5")
