"""The few questions that the gate asks git: which commit, which merge-base, what a file holds there.

Nothing is checked out, and no hook or filter of the repository runs.
"""

from __future__ import annotations

import re
from pathlib import Path

from hilgate.errors import ArtifactError, UsageError
from hilgate.tools import run_git

DEFAULT_BASES = ("main", "origin/main", "master", "origin/master")


def default_base(root: Path) -> str | None:
    """The name of the branch that a change is compared with, or None: no repository, or no commit in it.

    Raises UsageError: a repository that git refuses to read, which would else look like a first run.
    """
    _check_readable(root)
    return next((name for name in (*DEFAULT_BASES, "HEAD") if knows(root, name)), None)


def knows(root: Path, revision: str) -> bool:
    """Whether it names a commit here. A revision that git could take for an option never does."""
    if revision.startswith("-"):
        return False
    return _try(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}") is not None


def label(root: Path, revision: str) -> str:
    """What people call a base: a branch's own name; a bare commit by the default branch that has it, else shortened."""
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", revision):
        return revision.removeprefix("origin/")
    branches = [name for name in DEFAULT_BASES if knows(root, name)]
    holders = (name for name in branches if _try(root, "merge-base", "--is-ancestor", revision, name) is not None)
    return next(holders, revision[:10]).removeprefix("origin/")


def merge_base(root: Path, revision: str) -> str:
    """SHA of the commit where HEAD left `revision` (HEAD itself when it is an ancestor). Raises UsageError."""
    if revision.startswith("-") or any(ord(letter) < 33 for letter in revision):
        raise UsageError(f"{revision!r} is no git revision", where="--base", hint="a branch, a tag or a commit")
    if not knows(root, revision):
        _check_readable(root)
        what, hint = _unknown(root, revision)
        raise UsageError(what, where="--base", hint=hint)
    sha = _try(root, "merge-base", revision, "HEAD")
    if not sha:
        hint = "in a shallow clone: git fetch --unshallow"
        raise UsageError(f"{revision!r} and HEAD have no common commit", where="--base", hint=hint)
    return sha.decode().strip()


def _unknown(root: Path, revision: str) -> tuple[str, str]:
    """Why a name is no commit here, and what to do."""
    if re.fullmatch(r"[0-9a-f]{4,39}", revision):
        found = (_try(root, "rev-parse", f"--disambiguate={revision}") or b"").split()
        commits = [one.decode() for one in found if knows(root, one.decode())]
        if len(commits) > 1:
            return f"{revision!r} is short for {len(commits)} commits", f"such as {commits[0][:12]}: give more letters"
    what = f"git knows no revision {revision[:100]!r} here, and there is no such file"
    if (_try(root, "rev-parse", "--is-shallow-repository") or b"").strip() == b"true":
        return what, "this clone is shallow: git fetch --unshallow, or fetch-depth: 0 in CI"
    return what, "give a branch, tag, commit, measurement.json or folder; in CI fetch the base branch first"


def _check_readable(root: Path) -> None:
    """A folder below a .git that git does not read, such as somebody else's. Raises UsageError with its words."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return
    answer = run_git(root, "rev-parse", "--git-dir")
    if answer.returncode:
        words = answer.stderr.decode("utf-8", "replace").strip().splitlines() or ["git gives no reason"]
        hint = next((line.strip() for line in words if "safe.directory" in line), "look at `git status`")
        raise UsageError(f"git cannot read this repository: {words[0][:200]}", where=str(root), hint=hint)


def read_blob(root: Path, sha: str, path: str, largest_bytes: int) -> str | None:
    """The text of a file at a commit, path relative to the project folder; None: not there. Raises ArtifactError."""
    answer = _try(root, "cat-file", "--batch-check=%(objecttype) %(objectname) %(objectsize)", ask=f"{sha}:./{path}\n")
    kind, _, facts = (answer or b"").decode("utf-8", "replace").strip().partition(" ")
    if kind != "blob":
        return None
    name, size = facts.split()
    where = f"{sha[:10]}:{path}"
    if int(size) > largest_bytes:
        raise ArtifactError(f"{size} bytes, more than {largest_bytes} are refused", where=where)
    content = _try(root, "cat-file", "blob", name)
    try:
        return (content or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArtifactError("not UTF-8 text", where=where) from error


def _try(root: Path, *arguments: str, ask: str = "") -> bytes | None:
    """What git prints, or None when it refuses. ask: its standard input."""
    answer = run_git(root, *arguments, give=ask.encode())
    return answer.stdout if answer.returncode == 0 else None
