"""What a prediction is worth: the board's evidence class, the model that made it, and what nobody has checked."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hilgate.catalogue import Board
from hilgate.errors import ParamsError
from hilgate.virtual import dual_issue
from hilgate.virtual.cost import load_cpu

CLASSES = ("calibrated", "validated", "elsewhere", "uncalibrated")
MODEL_FILES = ("cost.py", "decode.py", "hook.c")
DUAL_ISSUE_FILE = "dual_issue.py"


@dataclass(frozen=True)
class Gap:
    """One behaviour that is not modelled, or that is and has no referee. `instead`: what happens then."""

    name: str
    what: str
    modelled: bool
    instead: str


def evidence(board: Board) -> str:
    """Evidence class of the board's predicted cycles, from board.toml. Raises ParamsError when it is no class."""
    found = board.tables.get("virtual", {}).get("evidence")
    if found not in CLASSES:
        raise ParamsError(
            f"virtual.evidence is {found!r}",
            where=str(board.folder / "board.toml"),
            hint=f"one of {', '.join(CLASSES)}",
        )
    return str(found)


def cost_model(board: Board) -> str:
    """Twelve digits that name the cost model: predictions compare only when they are equal."""
    folder = resources.files("hilgate.virtual")
    names = (*MODEL_FILES, DUAL_ISSUE_FILE) if dual_issue.applies(load_cpu(board.cpu)) else MODEL_FILES
    parts = [folder.joinpath(name).read_bytes() for name in names]
    parts += [
        folder.joinpath(f"cpus/{board.cpu}.toml").read_bytes(),
        folder.joinpath(f"families/{board.family}.toml").read_bytes(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


@cache
def behaviours() -> tuple[dict[str, object], ...]:
    """All rows of FIDELITY.toml."""
    text = resources.files("hilgate.virtual").joinpath("FIDELITY.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["behaviour"])


def fidelity_gaps(family: str = "") -> tuple[Gap, ...]:
    """The rows to print with a prediction: what is not modelled first, then what has no referee.

    family: of the board, to leave out what only others can notice; by default all rows.
    """
    rows = [row for row in behaviours() if not row["modelled"] or row["referee"] == "none"]
    rows = [row for row in rows if not family or row.get("family", family) == family]
    gaps = [Gap(str(r["name"]), str(r["what"]), bool(r["modelled"]), str(r.get("instead", "no referee"))) for r in rows]
    return tuple(sorted(gaps, key=lambda gap: gap.modelled))
