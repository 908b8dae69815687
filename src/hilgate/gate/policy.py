"""Budgets as params.yaml states them (sections `cells` and `gate`), and what one policy asks to change in another."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field

from hilgate.errors import ParamsError
from hilgate.gate.spread import Spread
from hilgate.gate.verdict import Request
from hilgate.params import Cell, Params, build

METRICS = ("accuracy", "flash_bytes", "ram_bytes", "latency_us")
USUAL_WORSE_FAIL = {"accuracy": "1%", "flash_bytes": "2%", "ram_bytes": "2%", "latency_us": "3%"}  # where nobody says
LARGEST = 1e15  # no size, time or score of a microcontroller comes near; beyond it something is damaged or forged


@dataclass(frozen=True)
class Budget:
    """Limits of one metric.

    max, min: absolute. worse_warn, worse_fail: how much worse than base, a number or "N%"; in params.yaml worse_fail
    defaults to USUAL_WORSE_FAIL. skip: why this metric is not judged in this cell (and then nothing else), such as a
    machine without a cycle counter.
    """

    max: float | None = None
    min: float | None = None
    worse_warn: float | str | None = None
    worse_fail: float | str | None = None
    skip: str | None = None

    @property
    def limit(self) -> float | None:
        """The absolute limit, whichever side it is on."""
        return self.min if self.max is None else self.max


@dataclass(frozen=True)
class Policy:
    """Which cells must be there, what each may cost: budgets[cell][metric]; spreads: calibrated benches, by testbed."""

    origin: str
    cells: dict[str, Cell]
    budgets: dict[str, dict[str, Budget]]
    spreads: dict[str, Spread] = field(default_factory=dict)


def read_policy(params: Params, origin: str) -> Policy:
    """The policy of one params.yaml. Raises ParamsError: unknown metric or cell, a limit that makes no sense."""
    budgets: dict[str, dict[str, Budget]] = {}
    for cell, entry in params.sections["gate"].items():
        where = f"{params.path}: gate.{cell}"
        if cell not in params.cells:
            raise ParamsError("budgets for a cell that `cells` does not have", where=where, hint=_list(params.cells))
        if not isinstance(entry, dict):
            raise ParamsError("must be a mapping of metrics", where=where, hint=_list(METRICS))
        budgets[cell] = {metric: _budget(metric, value, where) for metric, value in entry.items()}
    return Policy(origin=origin, cells=dict(params.cells), budgets=budgets)


def allowance(limit: float | str | None, base: float) -> float | None:
    """How much worse than `base` a limit allows, in the metric's unit; None when there is no limit."""
    if isinstance(limit, str):
        return abs(base) * float(limit[:-1]) / 100
    return limit


def requests_between(base: Policy, head: Policy) -> tuple[Request, ...]:
    """What the head's policy asks to change: cells and budgets, sorted by cell."""
    found: list[Request] = []
    for cell in sorted({*base.cells, *head.cells}):
        old, new = base.cells.get(cell), head.cells.get(cell)
        if old != new:
            found.append(Request("cell", cell, "cell", _cell_text(old), _cell_text(new), _cell_effect(old, new)))
        if new is not None:
            found += _budget_requests(cell, base.budgets.get(cell, {}), head.budgets.get(cell, {}))
    return (*found, *_bench_requests(base.spreads, head.spreads))


def _bench_requests(base: dict[str, Spread], head: dict[str, Spread]) -> list[Request]:
    """A calibration decides what a bench may claim, so a pull request that brings one asks for it."""
    found = []
    for testbed in sorted({*base, *head}):
        old, new = base.get(testbed), head.get(testbed)
        if old != new:
            texts = (f"{one.text()} ({one.loads} loads, {one.made})" if one else "not there" for one in (old, new))
            was, wanted = texts
            found.append(Request("bench", "", f"calibration of {testbed}", was, wanted, "changes"))
    return found


def _budget_requests(cell: str, base: dict[str, Budget], head: dict[str, Budget]) -> list[Request]:
    found = []
    for metric in METRICS:
        old, new = base.get(metric, Budget()), head.get(metric, Budget())
        for part in dataclasses.fields(Budget):
            was, wanted = getattr(old, part.name), getattr(new, part.name)
            if was != wanted:
                effect = _budget_effect(part.name, was, wanted)
                found.append(Request("budget", cell, f"{metric}.{part.name}", _text(was), _text(wanted), effect))
    return found


def _budget_effect(field: str, was: float | str | None, wanted: float | str | None) -> str:
    if field == "skip":
        return "changes" if was and wanted else "loosens" if wanted else "tightens"
    if was is None or wanted is None:
        return "tightens" if was is None else "loosens"
    if isinstance(was, str) != isinstance(wanted, str):
        return "changes"
    old, new = (float(value[:-1]) if isinstance(value, str) else value for value in (was, wanted))
    return "loosens" if (new > old) != (field == "min") else "tightens"


def _cell_effect(old: Cell | None, new: Cell | None) -> str:
    if old is None:
        return "adds"
    return "removes" if new is None else "changes"


def _budget(metric: object, value: object, where: str) -> Budget:
    if metric not in METRICS:
        raise ParamsError(f"unknown metric `{str(metric)[:60]}`", where=where, hint=_list(METRICS))
    where = f"{where}.{metric}"
    budget = build(Budget, value, where)
    if budget.skip is not None and (not 0 < len(budget.skip.strip()) <= 200 or budget != Budget(skip=budget.skip)):
        raise ParamsError("`skip` takes a reason of at most 200 letters and no limit beside it", where=where)
    for name in ("max", "min", "worse_warn", "worse_fail"):
        _check_limit(getattr(budget, name), f"{where}.{name}", relative=name.startswith("worse"))
    if budget.max is not None and budget.max < 0 and metric != "accuracy":
        raise ParamsError(f"{budget.max:g} is no limit", where=f"{where}.max", hint="sizes and times are not negative")
    if budget.skip is None and budget.worse_fail is None:
        budget = dataclasses.replace(budget, worse_fail=USUAL_WORSE_FAIL[str(metric)])
    if budget.min is not None and (metric != "accuracy" or budget.max is not None):
        hint = "accuracy takes min (higher is better) or max (lower is better); every other metric takes max"
        raise ParamsError("`min` does not belong here", where=where, hint=hint)
    warn, fail = budget.worse_warn, budget.worse_fail
    if warn is not None and fail is not None and isinstance(warn, str) == isinstance(fail, str):
        old, new = (allowance(limit, 100.0) or 0.0 for limit in (warn, fail))
        if old > new:
            raise ParamsError("worse_warn is beyond worse_fail", where=where, hint="a warning comes before a failure")
    return budget


def _check_limit(limit: float | str | None, where: str, *, relative: bool) -> None:
    if limit is None:
        return
    if isinstance(limit, str):
        if not relative or not re.fullmatch(r"\d{1,6}(\.\d{1,6})?%", limit):
            hint = 'such as 0.5 or "2%"' if relative else "a number"
            raise ParamsError(f"{limit[:40]!r} is no limit", where=where, hint=hint)
    elif not math.isfinite(limit) or abs(limit) > LARGEST or (relative and limit < 0):
        raise ParamsError(f"{limit!r} is no limit", where=where, hint="a finite number" + (", not negative" * relative))


def _text(value: float | str | None) -> str:
    return "not set" if value is None else f"{value:.10g}" if isinstance(value, int | float) else value


def _cell_text(cell: Cell | None) -> str:
    return "not there" if cell is None else f"{cell.task} on {cell.board}"


def _list(names: object) -> str:
    return f"known: {', '.join(map(str, names))}"  # type: ignore[call-overload]
