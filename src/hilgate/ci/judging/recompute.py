"""recompute: an admitted claim becomes a verdict, by main's code, policy, boards and test set. It needs no secret.

commits -> base -> each cell recounted -> judged -> verdict.json, context.json, measurements/
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hilgate.artifacts import write_json
from hilgate.ci.changes.commits import Commits, Stated, find_commits, judging, stated_by
from hilgate.ci.claims.admit import Expected, admit
from hilgate.ci.claims.claim import Claim, logged
from hilgate.ci.judging.baseline import committed_baseline, find_baseline
from hilgate.ci.judging.context import Asked, context_of
from hilgate.ci.judging.settle import Settled, Settler, measured_in
from hilgate.ci.judging.speak import spoken
from hilgate.console import say
from hilgate.errors import ClaimError
from hilgate.gate.judge import judge
from hilgate.gate.verdict import Verdict
from hilgate.params import Cell, load_params


def recompute(root: Path, source: Path | None, base: Path | None, out: Path, asked: Asked) -> Verdict:
    """Judge the claim in `source` against main's build in `base`; writes the folder `out`, which is emptied first.

    root: a checkout of main. source: a zip, or a folder with one or with a claim; None or not there: the change's own
    jobs left nothing. Raises UsageError, ParamsError.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    commits = find_commits(root, asked.base_ref, asked.head_sha, working_tree=asked.working_tree)
    stated = stated_by(commits)
    touched = commits.touched(stated.cells)
    with admitted(source, asked, root) as (folder, claim, absent):
        if asked.working_tree and base is None:
            baseline = committed_baseline(folder.with_name("committed"), commits, stated.cells)
        else:
            baseline = find_baseline(base, commits, stated.cells)
        settler = Settler(root, load_params(root), out, folder, claim, baseline, touched, absent)
        settled = {name: _settled(settler, name, cell) for name, cell in stated.cells.items()}
    verdict = spoken(_judge(out, commits, stated, asked.approved_by), settled, stated.changed)
    write_json(out / "verdict.json", "verdict", verdict.document())
    context = context_of(asked, commits.base_sha, settled, baseline)
    write_json(out / "context.json", "context", context)
    return verdict


@contextmanager
def admitted(source: Path | None, asked: Asked, root: Path) -> Iterator[tuple[Path, Claim | None, Settled]]:
    """The claim as plain files: folder, claim, and what a touched cell is that has no claim."""
    with tempfile.TemporaryDirectory(prefix="hilgate-") as scratch:
        folder = Path(scratch) / "admitted"
        found = _packed(source)
        if found is None:
            yield folder, None, Settled("missing", "the jobs of this change left no claim")
            return
        try:
            claim = admit(found, folder, Expected(asked.repository, asked.head_sha), root)
        except ClaimError as error:
            say(f"refused: {logged(str(error))}")
            yield folder, None, Settled("refused", f"the claim of this change is refused: {error}"[:600])
            return
        yield folder, claim, Settled("missing", "the claim of this change does not have this cell")


def _packed(source: Path | None) -> Path | None:
    """The claim itself: a download is a folder that holds the zip, or what was in it."""
    if source is None or not source.exists():
        return None
    archives = sorted(source.glob("*.zip")) if source.is_dir() and not (source / "claim.json").exists() else []
    if len(archives) == 1:
        return archives[0]
    return source if source.is_file() or any(source.iterdir()) else None


def _settled(settler: Settler, name: str, cell: Cell) -> Settled:
    settled = settler.settle(name, cell)
    say(f"  {name}: {settled.state}" + (f": {logged(settled.error)}" if settled.error else ""))
    return settled


def _judge(out: Path, commits: Commits, stated: Stated, approved_by: str) -> Verdict:
    """The gate's verdict on what was settled: by the base's policy, or by the head's once its requests are approved.

    An approval of a change that requests nothing is none: it would let the head's older policy judge.
    """
    base = replace(stated.base, measurements=measured_in(out / "base"))
    head = replace(stated.head, measurements=measured_in(out / "measurements"))
    judged = judging(commits, stated, approved=False)
    verdict = judge(judged.policy, base, head)
    requests = (*verdict.requests, *stated.requests)
    if approved_by and requests and head.policy is not None:
        judged = judging(commits, stated, approved=True)
        verdict = judge(judged.policy, base, head, approved_by)
    return replace(verdict, requests=requests, notes=(*verdict.notes, *judged.notes))
