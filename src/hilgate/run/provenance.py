"""provenance.json: who, when, where and how well the link did. No DVC output, so that equal runs give equal outputs."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgate import __version__
from hilgate.link.counters import Counters
from hilgate.run.target import Target


def provenance(root: Path, cell: str, target: Target, counters: Counters, seconds: float) -> dict[str, Any]:
    """The content of provenance.json. commit is null outside a git repository."""
    return {
        "cell": cell,
        "target": target.url.split("?")[0],
        "commit": _git(root, "rev-parse", "HEAD"),
        "uncommitted": bool(_git(root, "status", "--porcelain", "--untracked-files=no")),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "hilgate": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "link": dict(vars(counters)),
    }


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=30, check=False)  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
