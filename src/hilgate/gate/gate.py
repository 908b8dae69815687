"""gate: policy + base + head -> verdict. Reads what the run room measured, writes artifacts/gate/verdict.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hilgate.artifacts import artifact, write_json
from hilgate.errors import UsageError
from hilgate.gate import git
from hilgate.gate.benches import benches_of, spreads_at, spreads_in
from hilgate.gate.judge import judge
from hilgate.gate.policy import read_policy
from hilgate.gate.sides import Side, read_packages, read_path, read_revision
from hilgate.gate.verdict import Verdict
from hilgate.params import load_params

HEAD_LABEL = "this tree"  # what lies in the working tree; a pull request is what `hilgate ci` judges
LONGEST_LABEL = 24
PATH_SIGNS = ("./", "../", "/", "~")


def execute(
    root: Path,
    base: str | None = None,
    head: Path | None = None,
    approved_by: str = "",
    cells: Sequence[str] = (),
) -> Verdict:
    """Judge the head's measurements and write the verdict.

    base: git revision, measurement.json or folder; None: the default branch, where there is one. head: measurement.json
    or folder; None: artifacts/run. approved_by: who approved what the head requests; then its own policy judges. cells:
    only these; empty: all. Raises UsageError, ParamsError, ArtifactError.
    """
    params = load_params(root)
    own_policy = read_policy(params, f"{HEAD_LABEL}'s params.yaml")
    head_side = _read_head(root, head)
    benches = benches_of(head_side.measurements)
    own_policy = replace(own_policy, spreads=spreads_in(root, benches))
    head_side = replace(head_side, policy=own_policy, params=params.sections, packages=read_packages(root))
    base_side = _read_base(root, base, [*own_policy.cells, *head_side.measurements])
    if base_side.policy is not None:
        its_policy = replace(base_side.policy, spreads=spreads_at(root, base_side.sha, benches))
        base_side = replace(base_side, policy=its_policy)
    judging = own_policy if approved_by or base_side.policy is None else base_side.policy
    verdict = judge(judging, base_side, head_side, approved_by)
    if cells:
        verdict = _only(verdict, cells)
    write_json(artifact(root, "gate.verdict"), "verdict", verdict.document())
    return verdict


def _only(verdict: Verdict, names: Sequence[str]) -> Verdict:
    """The verdict on some of its cells, which says so. Raises UsageError for a name that is no cell."""
    known = [cell.cell for cell in verdict.cells]
    for name in names:
        if name not in known:
            hint = f"cells: {', '.join(known)}"
            raise UsageError(f"there is no cell {name[:100]!r} to judge", where="hilgate gate", hint=hint)
    kept = tuple(cell for cell in verdict.cells if cell.cell in names)
    left = len(verdict.cells) - len(kept)
    others = "1 other cell was" if left == 1 else f"{left} other cells were"
    note = f"judged: only {', '.join(cell.cell for cell in kept)}; {others} left out"
    return replace(verdict, cells=kept, notes=(*verdict.notes, note) if left else verdict.notes)


def _read_head(root: Path, head: Path | None) -> Side:
    folder = artifact(root, "run.measurement", "cell").parent.parent
    if head is None and not folder.is_dir():
        return Side(HEAD_LABEL, "path", _origin(root, folder))
    path = folder if head is None else head
    return read_path(path, HEAD_LABEL, _origin(root, path))


def _read_base(root: Path, base: str | None, cells: list[str]) -> Side:
    revision = git.default_base(root) if base is None else base
    if revision is None:
        return Side("no base", "none")
    if not _is_path(root, revision):
        return read_revision(root, revision, cells)
    return read_path(_as_path(revision), _path_label(revision), revision)


def _is_path(root: Path, base: str) -> bool:
    """A revision wins over a file of the same name; `./main` means the file."""
    if base.startswith(PATH_SIGNS) or base.endswith(".json"):
        return True
    if not base.strip():
        raise UsageError("--base is empty", hint="a branch, a measurement.json or a folder")
    return not git.knows(root, base) and _as_path(base).exists()


def _as_path(base: str) -> Path:
    """Raises UsageError: the home of nobody, or longer than any path may be."""
    try:
        path = Path(base).expanduser()
        path.exists()
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        hint = "give a measurement.json, a folder of them or a git revision"
        raise UsageError(f"{base[:100]!r} is no usable path: {why}", where="--base", hint=hint) from error
    return path


def _path_label(base: str) -> str:
    """A short path as it was given, of a long one the last name."""
    return base if len(base) <= LONGEST_LABEL else Path(base).name


def _origin(root: Path, path: Path) -> str:
    """A path as people see it in a report, without what is private to this machine where that can be avoided."""
    absolute = path.resolve()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else path.name
