"""cells: build and run, on the virtual boards, the cells that a change touches; this is what a job of ci.yml does.

Training is never repeated: a cell whose weights are missing, or not of this code, fails and says what has to be pushed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hilgate.artifacts import artifact
from hilgate.ci.changes import revisions
from hilgate.ci.changes.revisions import Tree
from hilgate.ci.changes.stages import touched_cells
from hilgate.ci.claims.claim import CELL_FILES, printable
from hilgate.ci.claims.weights import missing_weights
from hilgate.console import say
from hilgate.errors import UsageError
from hilgate.params import Cell, load_params

BATCH = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})")
NO_COMMIT = re.compile(r"0*")  # what GitHub says for `before` of a branch's first push; empty: a run that has no base
TIMEOUT_S = 45 * 60.0


@dataclass(frozen=True)
class Built:
    """What became of each cell of a batch: name -> "" or its error."""

    cells: dict[str, str]

    @property
    def failed(self) -> list[str]:
        return [name for name, error in self.cells.items() if error]


def build_cells(root: Path, out: Path, base: str = "", batch: str = "1/1") -> Built:
    """Make every touched cell of this batch, all of them where there is no base; copy what a claim needs to `out`.

    out/artifacts/...: as the rooms keep them; out/errors/<cell>.txt: the last words of a cell that failed. One failing
    cell stops no other. Raises UsageError, ParamsError.
    """
    wanted = share(touched(root, base), batch)
    out.mkdir(parents=True, exist_ok=True)
    results = {}
    for name, cell in wanted.items():
        say(f"cell {name}")
        results[name] = _build(root, name, cell)
        _keep(root, out, name, cell, results[name])
    built = Built(results)
    say(f"batch {batch}: {len(results)} cells, {len(built.failed)} failed")
    for name in built.failed:
        say(f"  {name}: {results[name].strip().splitlines()[-1]}")
    return built


def touched(root: Path, base: str) -> dict[str, Cell]:
    """Cells that the working tree can change against where it left `base`."""
    cells = load_params(root).cells
    if NO_COMMIT.fullmatch(base):
        return cells
    fork = revisions.merge_base(root, base, "HEAD")
    names = touched_cells(Tree(root, fork), Tree(root), cells)
    return {name: cell for name, cell in cells.items() if name in names}


def share(cells: dict[str, Cell], batch: str) -> dict[str, Cell]:
    """Every N-th cell, beginning with the K-th, of batch `K/N`; cells of one task stay together, so it is made once."""
    found = BATCH.fullmatch(batch)
    if found is None or int(found[1]) > int(found[2]):
        raise UsageError(f"{batch[:50]!r} is no batch", where="--batch", hint="such as 1/3, the first of three")
    number, of = int(found[1]), int(found[2])
    tasks = sorted({cell.task for cell in cells.values()})
    if len(tasks) >= of:
        return {name: cell for name, cell in cells.items() if tasks.index(cell.task) % of == number - 1}
    return {name: cell for index, (name, cell) in enumerate(sorted(cells.items())) if index % of == number - 1}


def _build(root: Path, name: str, cell: Cell) -> str:
    """The error of a cell; empty when it was made."""
    needs = missing_weights(root, [cell.task])
    if needs:
        return "\n".join(
            f"{need['what']}: training is not repeated in CI; push it: {need['command']}" for need in needs
        )
    command = [str(Path(sys.executable).with_name("dvc")), "repro", f"run@{name}"]
    try:
        done = subprocess.run(
            command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"dvc repro run@{name}: {error}"[:500]
    said = printable(done.stdout[-8000:].decode("utf-8", "replace"))
    sys.stderr.write(said)
    return "" if done.returncode == 0 else said.strip() or f"dvc repro run@{name} failed without a word"


def _keep(root: Path, out: Path, name: str, cell: Cell, error: str) -> None:
    if error:
        path = out / "errors" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{error}\n", encoding="utf-8")
        return
    for kept, _ in CELL_FILES.values():
        source = artifact(root, kept, cell.task if kept.startswith("compile") else name)
        target = out / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
