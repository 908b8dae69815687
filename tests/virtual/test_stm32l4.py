"""The peripherals of an STM32L4+ that differ from the STM32F4's, register by register, without a program."""

from __future__ import annotations

import pytest

from hilgate.errors import VirtualFault

pytestmark = pytest.mark.arm
KEYS = (0x4567_0123, 0xCDEF_89AB)
FLASH, RAM, RDR = 0x0800_0000, 0x2000_1000, 0x4000_8024
PG, PER, MER2, BKER, START = 1 << 0, 1 << 1, 1 << 15, 1 << 11, 1 << 16  # FLASH.CR
SIZERR, PGAERR, PGSERR, PROGERR = 1 << 6, 1 << 5, 1 << 7, 1 << 3  # FLASH.SR
HSION, PLLON = 1 << 8, 1 << 24  # RCC.CR
PLL_120 = 2 | 1 << 4 | 30 << 8 | 1 << 24  # HSI16 / 2 * 30 / 2
SW_PLL, HALF = 3, 8 << 4  # RCC.CFGR
UE, TE, RE = 1, 8, 4  # LPUART.CR1


@pytest.fixture
def chip(chip_on):
    return chip_on("nucleo_l4r5zi")


@pytest.fixture
def locked(chip):
    """The PLL runs at 120 MHz, nothing uses it; PWR is clocked, flash waits five states."""
    chip.poke("RCC.CR", chip.peek("RCC.CR") | HSION)
    chip.wait_us(10)
    chip.poke("RCC.PLLCFGR", PLL_120)
    chip.poke("RCC.CR", chip.peek("RCC.CR") | PLLON)
    assert not chip.peek("RCC.CR") & PLLON << 1, "it takes its time"
    chip.wait_us(20)
    assert chip.peek("RCC.CR") & PLLON << 1
    chip.poke("RCC.APB1ENR1", 1 << 28)
    chip.poke("FLASH.ACR", 0x705)
    return chip


def test_a_fresh_chip_shows_the_reset_values(chip) -> None:
    for name, peripheral in chip.machine.peripherals.items():
        for register in peripheral.facts.registers.values():
            if (name, register.name) not in {("RCC", "CSR"), ("SYSTICK", "CSR")}:
                assert peripheral.values[register.name] == register.reset, (name, register.name)
    assert chip.peek("RCC.CSR") == 0x0C00_0600 and chip.board.clock_hz == 4_000_000


def test_120_mhz_take_boost_and_half_the_clock_first(locked) -> None:
    locked.poke("PWR.CR5", 0)
    locked.poke("RCC.CFGR", SW_PLL | HALF)
    assert locked.board.clock_hz == 60_000_000
    locked.poke("RCC.CFGR", SW_PLL)
    assert locked.board.clock_hz == 120_000_000
    with pytest.raises(VirtualFault, match="needs voltage range 1 with boost"):
        locked.poke("PWR.CR5", 0x100)


def test_one_step_to_120_mhz_is_refused(locked) -> None:
    locked.poke("PWR.CR5", 0)
    with pytest.raises(VirtualFault, match="from 4000000 to 120000000 Hz at once"):
        locked.poke("RCC.CFGR", SW_PLL)


def test_120_mhz_without_boost_or_wait_states_are_refused(locked) -> None:
    locked.poke("RCC.CFGR", SW_PLL | HALF)
    with pytest.raises(VirtualFault, match="needs voltage range 1 with boost"):
        locked.poke("RCC.CFGR", SW_PLL)
    locked.poke("RCC.CFGR", SW_PLL | HALF)
    locked.poke("PWR.CR5", 0)
    locked.poke("FLASH.ACR", 0x702)
    with pytest.raises(VirtualFault, match=r"needs 5 flash wait states, FLASH\.ACR has 2"):
        locked.poke("RCC.CFGR", SW_PLL)


@pytest.mark.parametrize(
    ("pllcfgr", "what"),
    [
        (2 | 1 << 4 | 7 << 8 | 1 << 24, "PLL VCO of 56000000 Hz"),
        (2 | 15 << 4 | 100 << 8 | 1 << 24, "PLL input of 1000000 Hz"),
        (0, "no modelled clock feeds the PLL"),
    ],
)
def test_a_pll_outside_its_range_is_refused(chip, pllcfgr, what) -> None:
    chip.poke("RCC.CR", chip.peek("RCC.CR") | HSION)
    chip.wait_us(10)
    chip.poke("RCC.PLLCFGR", pllcfgr)
    with pytest.raises(VirtualFault, match=what):
        chip.poke("RCC.CR", chip.peek("RCC.CR") | PLLON)


