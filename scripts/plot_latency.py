"""The picture of what scripts/simulate_latency.py counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = ("#0b3c6f", "#2463b4", "#4d90d6", "#4b9e8a", "#b08a2e", "#c4731a", "#b42318")
OUTCOMES = {"called": "#b42318", "inconclusive": "#8d6cc4", "pass": "#4b9e6a"}
LABELS = {"called": "called slower"}
Rows = list[dict[str, Any]]


def plot(rows: Rows, path: Path) -> None:
    """Power, false alarms and outcomes side by side, as SVG that depends on nothing but the counts."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update(
        {"svg.hashsalt": "hilgate", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    from matplotlib import pyplot

    figure, (power, alarms, outcomes) = pyplot.subplots(1, 3, figsize=(12, 4.2), constrained_layout=True)
    _power(power, [row for row in rows if row["scenario"] == "all together"])
    _alarms(alarms, [row for row in rows if row["slow_down"] == 0])
    _outcomes(outcomes, [row for row in rows if row["scenario"] == "all together"])
    figure.savefig(path, metadata={"Date": None})


def interval(hits: int, of: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share."""
    from scipy.stats import beta

    low = float(beta.ppf(0.025, hits, of - hits + 1)) if hits else 0.0
    return low, float(beta.ppf(0.975, hits + 1, of - hits)) if hits < of else 1.0


def _power(axes: Any, rows: Rows) -> None:
    spreads = sorted({row["spread"] for row in rows})
    for spread, colour in zip(spreads, COLOURS, strict=True):
        points = sorted(
            (row["slow_down"], row["warn"] + row["fail"], row["sessions"]) for row in rows if row["spread"] == spread
        )
        axes.plot(
            [100 * slow for slow, _, _ in points],
            [100 * hits / of for _, hits, of in points],
            "o-",
            color=colour,
            ms=3,
            label=f"{100 * spread:g} %",
        )
    axes.axhline(99, color="#57606a", lw=0.8, ls="--")
    axes.set(
        title="found: drift, wander and 1 % outliers", xlabel="true slow-down, %", ylabel="called slower, % of sessions"
    )
    axes.legend(title="spread of one load", fontsize=8)


def _alarms(axes: Any, rows: Rows) -> None:
    names = list(dict.fromkeys(row["scenario"] for row in rows))
    for at, name in enumerate(names):
        hits = sum(row["warn"] + row["fail"] for row in rows if row["scenario"] == name)
        of = sum(row["sessions"] for row in rows if row["scenario"] == name)
        low, high = interval(hits, of)
        middle = 1e4 * hits / of
        axes.errorbar(
            middle, at, xerr=[[middle - 1e4 * low], [1e4 * high - middle]], fmt="o", color=COLOURS[1], capsize=3, ms=4
        )
    axes.axvline(4, color=OUTCOMES["called"], lw=1, ls="--")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(
        title="false alarms: all spreads, 95 % interval", xlabel="in 10,000 sessions of equal firmwares", xlim=(0, 5)
    )


def _outcomes(axes: Any, rows: Rows) -> None:
    spreads = sorted({row["spread"] for row in rows})
    for at, spread in enumerate(spreads):
        for shift, slow in ((-0.2, 0.0), (0.2, 0.02)):
            row = next(one for one in rows if one["spread"] == spread and one["slow_down"] == slow)
            left = 0.0
            for outcome, colour in OUTCOMES.items():
                count = row["warn"] + row["fail"] if outcome == "called" else row[outcome]
                share = 100 * count / row["sessions"]
                axes.barh(
                    at + shift,
                    share,
                    0.36,
                    left=left,
                    color=colour,
                    label=LABELS.get(outcome, outcome) if at == 0 and not slow else None,
                )
                left += share
            axes.text(101, at + shift, f"{100 * slow:g} %", va="center", fontsize=7)
    axes.set_yticks(range(len(spreads)), [f"{100 * spread:g} %" for spread in spreads])
    axes.invert_yaxis()
    axes.set(
        title="outcomes: equal, and 2 % slower", xlabel="% of sessions", ylabel="spread of one load", xlim=(0, 108)
    )
    axes.legend(loc="lower center", ncols=3, fontsize=8, bbox_to_anchor=(0.5, -0.32))
