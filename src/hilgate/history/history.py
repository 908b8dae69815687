"""history: what the default branch cost, commit by commit. Reads and writes the branch `hilgate-history`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import UsageError
from hilgate.history import branch, collect, git
from hilgate.history.branch import Content
from hilgate.params import load_params


@dataclass(frozen=True)
class Appended:
    """What an append did. lines: found in the measurements; added: of them, new or changed on the branch."""

    lines: int
    added: int
    commit: str


def load(root: Path, ref: str | None = None) -> Content:
    """The history as this clone has it. Raises UsageError: there is none."""
    where = ref or branch.newest_ref(root)
    if where is None or git.tip(root, where) is None:
        hint = "fetch it: `git fetch origin hilgate-history`; begin it, on the default branch: `hilgate history append`"
        raise UsageError(f"no branch {where or branch.BRANCH} in this clone", where=str(root), hint=hint)
    return branch.read(root, where)


def append(root: Path, folder: Path | None = None, revision: str = "HEAD", remote: str | None = None) -> Appended:
    """Add the measurements below `folder` (default: artifacts/run) as those of one commit; with `remote`, push them.

    Raises UsageError, ParamsError, ArtifactError.
    """
    commit = collect.commit_of(root, revision)
    if folder is None:
        collect.check_clean(root, commit)
    lines = collect.collect(folder or root / "artifacts" / "run", commit, load_params(root))
    added = branch.push(root, lines, remote) if remote else branch.append(root, lines)
    return Appended(len(lines), added, commit.sha)
