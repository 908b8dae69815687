"""The STM32H747 and its Cortex-M7: what the board's wiring, the caches and the locked counter ask of firmware."""

from __future__ import annotations

import csv
import re
import tomllib
from importlib import resources

import pytest

from hilgate.catalogue import load_board
from hilgate.errors import VirtualFault
from hilgate.virtual.cost import block_cost as single_issue
from hilgate.virtual.cost import load_cpu
from hilgate.virtual.decode import decode
from hilgate.virtual.dual_issue import block_cost
from hilgate.virtual.registers import load_facts

pytestmark = pytest.mark.arm
BOARD = "stm32h747i_disco"
SMPS, LDO = 0b100, 0b010
KEY = 0xC5AC_CE55
MS = 400_000  # cycles, and more than a millisecond at the reset clock
DTCM, RING, AXI = 0x2000_0000, 0x3000_0000, 0x2400_0000
LDR_R0, LDR_R3, ADDS_R0_1, ADDS_R1_1, ADDS_R2_1 = (
    b"\x08\x68", b"\x0b\x68", b"\x40\x1c", b"\x49\x1c", b"\x52\x1c",
)  # fmt: skip
SMLAD_R4, SMLAD_R5 = b"\x20\xfb\x01\x44", b"\x22\xfb\x03\x55"


@pytest.fixture
def chip(elf, board_of):
    """A machine after power-on, and a function that writes one register as the core would."""
    machine = board_of(elf("elves/greet.c"), BOARD).machine

    def write(peripheral: str, register: str, value: int) -> None:
        facts = machine.peripherals[peripheral].facts
        machine.peripherals[peripheral].write(facts.base + facts.registers[register].offset, 4, value)

    return machine, write


def pass_time(machine, cycles: int = MS) -> None:
    machine.core.state.cycles += cycles
    machine.clock.do_due()


def test_reset_values_are_the_vendors(root) -> None:
    board = load_board(BOARD, root)
    facts = tomllib.loads((root / "firmware/port/stm32h7/registers.toml").read_text("utf-8"))
    known = load_facts(board).peripherals
    for instance, entry in facts["peripheral"].items():
        for register, row in facts["block"][entry["block"]].items():
            due = entry.get("resets", {}).get(register, row.get("reset", 0))
            assert known[instance].registers[register].reset == due, (instance, register)
    assert len(known) > 25


def test_the_core_is_a_cortex_m7(chip) -> None:
    machine, _ = chip
    assert machine.core.uc.ctl_get_cpu_model() == machine.core.registers.UC_CPU_ARM_CORTEX_M7
    assert machine.peripherals["SCB"].get("CPUID") >> 4 & 0xFFF == 0xC27


def test_an_ldo_supply_would_lock_the_board(chip) -> None:
    _, write = chip
    with pytest.raises(VirtualFault, match="wired for `smps`: silicon loses the core's voltage"):
        write("PWR", "CR3", LDO)
    with pytest.raises(VirtualFault, match="not direct SMPS supply"):
        write("PWR", "CR3", SMPS | LDO)


def test_the_supply_is_written_once_and_survives_a_reset(chip) -> None:
    machine, write = chip
    pwr = machine.pwr
    assert not pwr.bit("CSR1", "ACTVOSRDY")
    write("PWR", "D3CR", 3 << 14)
    assert pwr.scale == 3, "the scale waits for the supply"
    write("PWR", "CR3", SMPS)
    pass_time(machine)
    assert pwr.bit("CSR1", "ACTVOSRDY")
    write("PWR", "CR3", LDO)
    assert pwr.get("CR3") == SMPS, "the second write is ignored"
    write("PWR", "D3CR", 3 << 14)
    pass_time(machine)
    assert pwr.scale == 1
    machine.reset("software")
    write("PWR", "CR3", LDO)
    assert pwr.get("CR3") == SMPS and pwr.scale == 3
    machine.reset("power_on")
    assert pwr.get("CR3") == SMPS | LDO, "both regulators until firmware chooses"


@pytest.mark.parametrize(
    ("writes", "words"),
    [
        ([("PLLCKSELR", 2 | 2 << 4)], "outside PLL1RGE's"),
        ([("PLLCKSELR", 2 | 5 << 4), ("PLLCFGR", 2 << 2), ("PLL1DIVR", 199)], "VCO of 1000000000 Hz"),
    ],
)
def test_a_pll_beyond_its_limits_is_refused(chip, writes, words) -> None:
    machine, write = chip
    for register, value in writes:
        write("RCC", register, value)
    with pytest.raises(VirtualFault, match=words):
        write("RCC", "CR", machine.rcc.get("CR") | 1 << 24)


