"""What stands around a pull request's verdict, from context.json: set-up, hardware, approval, claims; in sentences."""

from __future__ import annotations

from typing import Any

from hilgate.report.view import Pair, Setup

MOST_BOARDS = 12
STATES = {
    "waiting": "waits for hardware",
    "offline": "not measured, its bench is offline",
    "absent": "not measured, there is no bench for it",
    "refused": "not measured, the bench refused",
}
FAILED = {
    "failed": "failed in the jobs of the pull request",
    "missing": "was not handed in",
    "refused": "was refused",
}
NOT_THEIRS = "; the harness, not this change, is why"


def setup(context: dict[str, Any] | None, told: frozenset[str] = frozenset()) -> Setup:
    """A checked context document as a Setup; None: a local run, which has none of it.

    told: reasons that cells give already; a board is not explained twice.
    """
    if context is None:
        return Setup()
    return Setup(
        missing=tuple(Pair(row["what"], row["command"], "") for row in context["missing"]),
        hardware=tuple(_hardware(context["hardware"], told, absent=False)),
        absent=tuple(_hardware(context["hardware"], told, absent=True)),
        approval=_approval(context),
        approved=context["approval"]["state"] == "given",
        claims=tuple(
            f"`{_plain(row['cell'])}` {_plain(row['what'])}: claimed {_plain(row['claimed'])}, "
            f"recomputed {_plain(row['recomputed'])}"
            for row in context.get("claims", [])
        ),
        failures=tuple(
            Pair(row["cell"], FAILED[row["state"]] + ("" if row.get("by_author", True) else NOT_THEIRS), row["error"])
            for row in context.get("cells", [])
            if row["state"] in FAILED
        ),
        run_url=context["run_url"],
    )


def _hardware(boards: list[dict[str, Any]], told: frozenset[str], *, absent: bool) -> list[str]:
    """One sentence for all boards of the same state and reason; of what was measured the cells tell."""
    groups: dict[tuple[str, str], list[str]] = {}
    for board in boards:
        if board["reason"] in told or board["state"] == "measured" or (board["state"] == "absent") != absent:
            continue
        groups.setdefault((board["state"], board["reason"]), []).append(f"`{board['board']}`")
    sentences = []
    for (state, reason), names in groups.items():
        shown = ", ".join(names[:MOST_BOARDS])
        more = f" and {len(names) - MOST_BOARDS} more" if len(names) > MOST_BOARDS else ""
        sentences.append(f"{shown}{more}: {STATES[state]}" + (f"; {_balanced(reason)}" if reason else ""))
    return sentences


def _approval(context: dict[str, Any]) -> str:
    state, head = context["approval"]["state"], context["head_sha"]
    if state == "needed":
        return f"Hardware waits for somebody with write access, who looks at the change and comments `/hardware {head}`"
    if state == "given":
        given = context["approval"]["sha"]
        what = f"commit `{given[:10]}`" if given else "this commit"
        return f"`{_plain(context['approval']['by'])}` approved {what} for the hardware"
    return ""


def _balanced(text: str) -> str:
    """A backtick without its partner would open a name that never ends."""
    return text if text.count("`") % 2 == 0 else _plain(text)


def _plain(name: str) -> str:
    return name.replace("`", "'")
