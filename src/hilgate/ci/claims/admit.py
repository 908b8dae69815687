"""admit: a claim from a stranger becomes plain files, or is refused. Nothing in it is run, and nothing is believed.

What breaks a rule of the archive or of claim.json refuses the whole claim. What is wrong with one cell refuses that
cell, so that the others are still judged, and the report says why.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from hilgate.artifacts import parse_json
from hilgate.catalogue import load_board
from hilgate.ci.claims.archive import unpack
from hilgate.ci.claims.claim import (
    CELL_FILES,
    DOCUMENT,
    FIRMWARE,
    PARAMS,
    CellClaim,
    Claim,
    cell_file,
    logged,
    printable,
    read_claim,
    write_claim,
)
from hilgate.ci.claims.elf_rules import check_elf
from hilgate.ci.claims.interface import check_interface, check_words
from hilgate.console import say
from hilgate.errors import ArtifactError, ClaimError, HilgateError
from hilgate.gate.claims import check_plausible
from hilgate.gate.measured import parse_measurement
from hilgate.hashing import sha256_of
from hilgate.params import CELL_NAME


@dataclass(frozen=True)
class Expected:
    """What the trusted side knows by itself: owner/name, and the head's SHA of the event. Empty: not asked."""

    repository: str = ""
    head_sha: str = ""


def admit(source: Path, out: Path, expected: Expected, root: Path) -> Claim:
    """Unpack and check the claim in `source` (zip or folder) into the new folder `out`; boards are those of `root`.

    Raises ClaimError, after which `out` holds nothing.
    """
    try:
        names = unpack(source, out)
        claim = _read(out, names, expected)
        admitted = replace(claim, cells={name: _cell(out, name, cell, root) for name, cell in claim.cells.items()})
        write_claim(out, admitted)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    refused = {name: cell.error for name, cell in admitted.cells.items() if cell.state == "refused"}
    say(f"admit {claim.head_sha[:10]}: {len(names)} files, {len(refused)} cells refused")
    for name, error in refused.items():
        say(f"  {name}: {logged(error)}")
    return admitted


def _read(out: Path, names: list[str], expected: Expected) -> Claim:
    """claim.json, checked against the event and against the files that are there. Raises ClaimError."""
    try:
        claim = read_claim(out)
    except ArtifactError as error:
        raise ClaimError(error.what, where=DOCUMENT) from error
    for what, said, due in (
        ("repository", claim.repository, expected.repository),
        ("head SHA", claim.head_sha, expected.head_sha),
    ):
        if due and said != due:
            hint = "it is of another repository or an older push; only a claim for the very commit counts"
            raise ClaimError(f"the claim is for {what} {said or 'unknown'}, the event is for {due}", hint=hint)
    wrong = [name for name in claim.cells if not CELL_NAME.fullmatch(name) or ".." in name]
    if wrong:
        raise ClaimError(f"{wrong[0]!a} is no cell name", where=DOCUMENT)
    listed = {DOCUMENT} | {f"cells/{name}/{file}" for name, cell in claim.cells.items() for file in cell.files}
    there = set(names) - {PARAMS}
    if listed != there:
        odd = sorted(listed ^ there)[0]
        state = "listed and not there" if odd in listed else "there and not listed"
        raise ClaimError(f"a file is {state}", where=odd[:200])
    return claim


def _cell(out: Path, name: str, cell: CellClaim, root: Path) -> CellClaim:
    """The cell with tamed words, or as refused, then without its files."""
    cell = replace(cell, error=printable(cell.error))
    try:
        if cell.state != "built" and cell.files:
            raise ClaimError(f"it is {cell.state} and has files")
        if cell.state == "built":
            _check_files(out, name, cell)
            _check_contents(out, name, cell)
            check_elf(cell_file(out, name, FIRMWARE), load_board(cell.board, root))
        return cell
    except HilgateError as error:
        for file in cell.files:
            cell_file(out, name, file).unlink(missing_ok=True)
        what = f"{error.where}: {error.what}" if error.where else error.what
        return replace(cell, state="refused", error=printable(what.replace(str(out), "claim"), 600), files={})


def _check_files(out: Path, name: str, cell: CellClaim) -> None:
    """All files of a built cell, with the bytes that claim.json says. Raises ClaimError."""
    if missing := set(CELL_FILES) - set(cell.files):
        raise ClaimError("is missing", where=sorted(missing)[0])
    for file, stated in cell.files.items():
        path = cell_file(out, name, file)
        if (path.stat().st_size, sha256_of(path)) != (stated["bytes"], stated["sha256"]):
            raise ClaimError("is not the file that claim.json names", where=file)


def _check_contents(out: Path, name: str, cell: CellClaim) -> None:
    """Every document against its schema, with plausible numbers, of this cell. Raises ArtifactError, ClaimError."""
    texts = {}
    for file, (_, schema) in CELL_FILES.items():
        if schema:
            try:
                texts[file] = cell_file(out, name, file).read_text("utf-8")
            except UnicodeDecodeError as error:
                raise ClaimError("not UTF-8 text", where=file) from error
            document = parse_json(texts[file], schema, where=file)
            check_plausible(document, file)
            if schema != "samples":  # whose scores are one long text
                check_words(document, file)
    measured = parse_measurement(texts["measurement.json"], "measurement.json", texts["samples.json"])
    if (measured.cell, measured.task, measured.board) != (name, cell.task, cell.board):
        raise ClaimError("is of another cell", where="measurement.json")
    check_interface(parse_json(texts["model.json"], "model", where="model.json"))
