"""pack: what a pull request's own jobs hand over, as one small folder. Nobody believes it: it names what to judge.

Of main's own build the same folder is the base of later pull requests.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from hilgate.artifacts import artifact, read_json
from hilgate.ci.changes import revisions
from hilgate.ci.changes.revisions import Tree, changed_paths
from hilgate.ci.changes.stages import touched_cells
from hilgate.ci.claims.claim import (
    CELL_FILES,
    FIRMWARE,
    PARAMS,
    CellClaim,
    Claim,
    cell_file,
    logged,
    printable,
    write_claim,
)
from hilgate.ci.claims.weights import missing_weights
from hilgate.console import say
from hilgate.errors import ArtifactError, UsageError
from hilgate.hashing import sha256_of
from hilgate.params import Cell, Params, load_params

MOST_CHANGED = 2000
EVENTS = ("pull_request", "merge_group", "push", "schedule", "workflow_dispatch")


@dataclass(frozen=True)
class PackOptions:
    """repository: owner/name; event: of GitHub, or local; head_sha: default HEAD.

    base: the revision whose merge-base `unchanged` refers to, or None to pack every cell; errors: a folder with
    <cell>.txt, what a failed cell's jobs printed last.
    """

    repository: str = ""
    event: str = "local"
    head_sha: str = ""
    base: str | None = None
    errors: Path | None = None


def pack(root: Path, out: Path, options: PackOptions) -> Claim:
    """Write the claim of the working tree to the new or emptied folder `out`. Raises UsageError, ParamsError."""
    if out.exists() and any(out.iterdir()) and not (out / "claim.json").is_file():
        raise UsageError("the folder holds something else than a claim", where=str(out), hint="give a new one")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    params = load_params(root)
    head_sha = options.head_sha or revisions.sha_of(root, "HEAD")
    base_sha = revisions.merge_base(root, options.base, head_sha) if options.base else ""
    touched = _touched(root, base_sha, params)
    said = {name: text for name in params.cells if (text := _said(name, options))}
    claim = Claim(
        repository=options.repository,
        head_sha=head_sha,
        base_sha=base_sha,
        event=options.event if options.event in EVENTS else "local",
        changed=changed_paths(Tree(root, base_sha), Tree(root))[:MOST_CHANGED] if base_sha else (),
        needs=missing_weights(root, sorted({params.cells[name].task for name in touched})),
        cells={
            name: _cell(root, out, name, params, said.get(name, ""))
            if name in touched or name in said
            else CellClaim(cell.task, cell.board, "unchanged")
            for name, cell in params.cells.items()
        },
    )
    shutil.copyfile(root / PARAMS, out / PARAMS)
    write_claim(out, claim)
    say(summary(claim))
    return claim


def summary(claim: Claim) -> str:
    """One line for the person who watches, and one for each cell that failed."""
    counts = {state: sum(cell.state == state for cell in claim.cells.values()) for state in ("built", "unchanged")}
    failed = {name: cell for name, cell in claim.cells.items() if cell.state == "failed"}
    lines = [
        f"pack {claim.head_sha[:10]}: {counts['built']} built, {counts['unchanged']} unchanged, {len(failed)} failed"
    ]
    lines += [f"  {name}: {logged(cell.error)}" for name, cell in failed.items()]
    return "\n".join([*lines, *(f"  {need['what']}: {need['command']}" for need in claim.needs)])


def _touched(root: Path, base_sha: str, params: Params) -> dict[str, str]:
    if not base_sha:
        return dict.fromkeys(params.cells, "")
    return touched_cells(Tree(root, base_sha), Tree(root), params.cells)


def _cell(root: Path, out: Path, name: str, params: Params, said: str) -> CellClaim:
    """A touched cell: its files, copied, or why there are none. said: the error of its jobs."""
    cell = params.cells[name]
    if said:
        return CellClaim(cell.task, cell.board, "failed", said)
    paths = _paths(root, name, cell)
    try:
        _check_one_build(root, name, paths)
    except ArtifactError as error:
        return CellClaim(cell.task, cell.board, "failed", printable(str(error)))
    files = {}
    for file, source in paths.items():
        target = cell_file(out, name, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        files[file] = {"bytes": target.stat().st_size, "sha256": sha256_of(target)}
    return CellClaim(cell.task, cell.board, "built", files=files)


def _said(name: str, options: PackOptions) -> str:
    """What the jobs of a cell left as its error; empty: it did not fail."""
    file = options.errors / f"{name}.txt" if options.errors else None
    if file is None or not file.is_file():
        return ""
    return printable(file.read_bytes()[-8000:].decode("utf-8", "replace")).strip() or "failed without a word"


def _paths(root: Path, name: str, cell: Cell) -> dict[str, Path]:
    """File of the claim -> where the rooms keep it."""
    items = {file: cell.task if kept.startswith("compile") else name for file, (kept, _) in CELL_FILES.items()}
    return {file: artifact(root, kept, items[file]) for file, (kept, _) in CELL_FILES.items()}


def _check_one_build(root: Path, name: str, paths: dict[str, Path]) -> None:
    """All files of the cell are there and of one build. Raises ArtifactError."""
    for file, path in paths.items():
        if not path.is_file():
            room, item = CELL_FILES[file][0].partition(".")[0], path.parent.name
            hint = f"`hilgate {room} {item if room != 'compile' else path.parent.parent.name}`, or `dvc repro`"
            raise ArtifactError("this file was not made", where=path.relative_to(root).as_posix(), hint=hint)
    built = read_json(paths["sizes.json"], "sizes")["hashes"]["elf"]
    measured = read_json(paths["measurement.json"], "measurement")["hashes"]["firmware"]
    if not built == measured == sha256_of(paths[FIRMWARE]):
        what = "firmware.elf, sizes.json and measurement.json are of different builds"
        raise ArtifactError(what, where=f"cell {name}", hint=f"`hilgate run {name}` or `dvc repro`")
