"""Each peripheral does what the reference manual says, in its time."""

from __future__ import annotations

import tomllib

import pytest

from hilgate.catalogue import load_board
from hilgate.errors import VirtualFault
from hilgate.virtual.registers import load_facts
from hilgate.virtual.wire import resample

arm = pytest.mark.arm


@pytest.fixture
def started(elf, board_of):
    """A board with one case of small.c chosen, not yet run; and a function that reads its results."""

    def start(case: str, name: str = "qemu_stm32f405", **options):
        board = board_of(elf("elves/small.c"), name, **options)
        memories, symbols = board.machine.core.memories, board.machine.image.symbols
        memories.write(symbols["chosen"], symbols[case].to_bytes(4, "little"))
        memories.write(symbols["result"], bytes(256))
        memories.write(symbols["survivor"], bytes(4))

        def results():
            raw = memories.read(symbols["result"], 256)
            return [int.from_bytes(raw[i : i + 4], "little") for i in range(0, 256, 4)]

        return board, results

    return start


def test_reset_values_are_the_vendors(root, started) -> None:
    """What the virtual board shows after reset equals the extract, for each MCU, register by register."""
    for name in ("nucleo_f446re", "nucleo_l4r5zi", "qemu_stm32f405"):
        board = load_board(name, root)
        text = (root / "firmware/port" / board.family / "registers.toml").read_text("utf-8")
        facts, change = tomllib.loads(text), tomllib.loads(text).get("mcu", {}).get(board.mcu.lower(), {})
        known = load_facts(board).peripherals
        for instance, entry in facts["peripheral"].items():
            for register, row in facts["block"][entry["block"]].items():
                changed = change.get(entry["block"], {}).get(register, {})
                if changed.get("absent"):
                    assert register not in known[instance].registers
                    continue
                due = entry.get("resets", {}).get(register, changed.get("reset", row.get("reset", 0)))
                assert known[instance].registers[register].reset == due, (instance, register)


@arm
def test_a_fresh_machine_shows_the_reset_values(started) -> None:
    board, _ = started("memory")
    # what the chip itself has changed by then: reset causes, ready voltage; SysTick has no reference clock of its own
    differs = {("RCC", "CSR"), ("PWR", "CSR"), ("SYSTICK", "CSR")}
    for name, peripheral in board.machine.peripherals.items():
        for register in peripheral.facts.registers.values():
            if (name, register.name) not in differs:
                assert peripheral.values[register.name] == register.reset, (name, register.name)


@arm
def test_the_pll_starts_in_its_time_and_a_dead_crystal_never_does(started) -> None:
    board, results = started("pll", "nucleo_f446re")
    board.run_us(20_000)
    hse, ready, lock, switched = results()[:4]
    assert hse < 100 and ready == 1  # the ST-LINK's clock is there at once
    assert lock == pytest.approx(100 * 16, rel=0.05) and switched == 1
    assert board.clock_hz == 168_000_000
    board, results = started("pll", "nucleo_f446re", hse=False)
    board.run_us(20_000)
    assert results()[1] == 0 and results()[0] >= 160_000
    assert board.clock_hz == 16_000_000


@arm
@pytest.mark.parametrize(
    ("case", "what"),
    [("too_fast", "needs 5 flash wait states, FLASH.ACR has 0"), ("bad_pll", "PLL VCO of 40000000 Hz is outside")],
)
def test_a_clock_beyond_its_limits_is_refused(case, what, started) -> None:
    board, _ = started(case, "nucleo_f446re")
    with pytest.raises(VirtualFault, match=what) as caught:
        board.run_us(20_000)
    assert f"({case}+0x" in caught.value.where


@arm
def test_flash_erases_and_programs(started) -> None:
    board, results = started("program")
    board.run_us(2_000_000)
    found = results()
    assert found[0] == 1 << 7, "PGSERR while locked"
    assert found[1] == 0xFFFF_FFFF
    assert found[2] == 0xFFFF_00FF
    assert found[3] == pytest.approx(16 * 16, abs=40), "16 us at 16 MHz"
    assert found[4] == 0x0F0F_00FF, "bits only from 1 to 0"
    assert found[5] == 1 << 6, "PGPERR"
    assert found[6] == 0xFFFF_FFFF, "the sector is erased"
    assert found[7] == 0, "unlocked again by its keys"


