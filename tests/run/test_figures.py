"""The arithmetic of the run room."""

from __future__ import annotations

import base64
import statistics
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from hilgate.errors import DataError, DeviceError
from hilgate.link.protocol import MemoryAnswer, ProfileRow
from hilgate.run.accuracy import accuracy_of, preview, samples_of, scores, wilson
from hilgate.run.bench import latency_of, ram_of
from hilgate.run.clock import check_clock
from hilgate.run.parity import choose, first_difference
from hilgate.run.settings import RunSettings
from hilgate.run.target import Target, result_path, target_of
from hilgate.task import Metric


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_scipys(case: tuple[int, int]) -> None:
    right, n = case
    due = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson(right, n) == pytest.approx((due.low, due.high), abs=1e-12)


def test_vectors_are_chosen_by_rule_and_not_by_chance() -> None:
    assert choose(100, 5, "dataset") == choose(100, 5, "dataset") == [36, 43, 44, 56, 95]
    assert choose(100, 5, "another") != choose(100, 5, "dataset")
    assert choose(7, 500, "dataset") == list(range(7))
    assert set(choose(100, 5, "dataset")) < set(choose(100, 6, "dataset"))


@given(st.lists(st.integers(0, 3), max_size=5), st.lists(st.integers(0, 3), max_size=5))
def test_the_first_difference(got: list[int], due: list[int]) -> None:
    found = first_difference([ProfileRow(1, crc) for crc in got], due)
    if got == due:
        assert found is None
    else:
        assert found is not None
        assert got[:found] == due[:found]
        assert got[found : found + 1] != due[found : found + 1]


def subject(expected: np.ndarray, labels: np.ndarray) -> SimpleNamespace:
    model = {"output": [{"shape": [1, expected.shape[1]], "scale": 0.5, "zero_point": -10}]}
    return SimpleNamespace(expected=expected, labels=labels, x=expected, model=model, task="t", dataset_hash="0" * 64)


