"""The branch `hilgate-history`: read it, add lines, bring it to a remote while others do the same.

An orphan branch of small files, <cell>/<year>-<month>.jsonl, each line on its own, sorted by date: two appends touch
other lines, and a text merge of them is their union. All of it by git's plumbing: no work tree changes, and the branch
need not be checked out. A project that is a folder of a larger repository has its files below that folder's path.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import ArtifactError, UsageError
from hilgate.history import git
from hilgate.history.line import Key, Line, parse_line
from hilgate.tools import run_git

BRANCH = "hilgate-history"
LOCAL = f"refs/heads/{BRANCH}"
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,99}/\d{4}-\d{2}\.jsonl")
ATTEMPTS = 8  # to push while others push; each waits longer
LOST_RACE = re.compile(r"rejected|fetch first|non-fast-forward|cannot lock ref|failed to update ref")
FORBIDDEN = re.compile(r"declined|denied|protected|permission")
FIXED = {
    ".gitattributes": b"*.jsonl text eol=lf merge=union\n",
    "README.md": (
        b"# History\n\nWhat each commit of the default branch cost, written by `hilgate history append`: one JSON line "
        b"per commit, cell,\ntestbed and toolchain. `hilgate history` shows it, `hilgate history page` draws it.\n"
    ),
}


@dataclass(frozen=True)
class Damage:
    """A line that was skipped: where it stands and why."""

    where: str
    what: str


@dataclass(frozen=True)
class Content:
    """What a branch holds: lines by key, in the order of the files; what could not be read."""

    lines: dict[Key, Line]
    damaged: tuple[Damage, ...] = ()


def newest_ref(root: Path) -> str | None:
    """Where the history is: the local branch, or the remote's as the last fetch saw it, where that has all of it."""
    pattern = f"refs/remotes/*/{BRANCH}"
    refs = git.run(root, "for-each-ref", "--format=%(refname)", pattern).decode().split()
    remote = next(iter(sorted(refs, key=lambda ref: (not ref.startswith("refs/remotes/origin/"), ref))), None)
    if not git.tip(root, LOCAL):
        return remote
    return remote if remote and git.is_ancestor(root, LOCAL, remote) else LOCAL


def read(root: Path, ref: str) -> Content:
    """Every line of the branch. Damaged lines are skipped and told; other files are left alone."""
    commit = git.tip(root, ref)
    if commit is None:
        return Content({})
    listed = _files(root, commit)
    lines: dict[Key, Line] = {}
    damaged: list[Damage] = []
    for path, content in zip(listed, git.blobs(root, listed.values()), strict=True):
        good, bad = split(path, content)
        lines |= {line.key: line for line in good}
        damaged += [Damage(where, what) for where, what, _ in bad]
    return Content(lines, tuple(damaged))


def _files(root: Path, commit: str) -> dict[str, str]:
    """path -> blob of the project's own files, without the project's place in the repository."""
    place = git.place(root)
    found = (
        (path.removeprefix(place), blob) for path, blob in git.files(root, commit).items() if path.startswith(place)
    )
    return {path: blob for path, blob in sorted(found) if FILE.fullmatch(path)}


def split(path: str, content: bytes) -> tuple[list[Line], list[tuple[str, str, str]]]:
    """Good lines of a file, and (where, what, text) of the damaged ones."""
    good: list[Line] = []
    bad: list[tuple[str, str, str]] = []
    for number, text in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        if not text.strip():
            continue
        try:
            line = parse_line(text)
            if line.path != path:
                raise ArtifactError("a line of another file")
            good.append(line)
        except ArtifactError as error:
            bad.append((f"{path}:{number}", error.what, text))
    return good, bad


def append(root: Path, lines: Iterable[Line]) -> int:
    """Add lines to the local branch, which begins where there is none; gives how many are new or changed.

    Raises UsageError: the branch is checked out, or somebody else moved it meanwhile.
    """
    _refuse_checked_out(root)
    before = git.tip(root, LOCAL) or _tracked(root)
    after, count = _with_lines(root, before, list(lines))
    _move(root, after)
    return count