@arm
def test_the_watchdog_bites_even_when_interrupts_are_off(started) -> None:
    board, results = started("watchdog")
    board.run_us(20 * 2 * 1000 + 30_000)
    assert board.machine.resets == ["power_on", "watchdog"]
    survivor = board.machine.core.memories.read(board.machine.image.symbols["survivor"], 4)
    assert int.from_bytes(survivor, "little") == 19, "feeding kept it quiet before"
    assert results()[0] & 0x20, "RCC.CSR.WDGRSTF"


@arm
def test_dma_fills_a_ring(started) -> None:
    board, results = started("ring")
    assert board.read(3, 100_000) == b"go\n"
    board.write(b"abcdefghXY")
    board.run_us(10_000)
    found = results()
    assert found[0] == 4, "half the ring is left when the half flag rises"
    assert found[1] & 0x3D << 16 == 0, "flags clear"
    assert bytes(found[2:10]) == b"XYcdefgh" and found[10] == 6


@arm
def test_overrun_keeps_the_old_byte(started) -> None:
    board, results = started("overrun")
    assert board.read(3, 100_000) == b"go\n"
    board.write(b"abc")
    board.run_us(10_000)
    status, data, after = results()[:3]
    assert status & 0x38 == 0x38 and data == ord("a"), "and the line is idle by then"
    assert after & 0x38 == 0, "RXNE, ORE and IDLE are clear"


@arm
def test_pins_must_be_switched_to_the_console(started) -> None:
    board, _ = started("quiet")
    board.run_us(50_000)
    assert bytes(board.wire.to_host) == b"end\n"


@arm
def test_inputs_follow_their_pull(started) -> None:
    gpio = started("memory")[0].machine.peripherals["GPIOC"]
    base = gpio.facts.base
    gpio.clock(True)
    gpio.write(base + 0x0C, 4, 0b10_01_00)  # PUPDR: none, up, down
    assert gpio.read(base + 0x10, 4) == 0b010
    gpio.write(base, 4, 0b01_01_01)  # outputs read their latch
    gpio.write(base + 0x18, 4, 0b101)
    assert gpio.read(base + 0x10, 4) == 0b101


@arm
def test_a_narrow_write_clears_only_what_it_covers(started) -> None:
    """Firmware clears UFSR, BFSR and MMFSR one by one, as parts of CFSR."""
    scb = started("memory")[0].machine.scb
    scb.set("CFSR", 0x0103_8282)
    scb.write(0xE000_ED29, 1, 0x82)
    assert scb.get("CFSR") == 0x0103_0082
    scb.write(0xE000_ED2A, 2, 0x0100)
    assert scb.get("CFSR") == 0x0003_0082


@arm
def test_bytes_at_another_rate_are_garbage(started) -> None:
    board, _ = started("echo")
    assert board.read(3, 100_000) == b"go\n"
    board.write(b"U2")
    assert board.read(2, 10_000) == b"U2"
    board.baud = 921600
    board.write(b"hello")
    assert board.read(5, 10_000) != b"hello"
    board.read(1000, 10_000)
    board.baud = 115200 * 102 // 100  # 2 % off still works
    board.write(b"hello")
    assert board.read(5, 10_000) == b"hello"


@pytest.mark.parametrize("byte", [0x00, 0x55, 0xA5, 0xFF])
def test_sampling_a_frame_at_another_rate(byte) -> None:
    assert resample(byte, 1000, 1000) == [(byte, False)]
    assert resample(byte, 1000, 1025) == [(byte, False)]
    assert byte == 0xFF or resample(byte, 1000, 1400) != [(byte, False)]
    slow = resample(byte, 1000, 2000)  # the receiver sees every second bit: start, bits 0, 2, 4, 6, then the idle line
    kept = [byte >> bit & 1 for bit in (2, 4, 6)]
    assert all(value >> 5 == 7 or error for value, error in slow)
    assert len(slow) <= 2 and kept is not None
    fast = resample(byte, 1000, 125)  # eight samples a bit: the start bit alone is a frame of zeros without a stop
    assert fast[0][0] & 0x7F == 0