def test_400_mhz_needs_the_voltage_for_it(chip) -> None:
    """PLL at 400 MHz while the core's voltage is still that of reset."""
    machine, write = chip
    for register, value in (
        ("PLLCKSELR", 2 | 5 << 4), ("PLLCFGR", 2 << 2 | 1 << 16), ("PLL1DIVR", 159 | 1 << 9), ("D1CFGR", 8 | 4 << 4),
        ("D2CFGR", 4 << 4 | 4 << 8), ("D3CFGR", 4 << 4), ("CR", machine.rcc.get("CR") | 1 << 16),
    ):  # fmt: skip
        write("RCC", register, value)
    pass_time(machine)
    write("RCC", "CR", machine.rcc.get("CR") | 1 << 24)
    pass_time(machine)
    with pytest.raises(VirtualFault, match=r"at scale 3 needs 4 flash wait states|above the 200000000 Hz of scale 3"):
        write("RCC", "CFGR", 3)
        write("FLASH", "ACR", 2)


def test_the_data_cache_must_be_invalidated_first(chip) -> None:
    machine, write = chip
    with pytest.raises(VirtualFault, match="before all of its lines were invalidated"):
        write("SCB", "CCR", 1 << 16)
    for way in range(4):
        for line in range(128):
            write("CACHE", "DCISW", way << 30 | line << 5)
    write("SCB", "CCR", 1 << 16 | 1 << 17)
    assert machine.scb.caches == (True, True)


def test_the_counter_is_locked_after_power_on(chip) -> None:
    machine, write = chip
    write("COREDEBUG", "DEMCR", 1 << 24)
    write("DWT", "CTRL", 1)
    assert not machine.dwt.get("CTRL") & 1 and machine.dwt.read_LSR() == 3
    write("DWT", "LAR", KEY)
    write("DWT", "CTRL", 1)
    assert machine.dwt.get("CTRL") & 1 and machine.dwt.read_LSR() == 1


@pytest.mark.parametrize(
    ("address", "cached", "words"),
    [(DTCM, False, ""), (AXI, True, "the data cache may hold another copy"), (RING, False, "SRAM1EN is 0")],
)
def test_dma_goes_wrong_as_on_silicon(chip, address, cached, words) -> None:
    """Into the DTCM it gives a transfer error; before a data cache, or without the SRAM's clock, nobody can tell."""
    machine, write = chip
    write("RCC", "AHB1ENR", 1)
    write("DMAMUX1", "C0CR", 41)
    stream = {"S0PAR": 0x4001_1024, "S0M0AR": address, "S0NDTR": 4, "S0CR": 1 << 20 | 1 << 10 | 1}
    for register, value in stream.items():
        write("DMA1", register, value)
    if cached:
        machine.scb.set("CCR", 1 << 16)
    if words:
        with pytest.raises(VirtualFault, match=words):
            machine.dma.write("USART1_RX", 0x4001_1024, lambda: 1)
    else:
        machine.dma.write("USART1_RX", 0x4001_1024, lambda: 1)
        assert machine.peripherals["DMA1"].bit("LISR", "TEIF0")


def test_the_mpu_keeps_the_ring_out_of_the_cache(chip) -> None:
    machine, write = chip
    mpu = machine.peripherals["MPU"]
    assert mpu.is_cacheable(RING)
    for register, value in (("RNR", 1), ("RBAR", RING), ("RASR", 18 << 1 | 1 << 19 | 3 << 24 | 1), ("CTRL", 5)):
        write("MPU", register, value)
    assert not mpu.is_cacheable(RING) and not mpu.is_cacheable(RING + 0x7_FFFF) and mpu.is_cacheable(AXI)
    write("MPU", "RNR", 2)
    write("MPU", "RBAR", RING + 32)
    with pytest.raises(VirtualFault, match="is not aligned"):
        write("MPU", "RASR", 18 << 1 | 1)


def test_a_stream_without_trbuff_is_refused(chip) -> None:
    _, write = chip
    write("RCC", "AHB1ENR", 1)
    with pytest.raises(VirtualFault, match="TRBUFF"):
        write("DMA1", "S0CR", 1)


def test_flash_programs_words_of_32_bytes_once(chip) -> None:
    machine, write = chip
    flash, word = machine.flash, 0x080C_0000
    for key in (0x4567_0123, 0xCDEF_89AB):
        write("FLASH", "KEYR1", key)
    write("FLASH", "CR1", 2)
    for offset in range(0, 28, 4):
        flash.program(DTCM, word + offset, 4, 0x1234_5678)
    assert machine.core.memories.read(word, 4) == b"\xff" * 4, "nothing before the word is whole"
    flash.program(DTCM, word + 28, 4, 0x1234_5678)
    assert machine.core.memories.read(word, 32) == bytes.fromhex("78563412") * 8
    pass_time(machine)
    for offset in range(0, 28, 4):
        flash.program(DTCM, word + offset, 4, 0)
    with pytest.raises(VirtualFault, match="its ECC would be wrong"):
        flash.program(DTCM, word + 28, 4, 0)


# ------------------------------------------------------------------ the cost model


