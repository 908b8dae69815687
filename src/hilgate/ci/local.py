"""The local twin: on this computer, step by step, what CI would do with the working tree.

build what changed -> pack -> admit -> recompute -> report. The base is what the merge-base has in git, or its build.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from hilgate.ci.changes import revisions
from hilgate.ci.claims.cells import build_cells
from hilgate.ci.claims.pack import PackOptions, pack
from hilgate.ci.judging.context import Asked
from hilgate.ci.judging.recompute import recompute
from hilgate.errors import UsageError
from hilgate.gate import git
from hilgate.gate.verdict import Verdict
from hilgate.report.report import Places
from hilgate.report.report import execute as report


@dataclass(frozen=True)
class LocalOptions:
    """base: a branch, default main; build: a folder packed by main's own build, or None; make: let DVC build first."""

    base: str | None = None
    build: Path | None = None
    make: bool = True
    approved_by: str = ""


def run_locally(root: Path, out: Path, options: LocalOptions) -> Verdict:
    """Do all of it below `out`, which is emptied first. Raises UsageError, ParamsError, and what the rooms raise."""
    base = options.base or git.default_base(root)
    if base is None or base == "HEAD":
        raise UsageError("there is no branch to compare with", where=str(root), hint="hilgate ci --base <branch>")
    shutil.rmtree(out, ignore_errors=True)
    errors = None
    if options.make:
        build_cells(root, out / "cells", base)
        errors = out / "cells" / "errors"
    pack(root, out / "claim", PackOptions(base=base, errors=errors))
    asked = Asked(
        head_sha=revisions.sha_of(root, "HEAD"),
        base_ref=base,
        approved_by=options.approved_by,
        working_tree=True,
    )
    verdict = recompute(root, out / "claim", options.build, out / "judged", asked)
    report(root, Places(source=out / "judged", out=out / "report"))
    return verdict