def test_port_g_needs_its_supply(chip) -> None:
    chip.poke("RCC.APB1ENR1", 1 << 28)
    chip.poke("RCC.AHB2ENR", 1 << 6)
    chip.poke("GPIOG.AFRL", 8 << 28)
    chip.poke("GPIOG.MODER", 0xFFFF_BFFF)  # pin 7: alternate
    assert not chip.machine.pin_is("LPUART1_TX")
    chip.poke("PWR.CR2", 1 << 9)
    assert chip.machine.pin_is("LPUART1_TX") and not chip.machine.pin_is("LPUART1_RX")


def test_lpuart_divides_by_256_and_only_while_it_is_off(chip) -> None:
    chip.poke("RCC.APB1ENR2", 1)
    chip.poke("LPUART1.BRR", 8889)  # 256 * 4 MHz / 115200
    assert chip.machine.console.baud() == pytest.approx(115_200, rel=1e-4)
    chip.poke("LPUART1.CR1", UE | TE | RE)
    assert chip.peek("LPUART1.ISR") & 3 << 21 == 3 << 21, "TEACK and REACK"
    with pytest.raises(VirtualFault, match=r"LPUART1.BRR while CR1.UE is set"):
        chip.poke("LPUART1.BRR", 0x1000)
    with pytest.raises(VirtualFault, match=r"LPUART1.CR1.PCE: only 8N1"):
        chip.poke("LPUART1.CR1", UE | 1 << 10)


def test_lpuart_flags(chip) -> None:
    chip.poke("RCC.APB1ENR2", 1)
    chip.poke("LPUART1.BRR", 0x22B8)
    chip.poke("LPUART1.CR1", UE | TE | RE)
    console = chip.machine.console
    console._take(ord("a"), False)
    console._take(ord("b"), False)
    assert chip.peek("LPUART1.ISR") & 0x28 == 0x28, "the second byte is lost: ORE"
    assert chip.peek("LPUART1.RDR") == ord("a")
    assert chip.peek("LPUART1.ISR") & 0x28 == 0x08, "reading clears RXNE alone"
    chip.poke("LPUART1.ICR", 0x08)
    assert not chip.peek("LPUART1.ISR") & 0x08


def test_a_channel_serves_the_request_that_the_multiplexer_selects(chip) -> None:
    chip.poke("RCC.AHB1ENR", 0x107)
    chip.poke("DMA1.CPAR1", RDR)
    chip.poke("DMA1.CMAR1", RAM)
    chip.poke("DMA1.CNDTR1", 4)
    chip.poke("DMA1.CCR1", 1 << 7 | 1 << 5 | 1)
    take = iter(b"abcdef").__next__
    assert not chip.machine.dma.write("LPUART1_RX", RDR, take), "no request is selected"
    chip.poke("DMAMUX1.C0CR", 35)
    assert not chip.machine.dma.write("LPUART1_RX", RDR, take), "that is the transmitter's"
    chip.poke("DMAMUX1.C0CR", 34)
    for left, flags in ((3, 0), (2, 5), (1, 5), (4, 7), (3, 7)):  # half: GIF and HTIF; whole: TCIF too, and around
        assert chip.machine.dma.write("LPUART1_RX", RDR, take)
        assert (chip.peek("DMA1.CNDTR1"), chip.peek("DMA1.ISR")) == (left, flags)
    assert chip.machine.core.memories.read(RAM, 4) == b"ebcd"
    chip.poke("DMA1.IFCR", 1 << 1)
    assert chip.peek("DMA1.ISR") == 5
    chip.poke("DMA1.IFCR", 1)
    assert chip.peek("DMA1.ISR") == 0
    with pytest.raises(VirtualFault, match="DMA1 serves LPUART1_RX at 0x40008024, but its data are at 0x40008028"):
        chip.machine.dma.write("LPUART1_RX", RDR + 4, take)


def test_dma_where_no_memory_takes_it_is_a_transfer_error(chip) -> None:
    chip.poke("RCC.AHB1ENR", 0x107)
    chip.poke("DMAMUX1.C0CR", 34)
    chip.poke("DMA1.CPAR1", RDR)
    chip.poke("DMA1.CMAR1", 0x1000_0000)
    chip.poke("DMA1.CNDTR1", 4)
    chip.poke("DMA1.CCR1", 1 << 7 | 1)
    chip.machine.dma.write("LPUART1_RX", RDR, lambda: 0)
    assert chip.peek("DMA1.ISR") == 9 and not chip.peek("DMA1.CCR1") & 1
    with pytest.raises(VirtualFault, match="only byte transfers"):
        chip.poke("DMA1.CCR1", 1 << 14 | 1)


