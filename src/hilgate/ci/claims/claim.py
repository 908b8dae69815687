"""A claim: what a pull request's own jobs hand over, as a folder or a zip. docs/security.md says who may believe what.

claim.json                      schema `claim`
params.yaml                     as the head has it
cells/<cell>/firmware.elf       and model.json, sizes.json, measurement.json, samples.json
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hilgate.artifacts import read_json, write_json
from hilgate.errors import ClaimError

DOCUMENT = "claim.json"
PARAMS = "params.yaml"
FIRMWARE = "firmware.elf"
CELL_FILES = {  # file of a cell -> the artifact it is a copy of, and its schema
    FIRMWARE: ("build.elf", ""),
    "model.json": ("compile.model", "model"),
    "sizes.json": ("build.sizes", "sizes"),
    "measurement.json": ("run.measurement", "measurement"),
    "samples.json": ("run.samples", "samples"),
}
LONGEST_ERROR = 4000


@dataclass(frozen=True)
class CellClaim:
    """One cell. state: built, failed, unchanged, refused; files: name -> {bytes, sha256}."""

    task: str
    board: str
    state: str
    error: str = ""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """claim.json. needs: {what, command} that the author has to do before anything can be built."""

    repository: str
    head_sha: str
    base_sha: str
    event: str
    changed: tuple[str, ...]
    needs: tuple[dict[str, str], ...]
    cells: dict[str, CellClaim]


def read_claim(folder: Path) -> Claim:
    """Read and check claim.json of a folder. Raises ClaimError, ArtifactError."""
    path = folder / DOCUMENT
    if not path.is_file():
        raise ClaimError("there is no claim.json", where=str(folder), hint="make a claim with `hilgate ci pack`")
    document = read_json(path, "claim")
    return Claim(
        repository=document["repository"],
        head_sha=document["head_sha"],
        base_sha=document["base_sha"],
        event=document["event"],
        changed=tuple(document["changed"]),
        needs=tuple(document["needs"]),
        cells={name: CellClaim(**cell) for name, cell in document["cells"].items()},
    )


def write_claim(folder: Path, claim: Claim) -> Path:
    """Write claim.json of a folder."""
    cells = {name: dict(vars(cell)) for name, cell in claim.cells.items()}
    content = {**vars(claim), "changed": list(claim.changed), "needs": list(claim.needs), "cells": cells}
    write_json(folder / DOCUMENT, "claim", content)
    return folder / DOCUMENT


def cell_file(folder: Path, cell: str, name: str) -> Path:
    """Where a claim keeps a file of a cell."""
    return folder / "cells" / cell / name


def logged(text: str) -> str:
    """The last line of a foreign text for a job's log: no command of the runner (`::error::`), no markup of `rich`."""
    line = printable(text).strip().rpartition("\n")[2][:200]
    return line.replace("::", ": :").replace("[", "(").replace("]", ")")


def printable(text: str, longest: int = LONGEST_ERROR) -> str:
    """The end of a foreign text, where errors stand: of bounded length, tabs as blanks, no other unprintable letter."""
    kept = text if len(text) <= longest else "..." + text[len(text) - longest + 3 :]
    return "".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else "?" for c in kept)
