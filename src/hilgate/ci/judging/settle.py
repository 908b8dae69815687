"""Which numbers stand for a cell: recounted ones of its image, those of the base where nothing touched it, or none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.artifacts import needed, read_json, write_json
from hilgate.catalogue import load_board
from hilgate.ci.claims.claim import CellClaim, Claim, cell_file
from hilgate.ci.images.counted import Doubts
from hilgate.ci.images.recount import Order, Recount, compare, recount
from hilgate.ci.images.testset import TestSet, load_test_set
from hilgate.ci.judging.baseline import Baseline
from hilgate.errors import ClaimError, HilgateError
from hilgate.gate.measured import Measurement
from hilgate.gate.sides import read_path
from hilgate.params import Cell, Params
from hilgate.run.settings import settings_of
from hilgate.virtual.evidence import cost_model


@dataclass(frozen=True)
class Settled:
    """What became of a cell. state: as in context.json; by_author: the error is the change's, not the harness's."""

    state: str
    error: str = ""
    claims: tuple[dict[str, str], ...] = ()
    by_author: bool = True


def settled_in(context: dict[str, Any]) -> dict[str, Settled]:
    """What context.json keeps of every cell, for a later verdict on the same numbers."""
    claims: dict[str, list[dict[str, str]]] = {}
    for row in context.get("claims", ()):
        claims.setdefault(row["cell"], []).append(row)
    return {
        row["cell"]: Settled(row["state"], row["error"], tuple(claims.get(row["cell"], ())), row.get("by_author", True))
        for row in context.get("cells", ())
    }


def measured_in(folder: Path) -> dict[str, Measurement]:
    """The measurements of one side that were written there, by cell."""
    return read_path(folder, "", "").measurements if folder.is_dir() else {}


class Settler:
    """Settles cells one after another; test sets and equal images are read and run once.

    root, params: main's checkout; out: the judged folder; folder, claim: what was admitted; touched: cell -> reason;
    absent: what becomes of a touched cell that the claim does not have.
    """

    def __init__(  # noqa: PLR0913, PLR0917  (one place where everything meets)
        self,
        root: Path,
        params: Params,
        out: Path,
        folder: Path,
        claim: Claim | None,
        baseline: Baseline,
        touched: dict[str, str],
        absent: Settled,
    ) -> None:
        self._root, self._params, self._out, self._folder = root, params, out, folder
        self._claim, self._baseline, self._touched = claim, baseline, touched
        self._absent = absent
        self._tests: dict[str, TestSet] = {}

    def settle(self, name: str, cell: Cell) -> Settled:
        """Write the measurements of both sides of a cell, as far as there are any."""
        stated = self._claim.cells.get(name) if self._claim else None
        try:
            self._write_base(name, cell)
            if name not in self._touched:
                return self._unchanged(name)
            if stated is None:
                return self._absent
            return self._touched_cell(name, cell, stated)
        except ClaimError as error:
            return Settled("refused", str(error))
        except HilgateError as error:
            return Settled("refused", str(error), by_author=False)

    def _unchanged(self, name: str) -> Settled:
        """Nothing that the image depends on differs, so that main's numbers are this change's as well."""
        if name not in self._baseline.cells:
            return Settled(
                "missing", f"nothing of this cell changed, and {self._baseline.missing[name]}", by_author=False
            )
        self._copy(self._out / "base" / name, self._out / "measurements" / name)
        return Settled("unchanged")

    def _touched_cell(self, name: str, cell: Cell, stated: CellClaim) -> Settled:
        if stated.state in ("failed", "refused"):
            return Settled(stated.state, stated.error)
        if stated.state == "unchanged":
            reason = self._touched[name]
            return Settled("refused", f"it is said to be unchanged, but it depends on {reason[:200]}, which changed")
        if (stated.task, stated.board) != (cell.task, cell.board):
            what = f"the claim is of {stated.task} on {stated.board}, the cell is {cell.task} on {cell.board}"
            return Settled("refused", what)
        if stated.files["firmware.elf"]["sha256"] == self._baseline.image(name):
            self._copy(self._out / "base" / name, self._out / "measurements" / name)
            return Settled("recomputed", claims=self._claims(name))
        found = self._recount(name, cell, self._folder)
        _write(self._out / "measurements" / name, found)
        return Settled("recomputed", claims=found.claims)

    def _claims(self, name: str) -> tuple[dict[str, str], ...]:
        """Where the claim states other numbers than the base, though the image is the same."""
        doubts = Doubts(name)
        mine = read_json(self._out / "base" / name / "measurement.json", "measurement")
        compare(mine, read_json(cell_file(self._folder, name, "measurement.json"), "measurement"), doubts)
        return tuple(doubts.rows)

    def _write_base(self, name: str, cell: Cell) -> None:
        """The base's numbers: of main's build, counted again where today's harness counts otherwise than it did."""
        if name not in self._baseline.cells or self._baseline.folder is None:
            return
        target = self._out / "base" / name
        self._baseline.copy(name, target)
        stated = self._baseline.cells[name]
        now = (self._cost_model(cell), self._dataset(cell.task))
        other = (stated.environment.get("cost_model"), stated.hashes["dataset"]) != now
        if other and name in self._touched and self._baseline.has_image(name):
            _write(target, self._recount(name, cell, self._baseline.folder))

    def _dataset(self, task: str) -> str:
        """Of today's test set."""
        facts = read_json(needed(self._root, "data.facts", task), "facts")
        return str(facts["splits"]["test"]["sha256"])

    def _cost_model(self, cell: Cell) -> str:
        return cost_model(load_board(cell.board, self._root))

    def _recount(self, name: str, cell: Cell, folder: Path) -> Recount:
        if cell.task not in self._tests:
            self._tests[cell.task] = load_test_set(cell.task, self._params, self._root)
        settings = settings_of(cell.task, self._params)
        return recount(Order(name, cell.task, cell.board, folder, self._root, settings), self._tests[cell.task])

    def _copy(self, source: Path, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            (target / file.name).write_bytes(file.read_bytes())


def _write(folder: Path, found: Recount) -> None:
    write_json(folder / "measurement.json", "measurement", found.measurement)
    write_json(folder / "samples.json", "samples", found.samples)
    write_json(folder / "sizes.json", "sizes", found.sizes)
