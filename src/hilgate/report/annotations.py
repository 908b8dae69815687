"""What did not pass as annotations on the lines of params.yaml that judged it: for a check run, and for a job's log.

Two forms of one list. A check run takes JSON objects, at most fifty a call. A job's log takes workflow commands, one a
line, of which GitHub shows ten of each kind a step; in them %, line ends, and in properties : and , are escaped
(actions/toolkit, packages/core/src/command.ts), so that no text can start a command of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.report.escape import visible
from hilgate.report.lines import line_of

if TYPE_CHECKING:
    from hilgate.report.view import CellView, Reason, Report

POLICY_FILE = "params.yaml"
MOST = 50
LONGEST_TITLE = 200  # GitHub takes 255 characters
LONGEST_MESSAGE = 1000
LEVELS = {"fail": "failure", "inconclusive": "warning", "waiting": "warning", "warn": "warning", "pass": "notice"}
COMMANDS = {"failure": "error", "warning": "warning", "notice": "notice"}
FIELDS = {"absolute": ("max", "min"), "relative": ("worse_fail", "worse_warn"), "paired": ("worse_fail", "worse_warn")}


@dataclass(frozen=True)
class Annotation:
    """One finding on one line. level: failure, warning or notice; title and message: plain text without line ends."""

    level: str
    line: int
    title: str
    message: str

    def as_check_run(self, path: str = POLICY_FILE) -> dict[str, Any]:
        """As GitHub's API for check runs takes it."""
        where = {"path": path, "start_line": self.line, "end_line": self.line}
        return {**where, "annotation_level": self.level, "title": self.title, "message": self.message}

    def as_command(self, path: str = POLICY_FILE) -> str:
        """As a line of a job's log."""
        title = _property(self.title)
        return f"::{COMMANDS[self.level]} file={_property(path)},line={self.line},title={title}::{_data(self.message)}"


def annotate(report: Report, params: str) -> tuple[Annotation, ...]:
    """Worst first, at most MOST. params: the text of params.yaml in the head, "" where it is not known."""
    found = [_of_reason(cell, reason, params) for cell in report.cells for reason in _worth(cell)]
    found += [
        _annotation("warning", line, f"{request.cell}: a change of what judges", f"{report.head} asks: {asked}")
        for request in report.requests
        for line in [line_of(params, _path(request.cell, request.what))]
        for asked in [f"{request.what}: {request.base} → {request.head} ({request.effect})"]
    ]
    found += [
        _annotation("warning", line_of(params, ["cells", one.cell]), f"{one.cell}: a new cell", one.text)
        for one in report.new_cells
    ]
    order = list(COMMANDS)
    return tuple(sorted(found, key=lambda one: order.index(one.level))[:MOST])


def _worth(cell: CellView) -> list[Reason]:
    return [reason for reason in cell.reasons if reason.outcome != "pass"]


def _of_reason(cell: CellView, reason: Reason, params: str) -> Annotation:
    """On the budget of its metric; what concerns the whole cell stands on the cell's line."""
    path = ["cells", cell.cell]
    if len(reason.metrics) == 1:
        path = _limit_path(cell.cell, reason, params)
    title = f"{cell.cell}: {reason.subject or reason.rule}, {reason.outcome}"
    return _annotation(LEVELS[reason.outcome], line_of(params, path), title, reason.text)


def _limit_path(cell: str, reason: Reason, params: str) -> list[str]:
    """The budget's own key where it stands on a line of its own, else the metric's."""
    metric = ["gate", cell, reason.metrics[0]]
    found = [(line_of(params, [*metric, field]), field) for field in FIELDS.get(reason.rule, ())]
    line = line_of(params, metric)
    return next(([*metric, field] for at, field in found if at > line), metric)


def _path(cell: str, what: str) -> list[str]:
    """Of a request: `flash_bytes.max` of a budget, `cell` of a cell."""
    return ["cells", cell] if what == "cell" else ["gate", cell, *what.split(".")]


def _annotation(level: str, line: int, title: str, message: str) -> Annotation:
    plain = (visible(title, LONGEST_TITLE), visible(message, LONGEST_MESSAGE))
    return Annotation(level, line, *(text.replace("`", "") for text in plain))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
