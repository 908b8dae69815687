"""Nothing unmodelled reads as zero: each refusal names what, where and the function."""

from __future__ import annotations

import pytest

from hilgate.errors import VirtualFault

pytestmark = pytest.mark.arm
REFUSED = {
    "peripheral": "read of 0x40012008: a peripheral",
    "peripheral_write": "write of 0x40007400: a register",
    "unmodelled_register": "read of RCC.BDCR (0x40023870), which the virtual board does not model",
    "no_register": "read of 0x4002383c: RCC has no register there",
    "clock_off": "read of USART2.SR (0x40004400) while its clock is off in RCC",
    "system_register": "read of 0xe000ed90: a register",
    "system_memory": "read of 0x1fff0000: system memory",
    "bit_band": "read of 0x42000000: a peripheral",
    "sram_bit_band": "write of 0x22000000: the SRAM bit-band alias",
    "boot_options": "read of 0x1ff00000: system memory",
    "boot_loader": "execution of 0x1fff0100: system memory",
    "external_memory": "read of 0x60000000: external memory",
    "memory_controller": "write of 0xa0000000: external memory, or its controller",
    "flash_alias": "write of 0x00000010: read-only memory",
    "unaligned_read": "unaligned access of 32 bits to a register at 0x40023801",
    "unaligned_write": "unaligned access of 16 bits to a register at 0x40023c03",
    "narrow_nvic": "write of 8 bits of NVIC.ISER0: only words are defined",
    "chip_code": "read of DBG.IDCODE (0xe0042000), which the virtual board does not model",
    "breakpoint": "BKPT: no debugger is attached",
    "trap_unaligned": "SCB.CCR.UNALIGN_TRP",
    "sleep_deep": "SCB.SCR.SLEEPDEEP",
    "option_bytes": "FLASH.OPTCR",
    "parity": "USART1.CR1.PCE",
    "two_stop_bits": "USART1.CR2",
    "illegal_return": "exception return",
    "predicated_fpu": "`vadd s0, s0, s0` in an IT block: its no coprocessor fault is not modelled",
    "flash_pair": "`strd r1, r2, [r0]` into flash",
}
NOWHERE = (
    "illegal_return",
    "predicated_fpu",
    "boot_loader",
)  # outside every function, or known to the core alone
CRASHED = {
    "lockup": "lockup: UNDEFINSTR at 0x",
    "no_handler": "exception 5 has no handler for PRECISERR at 0x",
    "hang": "the firmware hangs in its fault handler after PRECISERR at 0x",
}


@pytest.fixture
def fault_of(elf, board_of):
    def provoke(case: str, **options: bool) -> VirtualFault:
        board = board_of(elf("elves/refusals.c"), **options)
        symbols = board.machine.image.symbols
        board.machine.core.memories.write(symbols["chosen"], symbols[case].to_bytes(4, "little"))
        with pytest.raises(VirtualFault) as caught:
            board.run_us(300_000)
        return caught.value

    return provoke


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_modelled_ends_the_run(case, fault_of) -> None:
    fault = fault_of(case)
    assert REFUSED[case] in fault.what
    assert f"({case}+0x" in fault.where or case in NOWHERE, fault.where
    assert "0x" in fault.where


@pytest.mark.parametrize("case", REFUSED)
def test_the_python_hooks_refuse_the_same(case, fault_of) -> None:
    assert str(fault_of(case, native=False)) == str(fault_of(case))


@pytest.mark.parametrize("case", CRASHED)
def test_crashes_that_nobody_handles_are_named(case, fault_of) -> None:
    what = fault_of(case).what
    assert CRASHED[case] in what and f"({case}+0x" in what
    if case == "lockup":
        assert what.count("UNDEFINSTR") == 2 and "in the handler of" in what
    else:
        assert "address 0x30000000" in what


@pytest.mark.parametrize(
    ("case", "what"),
    [
        ("resets_for_ever", "a reset loop: 100 resets without a byte from the board, the last one by software"),
        ("faults_for_ever", "a fault loop: 10000 faults without a byte from the board, the last one PRECISERR at 0x"),
    ],
)
def test_a_circle_is_named(case, what, fault_of) -> None:
    fault = fault_of(case)
    assert fault.what.startswith(what) and f"({case}+0x" in str(fault)
