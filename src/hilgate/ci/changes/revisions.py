"""What git says about two commits: where they part, which paths differ, what a file holds. Nothing is checked out.

A commit's content comes from here and never from a claim: what a pull request changes is what git says that it changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import ClaimError, UsageError
from hilgate.tools import run_git

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
LARGEST_FILE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Tree:
    """A commit of the repository around `root`; sha empty: the working tree with what git would take from it."""

    root: Path
    sha: str = ""

    def text(self, path: str) -> str | None:
        """A file, path relative to the project folder; None: not there. Raises ClaimError: large, or not UTF-8."""
        content = self._content(path)
        if content is None:
            return None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ClaimError("not UTF-8 text", where=f"{self.sha[:10]}:{path}") from error

    def _content(self, path: str) -> bytes | None:
        if not self.sha:
            file = self.root / path
            return file.read_bytes() if file.is_file() else None
        size = _git(self.root, "cat-file", "-s", f"{self.sha}:./{path}")
        if size is None:
            return None
        if int(size) > LARGEST_FILE_BYTES:
            raise ClaimError(f"{int(size)} bytes are refused", where=f"{self.sha[:10]}:{path}")
        return _git(self.root, "cat-file", "blob", f"{self.sha}:./{path}")


def sha_of(root: Path, revision: str) -> str:
    """The commit that a revision names. Raises UsageError."""
    found = None
    if revision and not revision.startswith("-") and all(ord(letter) > 32 for letter in revision):
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None:
        hint = "a branch, a tag or a commit; in CI fetch it first"
        raise UsageError(f"git knows no commit {revision[:100]!r} here", where=str(root), hint=hint)
    return found.decode().strip()


def merge_base(root: Path, one: str, other: str) -> str:
    """Where two commits part. Raises UsageError when they have nothing in common."""
    found = _git(root, "merge-base", sha_of(root, one), sha_of(root, other))
    if not found:
        hint = "in a shallow clone: git fetch --unshallow"
        raise UsageError(f"{one[:100]} and {other[:100]} have no common commit", where=str(root), hint=hint)
    return found.decode().strip()


def changed_paths(base: Tree, head: Tree) -> tuple[str, ...]:
    """Paths, relative to the project folder, that differ; a renamed file has both its names. Raises UsageError."""
    command = ["diff", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "-z", "--relative", base.sha]
    found = _git(base.root, *command, *([head.sha] if head.sha else []), "--", ".")
    if found is None:
        raise UsageError(f"git cannot compare {base.sha[:10]} with {head.sha[:10] or 'the working tree'}")
    others = b"" if head.sha else _git(base.root, "ls-files", "--others", "--exclude-standard", "-z") or b""
    names = (found + others).decode("utf-8", "replace").split("\0")
    return tuple(sorted({name for name in names if name}))


def changed_workflows(base: Tree, head: Tree) -> tuple[str, ...]:
    """Changed paths below .github at the top of the repository, which a project in a subfolder does not show."""
    command = ["diff", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "-z", base.sha]
    found = _git(base.root, *command, *([head.sha] if head.sha else []), "--", ":(top).github")
    if found is None:
        raise UsageError(f"git cannot compare {base.sha[:10]} with {head.sha[:10] or 'the working tree'}")
    return tuple(name for name in found.decode("utf-8", "replace").split("\0") if name)


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git prints, or None when it refuses."""
    answer = run_git(root, *arguments)
    return answer.stdout if answer.returncode == 0 else None