@pytest.mark.parametrize(
    ("code", "cycles"),
    [
        (ADDS_R1_1 + ADDS_R2_1, 1),  # independent: a pair
        (ADDS_R1_1 + ADDS_R1_1, 2),  # the second needs the first
        (LDR_R0 + LDR_R3, 2),  # one access to memory a cycle
        (LDR_R0 + ADDS_R2_1, 1),
        (LDR_R0 + ADDS_R0_1, 3),  # the load's user waits
        (SMLAD_R4 + SMLAD_R5, 2),  # one multiplier
        (SMLAD_R4 + SMLAD_R4, 2),  # the sum is forwarded
        (SMLAD_R4 + LDR_R3 + SMLAD_R5 + ADDS_R1_1, 3),  # its factor has just been loaded
        (SMLAD_R4 + LDR_R3 + SMLAD_R4 + ADDS_R1_1, 2),
    ],
)
def test_two_instructions_a_cycle(code, cycles) -> None:
    assert block_cost(load_cpu("cortex_m7"), decode(code, 0), None).cycles == cycles


def test_cycles_before_each_instruction_rise_to_the_blocks_own(root) -> None:
    code = decode(LDR_R0 + ADDS_R0_1 + SMLAD_R4 + LDR_R3 + ADDS_R2_1, 0)
    cost = block_cost(load_cpu("cortex_m7"), code, None)
    assert list(cost.before) == sorted(cost.before) and len(cost.before) == cost.size // 2
    assert cost.before[-1] < cost.cycles < single_issue(load_cpu("cortex_m4f"), code, None).cycles


def test_the_document_has_the_published_ratios() -> None:
    """COST_MODEL.md: for each model the range of (Cortex-M7 cycles / Cortex-M4 cycles) of the same engine."""
    folder = resources.files("hilgate.virtual")
    text = folder.joinpath("COST_MODEL.md").read_text("utf-8")
    ratios: dict[str, list[float]] = {}
    for row in csv.DictReader(folder.joinpath("cpus/cortex_m7_measured.csv").read_text("utf-8").splitlines()):
        assert int(row["measured_cycles"]) == round(float(row["published_ms"]) * int(row["clock_hz"]) / 1000)
        assert int(row["m4_cycles"]) == round(float(row["m4_published_ms"]) * int(row["m4_clock_hz"]) / 1000)
        ratios.setdefault(row["model"], []).append(int(row["measured_cycles"]) / int(row["m4_cycles"]))
    for model, found in ratios.items():
        assert f"| {model.upper()} | {len(found)} | {min(found):.2f} to {max(found):.2f} |" in text, model
    assert set(ratios) == {"ic", "vww", "kws", "ad"}


def test_every_cost_says_that_it_is_assumed() -> None:
    folder = resources.files("hilgate.virtual")
    for word, entry in tomllib.loads(folder.joinpath("cpus/cortex_m7.toml").read_text("utf-8"))["cost"].items():
        assert set(entry) == {"cycles", "source"} and re.match("assumed|fitted", entry["source"]), word
    for section in tomllib.loads(folder.joinpath("families/stm32h7.toml").read_text("utf-8")).values():
        if isinstance(section, dict):
            assert all(set(entry) == {"value", "source"} for entry in section.values())


def test_a_usart_that_is_switched_off_has_the_flags_of_reset(chip) -> None:
    machine, write = chip
    write("RCC", "APB2ENR", 1 << 4)
    usart = machine.console
    write("USART1", "CR1", 0b1101)  # UE, TE, RE
    usart._take(ord("a"), False)
    usart._take(ord("b"), False)
    assert usart.values["ISR"] & 0x28 == 0x28 and usart.values["ISR"] >> 21 & 3 == 3
    write("USART1", "CR1", 0b1100)
    assert usart.values["ISR"] == usart.facts.registers["ISR"].reset
    with pytest.raises(VirtualFault, match=r"USART1.CR3.OVRDIS is not modelled"):
        write("USART1", "CR3", 1 << 12)


# ------------------------------------------------------------------ the image of the second core


def test_the_second_core_would_sleep(root, tmp_path) -> None:
    """What the linker puts at the start of bank 2, run on a Cortex-M4: it masks interrupts and waits, for ever."""
    import subprocess

    from hilgate.virtual.core import Core, Event

    source = root / "firmware/port/stm32h7/second_core.c"
    flags = "-mcpu=cortex-m7 -mthumb -nostdlib -ffreestanding -std=c11 -O2 -Wl,-e,0x08100041"
    flags += " -Wl,--section-start=.second_core.vectors=0x08100000 -Wl,--section-start=.second_core.text=0x08100040"
    elf = tmp_path / "second.elf"
    subprocess.run(["arm-none-eabi-gcc", *flags.split(), str(source), "-o", str(elf)], check=True)
    raw = tmp_path / "second.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "-j", ".second_core.*", str(elf), str(raw)], check=True)
    image = raw.read_bytes()
    core = Core(load_cpu("cortex_m4f"), None)
    core.memories.map(0x0810_0000, 0x1000, execute=True, write=False)
    core.memories.write(0x0810_0000, image)
    vectors = [int.from_bytes(image[i : i + 4], "little") for i in range(0, 64, 4)]
    assert vectors[0] == 0x1004_8000 and set(vectors[1:7]) == {0x0810_0041}
    pc = vectors[1]
    for _ in range(3):
        core.state.deadline = 1 << 40
        stop = core.run(pc)
        assert stop.event is Event.WAIT and core.get("PRIMASK") & 1
        pc = stop.pc | 1
