"""The git that the history needs: objects and refs, never a work tree, an index of the user's, or a hook."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from hilgate.errors import ArtifactError, UsageError
from hilgate.tools import run_git

TIMEOUT_S = 300
NOBODY = {"NAME": "hilgate", "EMAIL": "hilgate@localhost"}  # who commits where git knows nobody, as in a CI job
LARGEST_BYTES = 64 * 1024 * 1024


def run(root: Path, *arguments: str, give: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """What git prints. Raises UsageError with git's own words."""
    answer = run_git(root, *arguments, give=give, env=env, timeout_s=TIMEOUT_S)
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
        raise UsageError(f"git {arguments[0]} refused: {said[0][:300]}", where=str(root))
    return answer.stdout


def tip(root: Path, ref: str) -> str | None:
    """The commit that a full ref name points to, or None."""
    answer = run_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return answer.stdout.decode().strip() if answer.returncode == 0 else None


def is_ancestor(root: Path, old: str, new: str) -> bool:
    """Whether `new` has all that `old` has."""
    return run_git(root, "merge-base", "--is-ancestor", old, new).returncode == 0


def place(root: Path) -> str:
    """The project's folder in the repository, as `products/kws/`; empty where it is the repository."""
    return run(root, "rev-parse", "--show-prefix").decode("utf-8", "replace").rstrip("\n")


def files(root: Path, commit: str) -> dict[str, str]:
    """path -> blob of every plain file of a commit."""
    listed = run(root, "ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", "replace")
    rows = (row.partition("\t") for row in listed.split("\0") if row)
    return {path: facts.split()[2] for facts, _, path in rows if facts.startswith("100644 blob")}


def blobs(root: Path, names: Iterable[str]) -> list[bytes]:
    """The contents of blobs, in order. Raises ArtifactError: one that is missing or enormous."""
    wanted = list(names)
    if not wanted:
        return []
    asked = "".join(f"{name}\n" for name in wanted).encode()
    sizes = run(root, "cat-file", "--batch-check=%(objectsize)", give=asked).split()
    if len(sizes) != len(wanted) or sum(map(int, sizes)) > 16 * LARGEST_BYTES or max(map(int, sizes)) > LARGEST_BYTES:
        raise ArtifactError("files of the history are missing or enormous", hint="look at the branch by hand")
    answer = run(root, "cat-file", "--batch", give=asked)
    found, at = [], 0
    for size in map(int, sizes):
        start = answer.index(b"\n", at) + 1
        found.append(answer[start : start + size])
        at = start + size + 1
    return found


def commit_files(root: Path, parent: str | None, changed: Mapping[str, bytes], message: str) -> str:
    """A commit on `parent` in which some files have other contents; gives its name. Nothing else changes."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if parent:
            run(root, "read-tree", parent, env=index)
        rows = []
        for path, content in changed.items():
            blob = run(root, "hash-object", "-w", "--stdin", "--no-filters", give=content).decode().strip()
            rows.append(f"100644 {blob}\t{path}\0")
        run(root, "update-index", "-z", "--index-info", give="".join(rows).encode(), env=index)
        tree = run(root, "write-tree", env=index).decode().strip()
    parents = ["-p", parent] if parent else []
    return run(root, "commit-tree", tree, *parents, "-m", message, env=_who(root)).decode().strip()


def _who(root: Path) -> dict[str, str]:
    """The committer where git would refuse for want of one."""
    known = all(run_git(root, "var", f"GIT_{role}_IDENT").returncode == 0 for role in ("AUTHOR", "COMMITTER"))
    names = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in NOBODY.items()}
    return {} if known else names
