"""FIDELITY.toml is true: every row has its test, and what QEMU can referee it agrees with, to the last register."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hilgate.tools import tool_version
from hilgate.virtual.evidence import behaviours, fidelity_gaps

HERE = Path(__file__).parent
CASES = sorted(p.stem for p in (HERE / "fidelity").glob("*.c") if p.stem != "harness")


@pytest.mark.arm
@pytest.mark.qemu
@pytest.mark.parametrize("case", CASES)
def test_qemu_and_the_virtual_board_print_the_same(case, elf, board_of, until_end, on_qemu) -> None:
    image = elf(f"fidelity/{case}.c")
    mine = until_end(board_of(image))
    assert mine.endswith("end\n"), mine
    theirs = on_qemu(image)
    if case == "pend":  # QEMU 10 takes what is pended without a mask before DSB and ISB, QEMU 7 behind them: both may
        pcs = zip(*(re.findall(r" pc=(\w{8})", text) for text in (mine, theirs)), strict=True)
        assert {int(one, 16) - int(other, 16) for one, other in pcs} <= {0, 8}
        mine, theirs = (re.sub(r" pc=\w{8}", "", text) for text in (mine, theirs))
    assert mine == theirs


@pytest.mark.arm
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("options", [{"cycles": False}, {"native": False}], ids=["no cost model", "Python hooks"])
def test_every_way_to_run_prints_the_same(case, options, elf, board_of, until_end) -> None:
    image = elf(f"fidelity/{case}.c")
    assert until_end(board_of(image, **options)) == until_end(board_of(image))


@pytest.mark.arm
@pytest.mark.qemu
def test_qemu_counts_the_same_instructions(elf, board_of, until_end, tmp_path) -> None:
    """QEMU, one instruction at a time, logs each address: as many lie in each function as the virtual board counts."""
    image, log = elf("elves/thrash.c"), tmp_path / "log"
    board = board_of(image)
    until_end(board)
    mine = {row.name: row.instructions for row in board.profile()}
    newer = int(tool_version("qemu-system-arm").split(".")[0]) > 8  # QEMU 10 has no -singlestep, 7 nothing else
    single = "-accel tcg,one-insn-per-tb=on" if newer else "-singlestep"
    command = f"qemu-system-arm -M netduinoplus2 -display none -monitor none -serial stdio {single} -d exec,nochain"
    words = [*command.split(), "-D", str(log), "-kernel", str(image)]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"end\n"):
            more = process.stdout.read(100)
            assert more, "QEMU ended"
            text += more
        process.kill()
    theirs: dict[str, int] = {}
    for line in log.read_text("utf-8").splitlines():
        if found := re.match(r"Trace \d+: 0x\w+ \[\w+/(\w+)/", line):
            function = board.machine.image.function_at(int(found[1], 16))
            name = function.name if function else "?"
            theirs[name] = theirs.get(name, 0) + 1
    for name in ("pass", "provoke"):
        assert mine[name] == theirs[name] > 100


@pytest.mark.parametrize("row", behaviours(), ids=lambda row: row["name"])
def test_each_row_has_its_test(row) -> None:
    known = {"name", "what", "modelled", "source", "referee", "test", "instead", "family"}
    assert set(row) <= known and set(row) >= known - {"instead", "family"}
    assert row["referee"] in ("qemu", "vendor", "none")
    assert ("instead" in row) == (not row["modelled"])
    file, _, function = row["test"].partition("::")
    assert (HERE / file).is_file()
    if function:
        assert re.search(rf"^def {function}\(", (HERE / file).read_text("utf-8"), re.M)
    else:
        assert Path(file).stem in CASES
    assert row["referee"] != "qemu" or not function or "qemu" in function, "who agrees has been asked"


def test_each_case_belongs_to_a_row() -> None:
    assert {f"fidelity/{case}.c" for case in CASES} <= {row["test"] for row in behaviours()}


def test_gaps_are_what_nobody_checks() -> None:
    gaps = fidelity_gaps()
    names = {gap.name for gap in gaps}
    assert "lazy FP stacking" in names and "unaligned LDRD and STRD" not in names
    assert "register reset values, masks, absent registers" not in names
    assert [gap.modelled for gap in gaps] == sorted(gap.modelled for gap in gaps)
    assert all(gap.instead for gap in gaps)


def test_a_family_sees_no_gaps_of_another() -> None:
    mine, theirs = ({gap.name for gap in fidelity_gaps(family)} for family in ("stm32f4", "stm32h7"))
    assert mine < theirs and all(name.startswith(("Cortex-M7", "STM32H7")) for name in theirs - mine)
    assert theirs == {gap.name for gap in fidelity_gaps("stm32h7")} and len(theirs - mine) > 5
