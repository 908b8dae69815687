"""The commits of a judgement as git has them, and the policy that each states. Nothing here comes from a claim."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hilgate.ci.changes import revisions
from hilgate.ci.changes.asks import requests_of
from hilgate.ci.changes.revisions import Tree, changed_paths, changed_workflows
from hilgate.ci.changes.stages import touched_cells
from hilgate.errors import ClaimError, ParamsError, UsageError
from hilgate.gate.policy import Policy, read_policy
from hilgate.gate.sides import LOCK_FILES, Side, pinned
from hilgate.gate.verdict import Request
from hilgate.params import Cell, Params, parse_params

HEAD_LABEL = "this PR"
ORIGIN = "origin/"


@dataclass(frozen=True)
class Commits:
    """base: the merge-base; tip: the base branch as it is now; head: the change."""

    base: Tree
    tip: Tree
    head: Tree
    base_ref: str
    base_sha: str
    head_sha: str

    def touched(self, cells: dict[str, Cell]) -> dict[str, str]:
        """Cells whose image the change can alter, with the reason."""
        return touched_cells(self.base, self.head, cells)


def find_commits(root: Path, base_ref: str, head_sha: str, *, working_tree: bool = False) -> Commits:
    """Tip, merge-base and head. working_tree: the head is what lies in `root`, not what is committed.

    Raises UsageError when git has not got one of them.
    """
    tip = _tip(root, ("", ORIGIN) if working_tree else (ORIGIN, ""), base_ref)
    base = revisions.merge_base(root, tip, head_sha)
    head = Tree(root) if working_tree else Tree(root, revisions.sha_of(root, head_sha))
    return Commits(Tree(root, base), Tree(root, tip), head, base_ref, base, head_sha)


@dataclass(frozen=True)
class Stated:
    """What the commits say: sides without measurements, what the head asks besides budgets, paths that it changes."""

    base: Side
    head: Side
    requests: tuple[Request, ...]
    changed: tuple[str, ...] = ()

    @property
    def cells(self) -> dict[str, Cell]:
        """Of both policies; where they differ, the base's."""
        sides = (self.head, self.base)
        return {name: cell for side in sides if side.policy for name, cell in side.policy.cells.items()}


def stated_by(commits: Commits) -> Stated:
    """Policies, params and packages of both commits. Raises ParamsError when the base's params.yaml is broken."""
    params = read_params(commits.base)
    label = commits.base_ref.removeprefix(ORIGIN)[:100]
    base = Side(
        label,
        "git",
        f"{label} ({commits.base_sha[:10]})",
        commits.base_sha,
        policy=read_policy(params, label) if params else None,
        params=params.sections if params else {},
        packages=packages_of(commits.base),
    )
    head = Side(HEAD_LABEL, "git", commits.head_sha[:10], commits.head_sha, packages=packages_of(commits.head))
    head, unreadable = _with_policy(head, commits.head)
    changed = _changed(commits)
    return Stated(base, head, (*unreadable, *requests_of(changed)), changed)


def _changed(commits: Commits) -> tuple[str, ...]:
    here = changed_paths(commits.base, commits.head)
    return (*here, *(name for name in changed_workflows(commits.base, commits.head) if name not in here))


def _with_policy(side: Side, tree: Tree) -> tuple[Side, tuple[Request, ...]]:
    """The head with its policy; a params.yaml that cannot be read is a request."""
    try:
        params = read_params(tree)
        policy = read_policy(params, f"{HEAD_LABEL}'s params.yaml") if params else None
    except (ParamsError, ClaimError) as error:
        return side, (Request("policy", "", "params.yaml", "readable", error.what[:200], "changes"),)
    if params is None or policy is None:
        return side, (Request("policy", "", "params.yaml", "there", "not there", "removes"),)
    return replace(side, policy=policy, params=params.sections), ()


@dataclass(frozen=True)
class Judging:
    """The policy that judges, what must be said about it, and whether it is the head's own."""

    policy: Policy
    notes: tuple[str, ...]
    is_own: bool


def judging(commits: Commits, stated: Stated, *, approved: bool) -> Judging:
    """The base's policy, or the head's: once its requests are approved, or where the base has none."""
    own, theirs = stated.head.policy, stated.base.policy
    if theirs is None:
        if own is None:
            raise UsageError("neither the base nor this change has a params.yaml", where=commits.base_sha)
        return Judging(own, (), is_own=True)
    today, notes = law(commits, theirs)
    if approved and own is not None:
        return Judging(granted(own, theirs, today), notes, is_own=True)
    return Judging(today, notes, is_own=False)


def granted(own: Policy, left: Policy, today: Policy) -> Policy:
    """The head's policy as a merge would leave it: an entry that it did not change since it left the base is today's.

    So an approval of one budget brings no other budget back that the base branch has given up meanwhile.
    """
    budgets = {
        cell: {
            **{
                name: one for name, one in today.budgets.get(cell, {}).items() if name not in left.budgets.get(cell, {})
            },
            **{
                name: today.budgets.get(cell, {}).get(name, one) if one == left.budgets.get(cell, {}).get(name) else one
                for name, one in own.budgets.get(cell, {}).items()
            },
        }
        for cell in own.cells
    }
    return replace(own, budgets=budgets)


def law(commits: Commits, base: Policy) -> tuple[Policy, tuple[str, ...]]:
    """The policy that judges: cells of the merge-base, budgets of the base branch as it is now where it still has them.

    So a change from an old commit is not judged by budgets that main has given up; a note says when they differ.
    """
    if commits.tip.sha == commits.base.sha:
        return base, ()
    params = read_params(commits.tip)
    now = read_policy(params, base.origin) if params else None
    if now is None:
        return base, ()
    budgets = {
        name: now.budgets.get(name, {}) if name in now.cells else base.budgets.get(name, {}) for name in base.cells
    }
    moved = sorted(name for name in base.cells if budgets[name] != base.budgets.get(name, {}))
    said = f"budgets of {', '.join(moved[:5])} changed on {base.origin} since this change left it; today's judge"
    return replace(base, budgets=budgets), (said[:300],) if moved else ()


def read_params(tree: Tree) -> Params | None:
    """params.yaml of a commit. Raises ParamsError, also for YAML that only exhausts its reader."""
    text = tree.text("params.yaml")
    path = Path(f"{tree.sha[:10]}:params.yaml" if tree.sha else "params.yaml")
    try:
        return None if text is None else parse_params(text, path)
    except (RecursionError, ValueError, TypeError) as error:
        raise ParamsError(f"not usable: {type(error).__name__}", where=str(path)) from error


def packages_of(tree: Tree) -> dict[str, str]:
    """Pinned packages of a commit; they explain and do not judge."""
    return pinned("\n".join(text for name in LOCK_FILES if (text := tree.text(name))))


def _tip(root: Path, remotes: tuple[str, ...], base_ref: str) -> str:
    """In CI the branch as it was fetched; in somebody's clone their own branch of that name first, as the gate does."""
    for remote in remotes:
        try:
            return revisions.sha_of(root, remote + base_ref)
        except UsageError:
            continue
    raise UsageError(f"git knows no branch {base_ref[:100]!r} here", where=str(root), hint="git fetch origin <branch>")
