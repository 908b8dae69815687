"""The gate itself: a pure function from a policy and two sides to a verdict. It reads no file and knows no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hilgate.gate.axes import judge_axes, unjudged_axes
from hilgate.gate.changes import changed_packages, changed_params, changes_between, facts
from hilgate.gate.measured import Both, Measurement
from hilgate.gate.policy import Policy, requests_between
from hilgate.gate.rules import Context, another_toolchain, toolchain
from hilgate.gate.sides import Side
from hilgate.gate.verdict import Axis, CellVerdict, Check, Outcome, Request, Verdict, quote
from hilgate.params import Cell

STORE_BASELINE = "to store one, on the default branch: `dvc repro`, then `git add dvc.lock artifacts && git commit`"


def judge(policy: Policy, base: Side, head: Side, approved_by: str = "") -> Verdict:
    """Every cell of `policy`, and every new one of the head, by every rule.

    policy: the base's, or the head's once its requests are approved. approved_by: who approved them, or "".
    """
    context = _context(policy, base, head, approved_by)
    expected = [_judge_cell(name, policy, base, head, context) for name in sorted(policy.cells)]
    asked = head.policy.cells if head.policy else {}
    new = [name for name in sorted(head.measurements) if name in asked and name not in policy.cells]
    waiting = [_wait_for(name, asked[name], head.measurements[name], context) for name in new]
    return Verdict(
        cells=(*expected, *waiting),
        requests=_requests(base, head),
        base=base.about(),
        head=head.about(),
        policy=policy.origin,
        approved_by=approved_by,
        notes=_notes(policy, base, head),
        params=changed_params(base.params, head.params) if base.params and head.params else (),
        dependencies=changed_packages(base.packages, head.packages) if base.packages and head.packages else (),
    )


def _context(policy: Policy, base: Side, head: Side, approved_by: str) -> Context:
    no_baseline = f"no base to compare with: this is a first run; {STORE_BASELINE}"
    if base.kind != "none":
        no_baseline = f"{base.label} has no measurement of this cell; {STORE_BASELINE}"
    return Context(base.label, head.label, policy.origin, no_baseline, approved_by, policy.spreads)


def _judge_cell(name: str, policy: Policy, base: Side, head: Side, context: Context) -> CellVerdict:
    old, new = base.measurements.get(name), head.measurements.get(name)
    both = Both(old, new)
    if base.policy is not None and name not in base.policy.cells:
        context = replace(context, no_baseline="")  # the cell is new, nothing to compare with can exist
    if head.policy is not None:
        context = replace(context, asked=head.policy.budgets.get(name, {}))
    budgets = policy.budgets.get(name, {})
    if new is None:
        reason = f"{head.label} has no measurement of this cell; make it with `dvc repro`"
        return _cell(name, policy.cells[name], (), unjudged_axes(both, budgets, Outcome.INCONCLUSIVE, reason), both)
    checks = _cell_checks(policy.cells[name], old, new, context)
    axes = judge_axes(budgets, both, context)
    return _cell(name, policy.cells[name], checks, axes, both)


def _wait_for(name: str, cell: Cell, new: Measurement, context: Context) -> CellVerdict:
    """A cell that only the head's policy has: shown, not judged."""
    both = Both(None, new)
    axes = unjudged_axes(both, {}, Outcome.WAITING, f"a new cell, which the policy of {context.policy} does not have")
    return _cell(name, cell, (), axes, both)


def _cell(name: str, cell: Cell, checks: tuple[Check, ...], axes: tuple[Axis, ...], both: Both) -> CellVerdict:
    sides = {"base": facts(both.base), "head": facts(both.head)}
    return CellVerdict(name, cell.task, cell.board, checks, axes, sides, changes_between(both.base, both.head))


def _cell_checks(cell: Cell, base: Measurement | None, head: Measurement, context: Context) -> tuple[Check, ...]:
    """Rules about the measurement as a whole; those that hold and say nothing new are left out, except parity."""
    checks = [_parity(head)]
    if (head.task, head.board) != (cell.task, cell.board):
        is_now, should_be = f"{head.task} on {head.board}", f"{cell.task} on {cell.board}"
        reason = f"the measurement is of {quote(is_now)}, the cell is {quote(should_be)}"
        checks.append(Check("cell", Outcome.INCONCLUSIVE, reason))
    if head.ram["stack_seen_bytes"] > head.ram["stack_worst_bytes"]:
        seen, computed = head.ram["stack_seen_bytes"], head.ram["stack_worst_bytes"]
        reason = f"the stack was seen {seen} bytes deep, deeper than the computed worst case of {computed}"
        checks.append(Check("stack", Outcome.WARN, reason))
    if base is not None and _same_image(base, head) and not _same_numbers(base, head):
        why = "the measuring changed, not the product"
        reason = f"the very image of {context.base_label}, yet other numbers: {why}"
        checks.append(Check("same image", Outcome.INCONCLUSIVE, reason))
    return tuple(checks)


def _parity(head: Measurement) -> Check:
    if head.mismatches:
        layer = f", first in layer {quote(head.first_layer)}" if head.first_layer else ""
        reason = f"{head.mismatches} of {head.vectors} outputs differ from the reference{layer}"
        return Check("parity", Outcome.FAIL, reason)
    if not head.vectors:
        return Check("parity", Outcome.INCONCLUSIVE, "no output was compared with the reference")
    return Check("parity", Outcome.PASS, f"all {head.vectors} outputs equal the reference to the bit")


def _same_image(base: Measurement, head: Measurement) -> bool:
    return all(base.hashes[name] == head.hashes[name] for name in ("image", "weights"))


def _same_numbers(base: Measurement, head: Measurement) -> bool:
    """One image always has the same sizes, and the same cycles where both are predicted (measured ones scatter)."""
    sizes = all(
        getattr(base, memory)["total_bytes"] == getattr(head, memory)["total_bytes"] for memory in ("flash", "ram")
    )
    if base.latency is None or head.latency is None or "measured" in (base.source, head.source):
        return sizes
    return sizes and base.latency.cycles == head.latency.cycles


def _requests(base: Side, head: Side) -> tuple[Request, ...]:
    """Everything that decides verdicts and differs: budgets, cells, test sets, metrics, evidence classes, compilers."""
    found: list[Request] = []
    if base.policy is not None and head.policy is not None:
        found += requests_between(base.policy, head.policy)
    for name in sorted({*base.measurements} & {*head.measurements}):
        old, new = base.measurements[name], head.measurements[name]
        rows: Sequence[tuple[str, str, str]] = (
            ("test set", old.hashes["dataset"][:12], new.hashes["dataset"][:12]),
            ("metric", old.metric, new.metric),
            ("evidence", old.evidence, new.evidence if new.source == old.source else old.evidence),
        )
        if another_toolchain(old, new):
            rows = (*rows, ("compiler", toolchain(old), toolchain(new)))
        found += [Request(kind, name, kind, was, now, "changes") for kind, was, now in rows if was != now]
    return tuple(found)


def _notes(policy: Policy, base: Side, head: Side) -> tuple[str, ...]:
    known = {*policy.cells, *(head.policy.cells if head.policy else ())}
    notes = [
        f"{quote(name)} was measured but is in no policy: ignored" for name in sorted({*head.measurements} - known)
    ]
    if base.kind == "git" and base.policy is None:
        notes.append(f"{base.label} has no params.yaml: judged by the policy of {head.label}")
    return tuple(notes)
