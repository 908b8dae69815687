"""The arithmetic of the run room."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from hilgate.build.host import build_host_firmware
from hilgate.errors import DataError, DeviceError
from hilgate.link.connect import connect
from hilgate.link.protocol import MemoryAnswer, ProfileRow
from hilgate.run.accuracy import accuracy_of, preview, samples_of, scores, wilson
from hilgate.run.bench import ram_of
from hilgate.run.clock import check_clock
from hilgate.run.parity import choose, first_difference
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


def test_the_clock_is_compared_with_this_computers(root: Path, tmp_path: Path) -> None:
    """The firmware built for this computer counts nanoseconds: a clock of 1 GHz that is right."""
    model = tmp_path / "model"
    shutil.copytree(root / "tests/link/model", model)
    text, call = (model / "model.c").read_text(), "scale(weights, arena);"
    assert text.count(call) == 1
    (model / "model.c").write_text(text.replace(call, f"for (int i = 0; i < 800; i++) {call}"))  # about 1 ms
    program = build_host_firmware(model, root / "firmware", tmp_path / "firmware")
    with connect(f"host://?program={program}") as session:
        cycles = session.run_vector(bytes(session.identity.input_bytes)).cycles
        assert check_clock(session, cycles) == pytest.approx(1, abs=0.05)
        assert check_clock(session, 1000) is None  # restoring 2500 bytes costs more than that
        vars(session.identity)["clock_hz"] = 800_000_000  # what a board on the wrong oscillator would claim
        with pytest.raises(DeviceError, match=r"800 MHz, but its cycles are 1\.2"):
            check_clock(session, cycles)


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
