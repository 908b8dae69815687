"""How often the gate finds a slow-down and how often it sees one in equal firmwares: `scripts/simulate_latency.py`.

Synthetic pull requests on synthetic benches, judged by the very functions of the gate (src/hilgate/gate/loads.py and
spread.py). A bench is calibrated once and then measures 100 pull requests; each is a session of 2 * 20 loads in turns.
One load's time is the product's time, times drift, times a scatter of the given spread, times, rarely, a disturbance.
Writes docs/statistics/latency.csv (counts per point) and docs/pictures/statistics-latency.svg. Everything in it is made
up; what is shown is how the rules behave.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilgate.gate import loads
from hilgate.gate.spread import Spread, calibrate, resolution
from hilgate.gate.verdict import Outcome

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs/statistics/latency.csv"
PLOT = ROOT / "docs/pictures/statistics-latency.svg"
Row = dict[str, Any]
SPREADS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01)
SLOW_DOWNS = (0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04)
WARN, FAIL = 0.0, 0.02  # worse_warn (its default, the hardest for false alarms), worse_fail
CYCLES = 200_000.0  # of the base; medians are whole cycles
CALIBRATION_LOADS = 64
PER_BENCH = 100
PER_ORDER = 10  # sessions that share the order of their turns, to save time
SESSIONS = 10_000
NULL_SESSIONS = 100_000  # where base and head are equal: 4 in 10,000 cannot be told with 10,000
FIELDS = (
    "scenario",
    "spread",
    "slow_down",
    "sessions",
    "claimed",
    "claimed_called",
    "pass",
    "warn",
    "inconclusive",
    "fail",
)


@dataclass(frozen=True)
class Scenario:
    """What disturbs a bench. drift: of a session, first load to last, relative; wander: random walk, step in spreads.

    outliers: share of loads, slower by an exponential amount of mean 5 %; tails: degrees of freedom of Student's t;
    wave: amplitude of a sine, in spreads, of 2 to 8 loads' period and any phase; modes: distance of two, in spreads,
    between which each load chooses by a coin.
    """

    drift: float = 0.0
    wander: float = 0.0
    outliers: float = 0.0
    tails: int | None = None
    wave: float = 0.0
    modes: float = 0.0


SCENARIOS = {
    "quiet": Scenario(),
    "drift of 2 %": Scenario(drift=0.02),
    "wander": Scenario(wander=0.5),
    "1 % outliers": Scenario(outliers=0.01),
    "5 % outliers": Scenario(outliers=0.05),
    "heavy tails": Scenario(tails=3),
    "a wave": Scenario(wave=3.0),
    "two modes": Scenario(modes=4.0),
    "all together": Scenario(drift=0.02, wander=0.3, outliers=0.01),
}


def times(scenario: Scenario, spread: float, sessions: int, count: int, generator: np.random.Generator) -> np.ndarray:
    """Relative times of `count` loads in each session, shape (sessions, count)."""
    shape = (sessions, count)
    if scenario.tails:
        scatter = generator.standard_t(scenario.tails, shape) / math.sqrt(scenario.tails / (scenario.tails - 2))
    else:
        scatter = generator.standard_normal(shape)
    logs = spread * scatter + scenario.drift * np.linspace(0, 1, count)
    if scenario.wander:
        logs += np.cumsum(scenario.wander * spread * generator.standard_normal(shape), axis=1)
    if scenario.wave:
        period, phase = generator.uniform(2, 8, (sessions, 1)), generator.uniform(0, 2 * np.pi, (sessions, 1))
        logs += scenario.wave * spread * np.sin(2 * np.pi * np.arange(count) / period + phase)
    if scenario.modes:
        logs += scenario.modes * spread * (generator.random(shape) < 0.5)
    if scenario.outliers:
        logs += (generator.random(shape) < scenario.outliers) * generator.exponential(0.05, shape)
    return np.exp(logs)


def judge_sessions(measured: np.ndarray, turns: np.ndarray, visible: float) -> list[Outcome]:
    """What the gate says of each session. measured: cycles, turns: the head's, both (sessions, 2 * pairs)."""
    sessions, count = measured.shape
    pairs = count // 2
    logs = np.log(measured).reshape(sessions, pairs, 2)
    differences = np.where(
        turns.reshape(sessions, pairs, 2)[..., 0], logs[..., 0] - logs[..., 1], logs[..., 1] - logs[..., 0]
    )
    least = resolution([float(measured.min())], pairs)
    change, error, freedom = loads.trimmed(differences, least)
    rows = zip(
        np.expm1(change).tolist(),
        loads.p_values(differences, least).tolist(),
        np.expm1(loads.upper_bounds(change, error, freedom)).tolist(),
        strict=True,
    )
    return [loads.decide(loads.Comparison(pairs, *row, 0.0), visible, WARN, FAIL) for row in rows]


