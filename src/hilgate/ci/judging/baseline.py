"""The base of a judgement: what main's own build packed (`hilgate ci pack` in main.yml), and nothing committed.

Measurements in git were written by whoever made the commit. A build of main is made by main's workflow, so its numbers
are the ones to compare with; its absence is said and is never a pass.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from hilgate.artifacts import FILES, atomic_write
from hilgate.ci.changes.commits import Commits
from hilgate.ci.changes.revisions import Tree
from hilgate.ci.changes.stages import touched_cells
from hilgate.ci.claims.claim import CELL_FILES, FIRMWARE, Claim, cell_file, read_claim
from hilgate.errors import ArtifactError, HilgateError
from hilgate.gate.measured import Measurement, parse_measurement
from hilgate.hashing import sha256_of
from hilgate.params import Cell

COMMITTED = ("measurement.json", "samples.json", "sizes.json")


@dataclass(frozen=True)
class Baseline:
    """folder: the pack, or None; cells: whose measurement holds for the merge-base; missing: why others have none."""

    folder: Path | None
    cells: dict[str, Measurement]
    missing: dict[str, str]

    def image(self, cell: str) -> str:
        """SHA-256 of the cell's ELF; empty: not known."""
        return self.cells[cell].hashes["firmware"] if cell in self.cells else ""

    def has_image(self, cell: str) -> bool:
        """Whether the ELF itself is there to be counted again."""
        return self.folder is not None and cell_file(self.folder, cell, FIRMWARE).is_file()

    def copy(self, cell: str, target: Path) -> None:
        """Copy the cell's measurement, samples and sizes to the folder `target`."""
        target.mkdir(parents=True, exist_ok=True)
        for name in COMMITTED:
            shutil.copyfile(cell_file(self.folder or Path(), cell, name), target / name)


def find_baseline(folder: Path | None, commits: Commits, cells: dict[str, Cell]) -> Baseline:
    """Which cells of main's build in `folder` hold for the merge-base: built there, or untouched since."""
    if folder is None or not (folder / "claim.json").is_file():
        why = f"there is no build of {commits.base_ref[:100]} at {commits.base_sha[:10]}"
        return Baseline(None, {}, dict.fromkeys(cells, why))
    try:
        claim = read_claim(folder)
        moved = _moved(claim, commits, cells)
    except HilgateError as error:
        return Baseline(None, {}, dict.fromkeys(cells, f"the build of the base cannot be used: {error.what}"[:300]))
    found: dict[str, Measurement] = {}
    missing: dict[str, str] = {}
    for name in cells:
        try:
            found[name] = _cell(folder, claim, name, moved)
        except HilgateError as error:
            missing[name] = error.what[:300]
    return Baseline(folder, found, missing)


def committed_baseline(folder: Path, commits: Commits, cells: dict[str, Cell]) -> Baseline:
    """For one's own clone: the measurements that the merge-base has in git, written to `folder` as a build would be.

    The same that `hilgate gate` compares with; a trusted verdict never takes them.
    """
    found: dict[str, Measurement] = {}
    missing: dict[str, str] = {}
    for name in cells:
        for file in COMMITTED:
            text = commits.base.text(f"artifacts/{FILES[CELL_FILES[file][0]].format(item=name)}")
            if text is None:
                missing[name] = f"{commits.base_ref[:100]} has no {file} of this cell at {commits.base_sha[:10]}"
                break
            atomic_write(cell_file(folder, name, file), text.encode())
        else:
            found[name] = _measurement(folder, name)
    return Baseline(folder, found, missing)


def _moved(claim: Claim, commits: Commits, cells: dict[str, Cell]) -> dict[str, str]:
    """Cells that changed between the commit of the build and the merge-base."""
    if claim.head_sha == commits.base_sha:
        return {}
    return touched_cells(Tree(commits.base.root, claim.head_sha), commits.base, cells)


def _cell(folder: Path, claim: Claim, name: str, moved: dict[str, str]) -> Measurement:
    """The measurement of a cell. Raises ArtifactError that says why there is none."""
    stated = claim.cells.get(name)
    if stated is None or stated.state != "built" or set(stated.files) != set(CELL_FILES):
        state = stated.state if stated else "not there"
        raise ArtifactError(f"in the build of {claim.head_sha[:10]} this cell is {state}")
    if name in moved:
        raise ArtifactError(f"the build is of {claim.head_sha[:10]}, and {moved[name]} changed since")
    for file, due in stated.files.items():
        path = cell_file(folder, name, file)
        if not path.is_file() or sha256_of(path) != due["sha256"]:
            raise ArtifactError(f"{file} in the build of {claim.head_sha[:10]} is damaged")
    return _measurement(folder, name)


def _measurement(folder: Path, name: str) -> Measurement:
    texts = {file: cell_file(folder, name, file).read_text("utf-8") for file in ("measurement.json", "samples.json")}
    found = parse_measurement(texts["measurement.json"], f"base: {name}", texts["samples.json"])
    if found.cell != name:
        raise ArtifactError(f"its measurement is of cell {found.cell[:100]!r}")
    return found
