"""From two measurements with loads to a verdict: what is compared, what is refused, what is said."""

from __future__ import annotations

import dataclasses
import json
import random

import numpy as np
import pytest

from hilgate.errors import ArtifactError
from hilgate.gate import loads
from hilgate.gate.judge import judge
from hilgate.gate.measured import Latency, Load, parse_measurement
from hilgate.gate.policy import Budget
from hilgate.gate.spread import Spread
from hilgate.gate.verdict import Outcome

BENCH = "0123abcd"
CLOCK_HZ = 100_000_000
QUIET = Spread(BENCH, "board_a", 64, 0.0010, 0.0012, 0.0, "2026-01-02")
LOUD = Spread(BENCH, "board_a", 64, 0.0090, 0.0110, 0.0, "2026-01-02")


@pytest.fixture
def session(make):
    """Both sides of a synthetic session, as (base, head)."""

    def measured(slower=0.0, spread=0.001, pairs=20, seed=1, turns=None):
        generator = np.random.default_rng(seed)
        found = {False: [], True: []}
        for position, head in enumerate(turns or loads.interleave(pairs, random.Random(seed))):
            cycles = 200_000 * (1 + slower * head) * (1 + spread * generator.standard_normal())
            found[head].append(Load(position, (round(cycles),) * 3))
        return tuple(_side(make, found[head], "ba"[not head]) for head in (False, True))

    return measured


def _side(make, its_loads, letter):
    plain = make.measurement()
    latency = Latency(
        tuple(count for load in its_loads for count in load.cycles), CLOCK_HZ, (), tuple(its_loads), "session-1"
    )
    environment = {"compiler": "gcc", "compiler_version": "12", "target": BENCH}
    hashes = {**plain.hashes, "image": letter * 64}
    changed = {"latency": latency, "environment": environment, "hashes": hashes}
    return dataclasses.replace(plain, source="measured", evidence="measured", **changed)


@pytest.fixture
def latency_axis(make, axis):
    def judged(base, head, spread=QUIET, **limits):
        budget = Budget(**{"max": 2_500, "worse_warn": "0.5%", "worse_fail": "2%", **limits})
        policy = dataclasses.replace(make.policy(latency_us=budget), spreads={BENCH: spread} if spread else {})
        return axis(judge(policy, make.side("main", base), make.side("this PR", head)), "latency_us")

    return judged


def reason(axis):
    return axis.checks[-1].reason


@pytest.mark.parametrize(
    ("slower", "outcome", "said"),
    [
        (0.0, Outcome.PASS, "may be chance"),
        (-0.05, Outcome.PASS, "a slow-down beyond −"),
        (0.012, Outcome.WARN, "beyond the 0.50 % that `worse_warn` allows"),
        (
            0.04,
            Outcome.FAIL,
            "beyond the 2.00 % that `worse_fail` allows; this bench finds a slow-down of 0.36 % in 99 %",
        ),
    ],
)
def test_a_quiet_bench_decides(session, latency_axis, slower, outcome, said):
    axis = latency_axis(*session(slower))
    assert axis.outcome is outcome
    assert said in reason(axis)
    assert axis.loads.pairs == 20
    assert axis.loads.change == pytest.approx(slower, abs=0.002)
    assert axis.loads.visible == pytest.approx(loads.visible_change(QUIET.upper, 20))


@pytest.mark.parametrize(
    ("more", "worse_warn", "outcome"), [(0, None, Outcome.PASS), (1, None, Outcome.WARN), (1, "0.1%", Outcome.PASS)]
)
def test_a_bench_that_never_scatters_sees_one_cycle(session, latency_axis, more, worse_warn, outcome):
    axis = latency_axis(*session(more / 200_000, spread=0.0), worse_warn=worse_warn)
    assert axis.outcome is outcome
    assert axis.loads.change == pytest.approx(more / 200_000)


def test_a_loud_bench_claims_nothing_about_a_small_limit(session, latency_axis):
    axis = latency_axis(*session(0.0), LOUD)
    assert axis.outcome is Outcome.INCONCLUSIVE
    assert f"measure {loads.pairs_needed(LOUD.upper, 0.02)} pairs" in reason(axis)


@pytest.mark.parametrize(("slower", "outcome"), [(0.0, Outcome.INCONCLUSIVE), (0.1, Outcome.FAIL)])
def test_a_disturbed_bench_claims_nothing_but_sees_what_is_plain(session, latency_axis, slower, outcome):
    axis = latency_axis(*session(slower), dataclasses.replace(QUIET, disturbed=0.2))
    assert axis.outcome is outcome
    assert "disturbed too often" in reason(axis)
    assert axis.loads.visible is None