def push(root: Path, lines: Iterable[Line], remote: str, pause: Callable[[float], None] = time.sleep) -> int:
    """Add lines to the branch of a remote, and the local branch after it; again when somebody else was quicker.

    What the local branch has and the remote has not goes along. Raises UsageError: no such remote, or it refuses.
    """
    _refuse_checked_out(root)
    remote_ref = f"refs/remotes/{remote}/{BRANCH}"
    wanted = list(lines)
    for attempt in range(ATTEMPTS):
        theirs = fetch(root, remote)
        base, missing = _common(root, theirs)
        after, count = _with_lines(root, base, [*missing, *wanted])
        if after == theirs:
            _move(root, after)
            return count
        answer = run_git(root, "push", "--no-verify", "--quiet", remote, f"{after}:{LOCAL}", timeout_s=git.TIMEOUT_S)
        if answer.returncode == 0:
            git.run(root, "update-ref", remote_ref, after or "")
            _move(root, after)
            return count
        said = answer.stderr.decode("utf-8", "replace")
        if not LOST_RACE.search(said) or FORBIDDEN.search(said):
            break
        pause(random.uniform(0.2, 1.0) * 1.6**attempt)  # noqa: S311
    last = said.strip().splitlines()[-1:] or ["no reason given"]
    hint = "does this token have write access to the repository's contents?"
    raise UsageError(f"{remote} does not take the branch {BRANCH}: {last[0][:200]}", where=str(root), hint=hint)


def fetch(root: Path, remote: str) -> str | None:
    """Bring the remote's branch here; gives its commit, None where it has none. Raises UsageError: no such remote."""
    if remote.startswith("-") or not re.fullmatch(r"[A-Za-z0-9_./-]{1,100}", remote):
        raise UsageError(f"{remote[:100]!r} is no name of a remote", hint="such as origin")
    there = git.run(root, "ls-remote", "--heads", remote, LOCAL).strip()
    if not there:
        return None
    git.run(root, "fetch", "--quiet", "--no-tags", remote, f"+{LOCAL}:refs/remotes/{remote}/{BRANCH}")
    return git.tip(root, f"refs/remotes/{remote}/{BRANCH}")


def _tracked(root: Path) -> str | None:
    ref = newest_ref(root)
    return git.tip(root, ref) if ref else None


def _common(root: Path, theirs: str | None) -> tuple[str | None, list[Line]]:
    """The commit to build on, and lines that only the local branch has."""
    ours = git.tip(root, LOCAL)
    if ours is None or theirs is None or ours == theirs:
        return theirs or ours, []
    if git.is_ancestor(root, ours, theirs):
        return theirs, []
    there = read(root, theirs).lines
    return theirs, [line for key, line in read(root, ours).lines.items() if key not in there]


def _with_lines(root: Path, base: str | None, lines: list[Line]) -> tuple[str | None, int]:
    """The commit that has `lines` as well, and how many of them were not there; `base` itself when all were."""
    listed = _files(root, base) if base else {}
    by_path: dict[str, dict[Key, Line]] = {}
    for line in lines:
        by_path.setdefault(line.path, {})[line.key] = line
    touched = sorted(by_path)
    there = [path for path in touched if path in listed]
    contents = dict(zip(there, git.blobs(root, [listed[path] for path in there]), strict=True))
    changed, count, place = {}, 0, git.place(root)
    for path in touched:
        good, bad = split(path, contents.get(path, b""))
        known = {line.key: line for line in good}
        fresh = {key: line for key, line in by_path[path].items() if known.get(key) != line}
        if fresh:
            count += len(fresh)
            changed[place + path] = _file({**known, **fresh}.values(), [text for _, _, text in bad])
    if not changed:
        return base, 0
    whole = git.files(root, base) if base else {}
    fixed = {path: content for path, content in FIXED.items() if path not in whole}
    commits = sorted({line.commit[:10] for line in lines})
    what = f"{len(commits)} commits" if len(commits) > 1 else commits[0]
    return git.commit_files(root, base, {**fixed, **changed}, f"Add what {what} cost ({count} lines)"), count


def _file(lines: Iterable[Line], damaged: list[str]) -> bytes:
    """Damaged lines stay as they are, on top: this hilgate may simply be older than what wrote them."""
    ordered = sorted(lines, key=lambda line: (line.date, line.key))
    return "".join(f"{text}\n" for text in [*damaged, *(line.text() for line in ordered)]).encode()


def _move(root: Path, after: str | None) -> None:
    """The local branch to `after`, unless somebody else moves it at this moment."""
    before = git.tip(root, LOCAL)
    if after and after != before:
        git.run(root, "update-ref", "-m", "hilgate history append", LOCAL, after, before or "0" * len(after))


def _refuse_checked_out(root: Path) -> None:
    if run_git(root, "symbolic-ref", "--quiet", "HEAD").stdout.decode().strip() == LOCAL:
        hint = "check out another branch first; the history is written without a work tree"
        raise UsageError(f"{BRANCH} is checked out here", where=str(root), hint=hint)
