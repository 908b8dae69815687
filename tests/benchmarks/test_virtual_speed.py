"""How fast the virtual board runs: inference's inner loop, with and without the cost model.

    pytest tests/benchmarks/test_virtual_speed.py --benchmark-enable

Speeds are of CPU time, so that a busy machine does not decide. Without --benchmark-enable each case runs once, and only
its counts are checked.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from hilgate.virtual.board import VirtualBoard
from hilgate.virtual.library import load_library
from hilgate.virtual.machine import Options

pytestmark = pytest.mark.arm
VIRTUAL = Path(__file__).parents[1] / "virtual"
CYCLES = 100_000_000
TARGETS = {"functional": 100e6, "cost model": 50e6}  # instructions a second, from issue 2


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kit, target = VIRTUAL / "fidelity", tmp_path_factory.mktemp("speed") / "kernel.elf"
    flags = "-mcpu=cortex-m4 -mthumb -O2 -nostdlib -ffreestanding -fno-builtin".split()
    sources = [VIRTUAL / "elves/kernel.c", kit / "harness.c", "-I", kit, "-T", kit / "link.ld", "-o", target]
    subprocess.run(["arm-none-eabi-gcc", *flags, *map(str, sources)], check=True)
    return target


@pytest.mark.parametrize("mode", TARGETS)
def test_speed(mode: str, image: Path, root: Path, benchmark) -> None:
    assert load_library() is not None, "no C compiler: the Python hooks are not what is measured here"
    board = VirtualBoard("nucleo_f446re", image, Options(cycles=mode == "cost model"), root=root)
    board.run(2_000_000)  # everything is translated and learned
    speeds = []

    def run() -> None:
        before, began = board.instructions, time.process_time()
        board.run(CYCLES if benchmark.enabled else CYCLES // 20)
        speeds.append((board.instructions - before) / (time.process_time() - began))

    benchmark.pedantic(run, rounds=5, iterations=1)
    benchmark.extra_info["instructions_per_second"] = round(max(speeds))
    assert any(row.name == "provoke" and row.instructions > 0.99 * board.instructions for row in board.profile())
    assert (board.stalls[1] > 100_000) == (mode == "cost model"), "weights must come from flash"
    assert board.cycles > board.instructions if mode == "cost model" else board.cycles == board.instructions
    if benchmark.enabled:
        assert max(speeds) > TARGETS[mode]
