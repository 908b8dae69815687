"""verdict.json and context.json -> the view that every format renders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hilgate.report import story
from hilgate.report.cells import cell_view
from hilgate.report.context import setup
from hilgate.report.view import Pair, Report, Request

if TYPE_CHECKING:
    from hilgate.virtual.evidence import Gap


APPROVAL_LABEL = "hilgate-approve-budgets"  # as ci/approval.py reads it
LONGEST_LABEL, LONGEST_ORIGIN, LONGEST_HEADLINE = 40, 100, 300


def assemble(
    verdict: dict[str, Any], title: str, gaps: Sequence[Gap] = (), context: dict[str, Any] | None = None
) -> Report:
    """A checked verdict document as a Report. gaps: what no prediction can see. context: of a pull request."""
    base, head = _short(verdict["base"]["label"]), _short(verdict["head"]["label"])
    cells = sorted(verdict["cells"], key=lambda cell: (story.WORST_FIRST.index(cell["outcome"]), cell["cell"]))
    views = tuple(cell_view(cell, base, head) for cell in cells)
    noisy = verdict["requests"] or verdict["notes"] or verdict["params"] or verdict.get("dependencies")
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
        requests=tuple(
            Request(row["cell"], row["what"], row["base"], row["head"], row["effect"]) for row in verdict["requests"]
        ),
        approval=_approval(verdict, of_pull_request=context is not None),
        notes=tuple(verdict["notes"]),
        params=_pairs(verdict["params"]),
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


def _approval(verdict: dict[str, Any], *, of_pull_request: bool) -> str:
    if verdict["approved_by"]:
        return f"Approved by {_name(verdict['approved_by'])}; the new policy judged."
    text = "Judged by the old policy. Somebody else must approve this, because merging it changes later verdicts"
    if not of_pull_request:
        return f"{text}."
    return (
        f"{text}: a code owner of `params.yaml` by an approving review of this commit, "
        f"or somebody with write access by the label `{APPROVAL_LABEL}`."
    )


def _name(name: str) -> str:
    return f"`{_short(name, LONGEST_ORIGIN).replace('`', chr(39))}`"


def _short(text: str, longest: int = LONGEST_LABEL) -> str:
    """Labels stand in every table, so a branch's endless name would push everything else out of a comment."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _pairs(rows: Sequence[dict[str, str]]) -> tuple[Pair, ...]:
    return tuple(Pair(row["name"], row["base"], row["head"]) for row in rows)