def test_flash_programs_double_words_once(chip) -> None:
    flash, memories, place = chip.machine.flash, chip.machine.core.memories, FLASH + 0x10_0000
    flash.program(RAM, place, 4, 1)
    assert chip.peek("FLASH.SR") == PGSERR, "locked"
    for key in KEYS:
        chip.poke("FLASH.KEYR", key)
    chip.poke("FLASH.CR", PG)
    for size, at, error in ((2, place, SIZERR), (4, place + 4, PGAERR)):
        chip.poke("FLASH.SR", 0xFFFF)
        flash.program(RAM, at, size, 1)
        assert chip.peek("FLASH.SR") == error
    chip.poke("FLASH.SR", 0xFFFF)
    write_pair(chip, place, 0x1111_2222, 0x3333_4444)
    assert memories.read(place, 8).hex() == "2222111144443333" and chip.peek("FLASH.SR") == 0
    write_pair(chip, place, 0, 1)
    assert chip.peek("FLASH.SR") == PROGERR, "64 bits have one ECC: they are written once"
    assert memories.read(place, 8).hex() == "2222111144443333"
    chip.poke("FLASH.SR", 0xFFFF)
    write_pair(chip, place, 0, 0)
    assert memories.read(place, 8) == bytes(8) and chip.peek("FLASH.SR") == 0, "but zeros may follow"


def write_pair(chip, place: int, low: int, high: int) -> None:
    chip.machine.flash.program(RAM, place, 4, low)
    chip.machine.flash.program(RAM, place + 4, 4, high)
    chip.wait_us(100)


def test_flash_erases_pages_of_either_bank(chip) -> None:
    memories = chip.machine.core.memories
    for key in KEYS:
        chip.poke("FLASH.KEYR", key)
    for base, bank in ((FLASH, 0), (FLASH + 0x10_0000, BKER)):
        memories.write(base + 0x4000, bytes(0x3000))
        chip.poke("FLASH.CR", PER | bank | 5 << 3 | START)
        assert chip.peek("FLASH.SR") & 1 << 16, "busy"
        chip.wait_us(23_000)
        assert not chip.peek("FLASH.SR") & 1 << 16
        assert memories.read(base + 0x4000, 0x3000) == bytes(0x1000) + b"\xff" * 0x1000 + bytes(0x1000)
    chip.poke("FLASH.CR", MER2 | START)
    chip.wait_us(23_000)
    assert memories.read(FLASH + 0x10_4000, 0x3000) == b"\xff" * 0x3000 and memories.read(FLASH + 0x4000, 1) == b"\0"


@pytest.mark.parametrize(
    ("register", "value", "what"),
    [
        ("FLASH.OPTR", 0, "FLASH.OPTR: option bytes"),
        ("RCC.CR", 0x63 | 1 << 16, "RCC.CR.HSEON"),
        ("RCC.CFGR", 2, "RCC.CFGR.SW = 2"),
        ("RCC.CSR", 0x0700, "RCC.CSR.MSISRANGE"),
        ("RCC.CCIPR2", 1, "RCC.CCIPR2"),
        ("RCC.BDCR", 1, "RCC.BDCR"),
    ],
)
def test_what_is_not_modelled_is_refused(chip, register, value, what) -> None:
    with pytest.raises(VirtualFault, match=what):
        chip.poke(register, value)


def test_sram2_answers_at_two_addresses(chip) -> None:
    """Code that is rewritten at one address is not run as it was at the other."""
    core, there, here = chip.machine.core, 0x1000_0100, 0x2003_0100
    for value, written, run in ((1, here, there), (2, there, here), (3, here, there), (4, there, there)):
        core.memories.write(written, bytes([value]) + b"\x20\x70\x47")  # movs r0, #value; bx lr
        core.set("LR", 0xDFFF_FF01)
        core.state.deadline = core.state.cycles + 1000
        assert core.run(run | 1).pc == 0xDFFF_FF00
        assert core.get("R0") == value
    assert core.memories.may_write(0x1000_FFFC, 4) and not core.memories.holds(0x1001_0000, 1)


def test_range_2_is_refused(chip) -> None:
    chip.poke("RCC.APB1ENR1", 1 << 28)
    with pytest.raises(VirtualFault, match="only voltage range 1"):
        chip.poke("PWR.CR1", 2 << 9)
