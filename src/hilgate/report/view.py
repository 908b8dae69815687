"""The one model behind every report format: a verdict in words and numbers, decided once, escaped by each renderer.

All text is plain: names stand in backticks, nothing is escaped. Whatever a format shows comes from here, so that
comment, page, terminal, JUnit, annotations and JSON cannot tell different stories.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hilgate.report.words import Row
    from hilgate.virtual.evidence import Gap


@dataclass(frozen=True)
class Reason:
    """Why an outcome is what it is: a whole sentence. rule: of the gate; subject: metrics, or empty for the cell."""

    outcome: str
    subject: str
    text: str
    enforced: bool
    rule: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """One thing on both sides: a layer's cycles, bytes of a part, section, symbol. None: not there.

    group: flash, ram or a memory's name, empty for layers. change: in words. detail: what else is known to differ.
    """

    name: str
    group: str
    base: int | None
    head: int | None
    change: str
    detail: str = ""

    @property
    def differs(self) -> bool:
        return self.base != self.head


@dataclass(frozen=True)
class Pair:
    """One text on both sides: a parameter, a hash, an entry of the environment."""

    name: str
    base: str
    head: str


@dataclass(frozen=True)
class Request:
    """Something that decides verdicts and that the head asks to change."""

    cell: str
    what: str
    base: str
    head: str
    effect: str


@dataclass(frozen=True)
class NewCell:
    """A cell that the head adds. text: what it is and how much comes with it; entries: its budgets and parameters."""

    cell: str
    text: str
    entries: tuple[Request, ...]


@dataclass(frozen=True)
class Piece:
    """A part of the image: `kind` is symbol, weights (of a layer) or rest."""

    kind: str
    name: str
    memory: str
    bytes: int


@dataclass(frozen=True)
class CellView:
    """One task on one board. layers: in the network's order; layers_say: what became of them, in three words.

    source: whether cycles are predicted or measured. sizes: totals and parts; layer_bytes: what changed layers weigh in
    flash and how far into the arena they reach; capacity: bytes on the board by memory.
    both: it was measured on both sides. evidence: sentences; provenance: hashes and environment. quiet: nothing is
    other than in the base.
    """

    cell: str
    task: str
    board: str
    outcome: str
    quiet: bool
    both: bool
    rows: tuple[Row, ...]
    reasons: tuple[Reason, ...]
    checks: tuple[Reason, ...]
    causes: tuple[str, ...]
    source: str
    layers: tuple[Moved, ...]
    layers_say: str
    comparable: bool
    sizes: tuple[Moved, ...]
    sections: tuple[Moved, ...]
    layer_bytes: tuple[Moved, ...]
    symbols: tuple[Moved, ...]
    image: tuple[Piece, ...]
    capacity: dict[str, int]
    stack_path: str
    stack_path_before: str
    evidence: tuple[str, ...]
    provenance: tuple[Pair, ...]

    @property
    def layers_differ(self) -> bool:
        return self.comparable and any(layer.differs for layer in self.layers)

    @property
    def sizes_differ(self) -> bool:
        return any(part.differs for part in (*self.sizes, *self.sections))

    def row(self, metric: str) -> Row:
        return next(row for row in self.rows if row.metric == metric)


@dataclass(frozen=True)
class Setup:
    """What is around a verdict, from context.json: sentences and commands.

    missing: things not set up, each with the command that adds it. hardware: a sentence for each group of boards whose
    state no cell tells already; absent: boards without a bench.
    approval: who must approve what, or who did. claims: numbers that recomputing did not confirm.
    """

    missing: tuple[Pair, ...] = ()
    hardware: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    approval: str = ""
    approved: bool = False
    claims: tuple[str, ...] = ()
    failures: tuple[Pair, ...] = ()
    run_url: str = ""


@dataclass(frozen=True)
class Report:
    """A whole verdict. cells: worst first. headline: a sentence whose first word is the outcome.

    about: who is compared with whom, by whose policy. slack: cell, and what a budget of it could be. quiet: pass, and
    nothing at all moved: two lines are enough. first: there is no base at all. asks: what the head asks of its own
    judging, which is in new_cells and requests, and approval says who decides; empty where it asks nothing.
    """

    outcome: str
    exit_code: int
    title: str
    headline: str
    about: str
    base: str
    head: str
    quiet: bool
    first: bool
    cells: tuple[CellView, ...]
    asks: str
    requests: tuple[Request, ...]
    new_cells: tuple[NewCell, ...]
    approval: str
    notes: tuple[str, ...]
    params: tuple[Pair, ...]
    dependencies: tuple[Pair, ...]
    slack: tuple[Pair, ...]
    gaps: tuple[Gap, ...] = ()
    setup: Setup = field(default_factory=Setup)