def test_a_loud_bench_may_still_see_a_large_slow_down(session, latency_axis):
    assert latency_axis(*session(0.2, spread=0.009), LOUD).outcome is Outcome.FAIL


def test_a_session_louder_than_its_calibration_is_inconclusive(session, latency_axis):
    axis = latency_axis(*session(0.0, spread=0.08))
    assert axis.outcome is Outcome.INCONCLUSIVE
    assert "measure again" in reason(axis)


@pytest.mark.parametrize("spread", [None, dataclasses.replace(QUIET, board="board_b")])
def test_a_bench_without_calibration_claims_nothing(session, latency_axis, spread):
    axis = latency_axis(*session(0.1), spread)
    assert axis.outcome is Outcome.INCONCLUSIVE
    assert "not calibrated" in reason(axis)
    assert axis.loads.visible is None


ONE_PAIR_OF_HEADS = [False, True] * 9 + [True, False] * 9 + [True, True, False, False]


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([False] * 20 + [True] * 20, "did not take turns"),
        ([False, True] * 20, "did not take turns"),
        ([False, True] * 16 + [True, False] * 4, "did not take turns"),
        (ONE_PAIR_OF_HEADS, "did not take turns"),
        ([False, True, True, False] * 3, "6 loads of each side; fewer than 12"),
    ],
)
def test_loads_that_did_not_take_turns_are_not_compared(session, latency_axis, turns, said):
    axis = latency_axis(*session(turns=turns))
    assert axis.outcome is Outcome.INCONCLUSIVE
    assert said in reason(axis)


def changed_latency(measurement, **changed):
    return dataclasses.replace(measurement, latency=dataclasses.replace(measurement.latency, **changed))


def test_other_sessions_benches_and_single_loads_are_not_compared(session, latency_axis):
    base, head = session()
    other = dataclasses.replace(head, environment={**head.environment, "target": "other"})
    for one, said in [
        (changed_latency(head, session="session-2"), "in different sessions"),
        (changed_latency(head, loads=head.latency.loads[1:]), "do not fill one session"),
        (changed_latency(head, loads=()), "one load of each firmware was measured"),
        (other, "on different benches"),
    ]:
        axis = latency_axis(base, one)
        assert axis.outcome is Outcome.INCONCLUSIVE
        assert said in reason(axis)


def test_another_compiler_is_said_and_not_hidden(session, latency_axis):
    base, head = session()
    newer = dataclasses.replace(head, environment={**head.environment, "compiler_version": "13"})
    axis = latency_axis(base, newer)
    assert axis.outcome is Outcome.INCONCLUSIVE
    assert "another compiler: `gcc 12` in main, `gcc 13` in this PR; " in reason(axis)


def test_another_clock_counts_as_time(session, latency_axis):
    base, head = session()
    axis = latency_axis(base, changed_latency(head, clock_hz=CLOCK_HZ * 9 // 10))
    assert axis.outcome is Outcome.FAIL
    assert axis.loads.change == pytest.approx(1 / 9, abs=0.002)


def loads_document(make, **changed):
    document = make.document()
    document |= {"source": "measured", "evidence": "measured"}
    its_loads = [{"position": at, "cycles": [200_000, 200_000]} for at in (0, 3)]
    document["latency"] |= {"cycles": [200_000] * 4, "loads": its_loads, "session": "s", **changed}
    return json.dumps(document)


def test_loads_are_read(make):
    latency = parse_measurement(loads_document(make), "here").latency
    assert [load.position for load in latency.loads] == [0, 3]
    assert latency.session == "s"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cycles": [200_000] * 5}, "latency.cycles are not those of latency.loads"),
        ({"loads": [{"position": 1, "cycles": [200_000] * 2}] * 2}, "two loads at one position"),
        ({"loads": [{"position": 0, "cycles": [0] * 4}]}, "less than the minimum"),
        ({"loads": []}, "should be non-empty|is too short"),
        ({"session": "a b"}, "does not match"),
    ],
)
def test_forged_loads_are_refused(make, changed, message):
    with pytest.raises(ArtifactError, match=message):
        parse_measurement(loads_document(make, **changed), "here")


def test_a_prediction_has_no_loads(make):
    text = json.dumps({**json.loads(loads_document(make)), "source": "predicted", "evidence": "validated"})
    with pytest.raises(ArtifactError, match="loads of a prediction"):
        parse_measurement(text, "here")
