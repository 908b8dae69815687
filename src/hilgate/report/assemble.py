"""verdict.json and context.json -> the view that every format renders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hilgate.report import asked, story
from hilgate.report.cells import cell_view
from hilgate.report.context import setup
from hilgate.report.view import Pair, Report

if TYPE_CHECKING:
    from hilgate.virtual.evidence import Gap


LONGEST_LABEL, LONGEST_ORIGIN, LONGEST_HEADLINE = 40, 100, 300


def assemble(
    verdict: dict[str, Any], title: str, gaps: Sequence[Gap] = (), context: dict[str, Any] | None = None
) -> Report:
    """A checked verdict document as a Report. gaps: what no prediction can see. context: of a pull request."""
    base, head = _short(verdict["base"]["label"]), _short(verdict["head"]["label"])
    cells = sorted(verdict["cells"], key=lambda cell: (story.WORST_FIRST.index(cell["outcome"]), cell["cell"]))
    views = tuple(cell_view(cell, base, head) for cell in cells)
    noisy = verdict["requests"] or verdict["notes"] or verdict["params"] or verdict.get("dependencies")
    added = asked.new_cells(verdict)
    theirs = {entry.what for one in added for entry in one.entries}
    approved_by = _name(verdict["approved_by"]) if verdict["approved_by"] else ""
    around = setup(context, frozenset(reason.text for view in views for reason in view.reasons))
    return Report(
        outcome=verdict["outcome"],
        exit_code=verdict["exit_code"],
        title=_short(title),
        headline=_short(story.headline(verdict), LONGEST_HEADLINE),
        about=_about(verdict),
        base=base,
        head=head,
        quiet=bool(views) and all(view.quiet for view in views) and not noisy and not around.claims,
        first=verdict["base"]["kind"] == "none",
        cells=views,
        asks=asked.heading(verdict, base, head),
        requests=asked.other_requests(verdict),
        new_cells=added,
        approval=asked.approval(verdict, base, approved_by, of_pull_request=context is not None),
        notes=tuple(verdict["notes"]),
        params=_pairs([row for row in verdict["params"] if row["name"] not in theirs]),
        dependencies=_pairs(verdict.get("dependencies", [])),
        slack=tuple(Pair(view.cell, row.tighten, "") for view in views for row in view.rows if row.tighten),
        gaps=tuple(gaps),
        setup=around,
    )


def _about(verdict: dict[str, Any]) -> str:
    """Who is compared with whom, by whose policy."""
    base = "nothing" if verdict["base"]["kind"] == "none" else _short(verdict["base"]["origin"], LONGEST_ORIGIN)
    policy = _short(verdict["policy"], LONGEST_ORIGIN)
    text = f"{_short(verdict['head']['label'])} against {base}, judged by the policy of {policy}"
    return f"{text}, whose changes {_name(verdict['approved_by'])} approved" if verdict["approved_by"] else text


def _name(name: str) -> str:
    return f"`{_short(name, LONGEST_ORIGIN).replace('`', chr(39))}`"


def _short(text: str, longest: int = LONGEST_LABEL) -> str:
    """Labels stand in every table, so a branch's endless name would push everything else out of a comment."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _pairs(rows: Sequence[dict[str, str]]) -> tuple[Pair, ...]:
    return tuple(Pair(row["name"], row["base"], row["head"]) for row in rows)