def simulate(name: str, spread: float, slow_down: float, sessions: int, seed: int) -> Row:
    """Counts of one point. claimed: sessions on benches whose calibration carries the 2 % of worse_fail;

    claimed_called: those of them that were called slower.
    """
    generator = np.random.default_rng([seed, list(SCENARIOS).index(name), int(1e6 * spread), int(1e6 * slow_down)])
    scenario, counts, claimed = SCENARIOS[name], Counter[Outcome](), Counter[Outcome]()
    lots = random.Random(seed)  # noqa: S311
    for _ in range(sessions // PER_BENCH):
        medians = np.rint(CYCLES * times(scenario, spread, 1, CALIBRATION_LOADS, generator)[0])
        found = calibrate(medians.tolist())
        bench = Spread("", "", CALIBRATION_LOADS, found["spread"], found["upper"], found["disturbed"], "")
        visible = bench.visible(loads.USUAL_PAIRS) or math.inf
        orders = [loads.interleave(loads.USUAL_PAIRS, lots) for _ in range(PER_BENCH // PER_ORDER)]
        turns = np.repeat(np.asarray(orders), PER_ORDER, axis=0)
        measured = times(scenario, spread, PER_BENCH, turns.shape[1], generator) * (1 + slow_down * turns)
        outcomes = judge_sessions(np.rint(CYCLES * measured), turns, visible)
        counts.update(outcomes)
        if visible <= FAIL:
            claimed.update(outcomes)
    return {
        "scenario": name,
        "spread": spread,
        "slow_down": slow_down,
        "sessions": sessions,
        "claimed": claimed.total(),
        "claimed_called": claimed[Outcome.WARN] + claimed[Outcome.FAIL],
        **{one.value: counts[one] for one in (Outcome.PASS, Outcome.WARN, Outcome.INCONCLUSIVE, Outcome.FAIL)},
    }


def campaign(seed: int, null_sessions: int = NULL_SESSIONS, sessions: int = SESSIONS) -> list[Row]:
    """Every point."""
    points = [(name, spread, slow) for name in SCENARIOS for spread in SPREADS for slow in SLOW_DOWNS]
    return [simulate(*point, sessions if point[2] else null_sessions, seed) for point in points]


def read_table(path: Path = TABLE) -> list[Row]:
    """The committed counts."""
    with path.open(newline="") as file:
        return [
            {
                key: value if key == "scenario" else float(value) if key in FIELDS[1:3] else int(value)
                for key, value in row.items()
            }
            for row in csv.DictReader(file)
        ]


def write_table(rows: list[Row], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--plot-only", action="store_true", help="draw the committed counts again")
    options = parser.parse_args()
    if not options.plot_only:
        write_table(campaign(options.seed), TABLE)
    from plot_latency import plot

    plot(read_table(), PLOT)
    print(f"{TABLE.relative_to(ROOT)} and {PLOT.relative_to(ROOT)} are written")


if __name__ == "__main__":
    main()
