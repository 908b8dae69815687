"""SysTick, watchdog, NVIC and exceptions register by register, where no image of the referee's looks."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.arm
TABLE, HANDLER, THREAD = 0x2000_3000, 0x0800_0101, 0xFFFF_FFF9
NMI, SYSTICK, INTERRUPT = 2, 15, 20


@pytest.fixture
def chip(chip_on):
    """A chip with a vector table in RAM whose handlers all exist."""
    chip = chip_on("qemu_stm32f405")
    chip.machine.core.memories.write(TABLE, HANDLER.to_bytes(4, "little") * 64)
    chip.poke("SCB.VTOR", TABLE)
    return chip


def test_systick_counts_an_eighth_of_the_clock_and_says_once_that_it_wrapped(chip) -> None:
    chip.poke("SYSTICK.RVR", 9)
    chip.poke("SYSTICK.CSR", 1)
    chip.machine.core.state.cycles += 79
    assert not chip.peek("SYSTICK.CSR") >> 16 & 1
    chip.machine.core.state.cycles += 1
    assert chip.peek("SYSTICK.CSR") >> 16 & 1
    assert not chip.peek("SYSTICK.CSR") >> 16 & 1, "reading clears it"
    chip.poke("SYSTICK.CSR", 0)
    chip.poke("SYSTICK.CSR", 5)
    chip.machine.core.state.cycles += 10
    assert chip.peek("SYSTICK.CSR") >> 16 & 1, "ten cycles of the core's own clock"


def test_the_watchdog_is_set_up_behind_its_key(chip) -> None:
    chip.poke("IWDG.PR", 3)
    assert chip.peek("IWDG.PR") == 0 and chip.peek("IWDG.RLR") == 0xFFF
    chip.poke("IWDG.KR", 0x5555)
    chip.poke("IWDG.PR", 3)
    chip.poke("IWDG.KR", 0xAAAA)
    chip.poke("IWDG.RLR", 5)
    assert chip.peek("IWDG.PR") == 3 and chip.peek("IWDG.RLR") == 0xFFF, "feeding closes it again"


def test_the_priority_group_decides_who_preempts(chip) -> None:
    chip.machine.exceptions.priority[INTERRUPT] = 0x30
    assert chip.machine.exceptions.priority_of(INTERRUPT) == 0x30
    chip.poke("SCB.AIRCR", 0x05FA_0000 | 4 << 8)
    assert chip.machine.exceptions.priority_of(INTERRUPT) == 0x20, "bits 4 and below only order what waits"


def test_an_interrupt_line_that_stays_high_pends_again(chip) -> None:
    exceptions = chip.machine.exceptions
    exceptions.set_level(INTERRUPT, True)
    chip.poke("NVIC.ICPR0", 1 << INTERRUPT - 16)
    assert INTERRUPT in exceptions.pending, "its line is still high"
    for high in (True, False):
        exceptions.set_level(INTERRUPT, high)
        exceptions.enter(INTERRUPT, 0x0800_0100)
        assert INTERRUPT not in exceptions.pending
        exceptions.leave(THREAD)
        assert (INTERRUPT in exceptions.pending) == high
    chip.poke("NVIC.ISPR0", 1 << INTERRUPT - 16)
    chip.poke("NVIC.ICPR0", 1 << INTERRUPT - 16)
    assert INTERRUPT not in exceptions.pending


@pytest.mark.parametrize(("number", "after"), [(SYSTICK, 0), (NMI, 1)])
def test_leaving_an_exception_opens_faultmask(chip, number, after) -> None:
    chip.machine.exceptions.enter(number, 0x0800_0100)
    chip.machine.core.set("FAULTMASK", 1)
    assert chip.machine.exceptions.leave(THREAD) == 0x0800_0101
    assert chip.machine.core.get("FAULTMASK") == after


def test_a_reset_takes_its_key(chip) -> None:
    chip.poke("SCB.AIRCR", 4 | 7 << 8)
    assert chip.machine._reset_wanted is None and chip.peek("SCB.AIRCR") == 0xFA05_0000
    chip.poke("SCB.AIRCR", 0x05FA_0000 | 4)
    assert chip.machine._reset_wanted == "software"


def test_what_a_fault_leaves_undone_costs_nothing(chip) -> None:
    """A block is charged when it is entered; what stands behind the access that fails is given back."""
    spent = []
    for behind in (0, 9):
        code = b"\x00\xbf" * 3 + b"\x01\x68" + b"\x00\xbf" * behind + b"\x00\xbe"  # nops, ldr r1, [r0], nops, bkpt
        chip.machine.core.memories.write(TABLE + 0x400, code)
        chip.machine.core.set("R0", 0x3000_0000)
        chip.machine.core.state.deadline = 1 << 40
        before = chip.machine.core.state.cycles, chip.machine.core.state.instructions
        assert chip.machine.core.run(TABLE + 0x401).pc == TABLE + 0x406
        spent.append((chip.machine.core.state.cycles - before[0], chip.machine.core.state.instructions - before[1]))
    assert spent[0] == spent[1] and spent[0][1] == 3
