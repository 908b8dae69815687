"""What must hold whatever the numbers are."""

from __future__ import annotations

import dataclasses

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilgate.gate.judge import judge
from hilgate.gate.policy import Budget, Policy
from hilgate.gate.verdict import EXIT_CODES, Outcome, worst
from hilgate.params import Cell

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BYTES = st.integers(1, 200_000)
CYCLES = st.integers(1, 400_000)
WRONG = st.integers(0, 60)
LIMITS = st.one_of(st.none(), st.integers(0, 20).map(lambda percent: f"{percent}%"))


def head_of(make, flash, ram, cycles, wrong):
    one = make.measurement(wrong=wrong)
    return dataclasses.replace(
        one,
        flash={**one.flash, "total_bytes": flash},
        ram={**one.ram, "total_bytes": ram},
        latency=dataclasses.replace(one.latency, cycles=(cycles,)),
        hashes={**one.hashes, "image": "7" * 64},
    )


def decide(make, head, policy=None, base=None):
    return judge(policy or make.policy(), make.side("main", base or make.measurement()), make.side("this PR", head))


@QUICK
@given(values=st.tuples(BYTES, BYTES, CYCLES, WRONG), more=st.tuples(BYTES, BYTES, CYCLES, WRONG))
def test_making_the_head_worse_never_improves_the_outcome(make, values, more):
    worse = tuple(value + extra for value, extra in zip(values, more, strict=True))
    before, after = decide(make, head_of(make, *values)), decide(make, head_of(make, *worse))
    assert after.outcome.severity >= before.outcome.severity
    for old, new in zip(before.cells[0].axes, after.cells[0].axes, strict=True):
        assert new.outcome.severity >= old.outcome.severity


@QUICK
@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200), data=st.data())
def test_one_more_wrong_sample_never_improves_the_outcome(make, pairs, data):
    def side(label, scores, image):
        bits = tuple(float(score) for score in scores)
        one = make.measurement()
        samples = dataclasses.replace(one.samples, scores=bits)
        hashes = {**one.hashes, "image": image * 64}
        accuracy = sum(bits) / len(bits)
        return make.side(label, dataclasses.replace(one, accuracy=accuracy, samples=samples, hashes=hashes))

    head = [new for _, new in pairs]
    place = data.draw(st.integers(0, len(head) - 1))
    worse = [new and index != place for index, new in enumerate(head)]
    policy = make.policy(accuracy=Budget(min=0.1, worse_warn=0.01, worse_fail=0.02))
    base = side("main", [old for old, _ in pairs], "1")
    before, after = (judge(policy, base, side("this PR", scores, "2")).outcome for scores in (head, worse))
    assert after.severity >= before.severity


@QUICK
@given(values=st.tuples(BYTES, BYTES, CYCLES, WRONG), warn=LIMITS, fail=LIMITS, limit=st.integers(1, 300_000))
def test_loosening_a_budget_never_worsens_the_outcome(make, values, warn, fail, limit):
    if warn and fail and int(warn[:-1]) > int(fail[:-1]):
        warn, fail = fail, warn
    head = head_of(make, *values)
    tight = make.policy(flash_bytes=Budget(max=limit, worse_warn=warn, worse_fail=fail))
    loose = make.policy(flash_bytes=Budget(max=limit + 1000, worse_warn=warn, worse_fail=fail and "50%"))
    assert decide(make, head, loose).outcome.severity <= decide(make, head, tight).outcome.severity


@QUICK
@given(values=st.tuples(BYTES, BYTES, CYCLES, WRONG))
def test_a_self_comparison_is_all_zeros_and_as_good_as_its_budgets(make, values):
    one = head_of(make, *values)
    verdict = decide(make, one, base=one)
    assert all(axis.change == 0 for axis in verdict.cells[0].axes)
    within = values[0] <= 150_000 and values[1] <= 30_000 and values[2] <= 250_000 and values[3] <= 50
    assert verdict.outcome is (Outcome.PASS if within else Outcome.FAIL)


@QUICK
@given(order=st.permutations(range(5)), cycles=st.lists(CYCLES, min_size=5, max_size=5))
def test_the_order_of_cells_does_not_matter(make, order, cycles):
    names = [f"toy_{number}" for number in range(5)]
    heads = [
        dataclasses.replace(head_of(make, 1000, 1000, count, 20), cell=name)
        for name, count in zip(names, cycles, strict=True)
    ]
    bases = [dataclasses.replace(make.measurement(), cell=name) for name in names]
    budgets = make.policy().budgets["toy_board_a"]

    def decided(indices):
        chosen = [names[index] for index in indices]
        policy = Policy("main", {name: Cell("toy", "board_a") for name in chosen}, dict.fromkeys(chosen, budgets))
        sides = (make.side("main", *(bases[i] for i in indices)), make.side("this PR", *(heads[i] for i in indices)))
        return judge(policy, *sides).document()

    assert decided(order) == decided(range(5))


@QUICK
@given(
    gone=st.sampled_from(["accuracy", "flash_bytes", "ram_bytes", "latency_us"]),
    values=st.tuples(BYTES, BYTES, CYCLES, WRONG),
)
def test_a_missing_budget_is_never_a_pass(make, gone, values):
    assert decide(make, head_of(make, *values), make.policy(**{gone: None})).outcome not in (Outcome.PASS, Outcome.WARN)


@given(outcomes=st.lists(st.sampled_from(list(Outcome)), min_size=1))
def test_the_whole_is_as_bad_as_its_worst_part(outcomes):
    assert worst(outcomes).severity == max(outcome.severity for outcome in outcomes)
    assert worst(outcomes) in outcomes


def test_every_outcome_has_an_exit_code_and_only_harmless_ones_are_zero():
    assert {outcome for outcome in Outcome if EXIT_CODES[outcome] == 0} == {Outcome.PASS, Outcome.WARN}
    assert worst([]) is Outcome.INCONCLUSIVE