def test_a_metric_sees_real_numbers_and_its_scores_are_kept() -> None:
    seen = []

    def per_sample(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        seen.append(outputs)
        return (outputs.argmax(axis=1) == targets).astype(float)

    metric = Metric("accuracy", per_sample)
    cell = subject(np.array([[-10, 2], [5, 4], [0, 1]], np.int8), np.array([1, 0, 0]))
    values = scores(cell, metric)
    assert seen[0].tolist() == [[0, 6], [7.5, 7], [5, 5.5]]
    assert values.tolist() == [1, 1, 0]
    kept = samples_of(cell, metric, values)
    assert np.unpackbits(np.frombuffer(base64.b64decode(kept["bits"]), np.uint8))[:3].tolist() == [1, 1, 0]
    assert accuracy_of(values, metric)["value"] == pytest.approx(2 / 3)


def test_a_metric_that_is_no_share_has_a_normal_interval() -> None:
    metric = Metric(
        "error", lambda outputs, targets: np.abs(outputs[:, 0] - targets), binary=False, higher_is_better=False
    )
    cell = subject(np.arange(20, dtype=np.int8).reshape(20, 1), np.zeros(20))
    values = scores(cell, metric)
    found = accuracy_of(values, metric)
    assert found["value"] == pytest.approx(values.mean())
    assert found["high"] - found["low"] == pytest.approx(2 * 1.959964 * values.std(ddof=1) / np.sqrt(20), rel=1e-6)
    assert samples_of(cell, metric, values)["values"] == values.tolist()


@pytest.mark.parametrize("answer", [np.zeros(2), np.zeros((3, 1)), np.array([0, np.nan, 1])])
def test_a_metric_that_gives_something_else_is_an_error(answer: np.ndarray) -> None:
    cell = subject(np.zeros((3, 2), np.int8), np.zeros(3))
    with pytest.raises(DataError, match="one finite number"):
        scores(cell, Metric("odd", lambda outputs, targets: answer))


def test_a_stack_deeper_than_its_computed_worst_is_an_error() -> None:
    ram = {"arena_bytes": 16, "stack_worst_bytes": 500, "static_bytes": 1, "total_bytes": 2, "capacity_bytes": 3}
    cell = SimpleNamespace(sizes={"ram": ram})
    marks = MemoryAnswer(arena_bytes=16, static_bytes=1, stack_bytes=4096, stack_seen_bytes=500, overruns=0)
    assert ram_of(cell, marks, "board")["stack_seen_bytes"] == 500
    with pytest.raises(DeviceError, match="deeper than its computed worst of 500"):
        ram_of(cell, MemoryAnswer(**{**vars(marks), "stack_seen_bytes": 501}), "board")
    with pytest.raises(DeviceError, match="an arena of 17 bytes"):
        ram_of(cell, MemoryAnswer(**{**vars(marks), "arena_bytes": 17}), "board")


class Clockwork:
    """A board whose oscillator runs at `hz`, behind a link of 115200 baud and 2 ms; `now` is this computer's clock."""

    name = "board"

    def __init__(self, hz: float, cycles: int) -> None:
        self.identity = SimpleNamespace(clock_hz=180_000_000, input_bytes=100)
        self.hz, self.cycles, self.time_s, self.commands = hz, cycles, 1000.0, 0

    def bench(self, warmup: int, runs: int) -> list[int]:
        self.time_s += 0.002 + 4 * runs * 10 / 115200 + (warmup + runs) * self.cycles / self.hz
        self.commands += 1
        return [self.cycles] * runs

    def now(self) -> float:
        return self.time_s


@pytest.mark.parametrize("cycles", [20_000, 200_000, 20_000_000])
def test_the_clock_is_compared_with_this_computers(cycles: int) -> None:
    """A clock that is right, within 5 %, 800 MHz in place of 180, and 6 % off; the link's own time cancels out."""
    for hz, ratio in ((180e6, 1.0), (180e6 * 0.96, 0.96), (180e6 * 1.04, 1.04)):
        board = Clockwork(hz, cycles)
        assert check_clock(board, cycles, board.now) == pytest.approx(ratio, abs=1e-3)
        assert board.commands <= 100
    for hz, ratio in ((800e6, r"4\.44"), (180e6 * 1.06, r"1\.06"), (16e6, r"0\.089")):
        board = Clockwork(hz, cycles)
        with pytest.raises(DeviceError, match=rf"says 180 MHz, but its cycles are {ratio}"):
            check_clock(board, cycles, board.now)


def test_a_clock_is_not_judged_by_runs_too_short_to_tell() -> None:
    """Restoring 100 bytes takes up to 700 cycles: a quarter of 2,800."""
    board = Clockwork(16e6, 2_799)
    assert check_clock(board, 2_799, board.now) is None
    assert board.commands == 0


class Bench:
    """A session whose cycles are given."""

    name = "board"

    def __init__(self, cycles: list[int], clock_hz: int = 180_000_000) -> None:
        self.cycles, self.identity = cycles, SimpleNamespace(counter=1, clock_hz=clock_hz)

    def bench(self, warmup: int, runs: int) -> list[int]:
        assert (warmup, runs) == (3, len(self.cycles))
        return self.cycles


def latency(cycles: list[int], clock_hz: int = 180_000_000) -> dict:
    cell = SimpleNamespace(layer_names=["a", "b"])
    rows = [ProfileRow(5, 0), ProfileRow(7, 0)]
    return latency_of(Bench(cycles, clock_hz), cell, RunSettings(1, 3, len(cycles)), rows)


@given(st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=250))
def test_median_and_99th_percentile_by_other_means(cycles: list[int]) -> None:
    found = latency(cycles)
    assert found["cycles"] == cycles  # raw, and in the order of the runs
    assert found["median_us"] == pytest.approx(statistics.median(cycles) / 180)
    rank = -(-99 * (len(cycles) - 1) // 100)  # the smallest sample below which at least 99 % of the others lie
    assert found["p99_us"] == pytest.approx(sorted(cycles)[rank] / 180)
    assert found["layers"] == [{"name": "a", "cycles": 5}, {"name": "b", "cycles": 7}]


@pytest.mark.parametrize(("cycles", "clock_hz"), [([5, 0, 5], 180_000_000), ([5], 0)])
def test_a_counter_that_stands_still_measures_nothing(cycles: list[int], clock_hz: int) -> None:
    with pytest.raises(DeviceError, match=f"clock {clock_hz} Hz, least cycles {min(cycles)}"):
        latency(cycles, clock_hz)


@pytest.mark.parametrize(
    ("url", "due"),
    [
        ("qemu://netduinoplus2", "qemu://netduinoplus2?image=a%20b/x.elf"),
        ("virtual://nucleo", "virtual://nucleo?image=a%20b/x.elf&root=/r"),
        ("virtual://nucleo?hse=0", "virtual://nucleo?hse=0&image=a%20b/x.elf&root=/r"),
        ("virtual://nucleo?image=y.elf&root=.", "virtual://nucleo?image=y.elf&root=."),
        ("/dev/ttyACM0", "/dev/ttyACM0"),
    ],
)
def test_an_emulator_gets_the_cells_image(url: str, due: str) -> None:
    target = target_of(url, SimpleNamespace(elf=Path("a b/x.elf")), Path("/r"))
    assert target.url == due
    assert target.source == ("measured" if url.startswith("/dev") else "predicted")


@pytest.mark.parametrize(
    ("target", "due"),
    [
        (Target("/dev/ttyACM0", "board"), "measured/00112233445566778899aabb.json"),
        (Target("qemu://netduinoplus2?image=x", "qemu"), "predicted/qemu_netduinoplus2.json"),
        (Target("virtual://../../evil?image=x", "virtual"), "predicted/virtual___.json"),
    ],
)
def test_the_source_is_part_of_the_path(target: Target, due: str) -> None:
    identity = SimpleNamespace(uid=bytes.fromhex("00112233445566778899aabb"))
    path = result_path(Path("/r"), SimpleNamespace(cell="digits_nucleo"), target, identity)
    assert path == Path("/r/artifacts/run/digits_nucleo") / due


def test_a_preview_is_short_and_signed() -> None:
    assert preview(bytes([0, 127, 128, 255])) == "[0 127 -128 -1]"
    assert preview(bytes(30)) == "[0 0 0 0 0 0 0 0 0 0 ...]"
