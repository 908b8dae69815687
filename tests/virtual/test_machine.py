"""The machine as a whole: time, counters, memory, and the same numbers whoever counts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.arm


@pytest.fixture
def ran(elf, board_of, until_end):
    """Run one case of small.c to its end: (what it printed, its results, the board)."""

    def run(case: str, name: str = "qemu_stm32f405", **options):
        board = board_of(elf("elves/small.c"), name, **options)
        memories, symbols = board.machine.core.memories, board.machine.image.symbols
        memories.write(symbols["chosen"], symbols[case].to_bytes(4, "little"))
        memories.write(symbols["result"], bytes(256))
        text = until_end(board) if name == "qemu_stm32f405" else board.run_us(20_000)
        raw = memories.read(symbols["result"], 256)
        return text, [int.from_bytes(raw[i : i + 4], "little") for i in range(0, 256, 4)], board

    return run


def test_the_cycle_counter_is_exact_in_the_middle_of_a_block(ran) -> None:
    _, result, _ = ran("count")
    # from the first LDR to the second: that LDR itself (2) and five NOPs
    assert result[:2] == [7, 7]
    assert result[2] == result[3] > 14, "a stopped counter stands still"
    assert result[4] < 20, "a write sets it"
    assert result[5] >= 0xFFFF_FFF0 and 380 < result[6] < 420, "and it wraps"


def test_a_loop_costs_what_the_table_says(ran) -> None:
    # SUBS 1, BNE taken 1 + 2; the last BNE falls through; and the call, the return and the counter around it
    _, result, _ = ran("loop")
    assert 4 * 1000 - 2 <= result[0] <= 4 * 1000 - 2 + 20


def test_two_runs_are_equal_to_the_cycle(ran) -> None:
    first, second = ran("pll", "nucleo_f446re"), ran("pll", "nucleo_f446re")
    assert first[:2] == second[:2]
    assert (first[2].cycles, first[2].instructions, first[2].time_us) == (
        second[2].cycles,
        second[2].instructions,
        second[2].time_us,
    )


def test_two_processes_are_equal_to_the_cycle(elf, root) -> None:
    """Whatever order their sets have."""
    script = (
        "import sys; from pathlib import Path; from hilgate.virtual.board import VirtualBoard\n"
        "board = VirtualBoard('nucleo_f446re', Path(sys.argv[1]), root=Path(sys.argv[2])); board.run_us(5000)\n"
        "print(board.cycles, board.instructions, board.stalls, board.profile())"
    )
    command = [sys.executable, "-c", script, str(elf("fidelity/pend.c")), str(root)]
    said = []
    for seed in ("1", "2"):
        found = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        said.append(found.stdout)
    assert said[0] == said[1] and said[0]


def test_looking_often_changes_nothing(ran, elf, board_of) -> None:
    """A run cut into slices of any length, which end inside loops and calls, counts what one long run counts."""
    _, whole, _ = ran("program")
    board = board_of(elf("elves/small.c"))
    memories, symbols = board.machine.core.memories, board.machine.image.symbols
    memories.write(symbols["chosen"], symbols["program"].to_bytes(4, "little"))
    memories.write(symbols["result"], bytes(256))
    text = b""
    while not text.endswith(b"end\n"):
        board.run(97)
        text += board.read(4, 0)
    raw = memories.read(symbols["result"], 256)
    assert [int.from_bytes(raw[i : i + 4], "little") for i in range(0, 256, 4)] == whole


@pytest.mark.parametrize("case", ["count", "loop", "pll", "program", "memory", "identity"])
def test_native_and_python_hooks_count_the_same(ran, case) -> None:
    native, python = ran(case, "nucleo_f446re"), ran(case, "nucleo_f446re", native=False)
    assert native[:2] == python[:2]
    assert (native[2].cycles, native[2].instructions) == (python[2].cycles, python[2].instructions)
    assert native[2].stalls == python[2].stalls
    assert native[2].profile() == python[2].profile()


def test_without_the_cost_model_a_cycle_is_an_instruction(ran) -> None:
    _, _, board = ran("loop", cycles=False)
    assert board.cycles == board.instructions
    assert abs(board.instructions - ran("loop")[2].instructions) < 50_000  # polling the console takes other times


def test_the_profile_adds_up(ran) -> None:
    _, _, board = ran("loop")
    rows = {row.name: row for row in board.profile()}
    assert rows["provoke"].entries == 1 and rows["spin"].instructions == 2001
    assert sum(row.instructions for row in rows.values()) == board.instructions
    assert sum(row.cycles for row in rows.values()) == board.cycles


def test_ram_is_noise_after_power_on_and_kept_over_a_reset(ran) -> None:
    _, first, board = ran("memory")
    assert len(set(first[:8])) > 1
    assert ran("memory")[1] == first
    assert ran("memory", seed=2)[1] != first
    before = board.machine.core.memories.read(0x2001_0000, 4096)
    board.machine.request_reset("software")
    board.run_us(100)
    assert board.machine.core.memories.read(0x2001_0000, 4096) == before
    assert board.machine.resets == ["power_on", "software"]


def test_the_unique_id_is_the_seeds(ran) -> None:
    first, other = (ran("identity", "nucleo_f446re", seed=seed)[1] for seed in (1, 7))
    assert first[:3] != other[:3] and ran("identity", "nucleo_f446re")[1] == first
    assert first[3] == other[3] == 512  # KiB of flash of an STM32F446RE


def test_the_core_is_the_one_named(ran) -> None:
    core = ran("count")[2].machine.core
    assert core.uc.ctl_get_cpu_model() == core.registers.UC_CPU_ARM_CORTEX_M4
