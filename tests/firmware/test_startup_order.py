"""From reset to the first byte: the order of register writes that the reference manuals ask for, as the images do them.

The virtual board answers as silicon does but forgives some orders that silicon need not; these are the ones that count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hilgate.link.connect import connect
from hilgate.virtual.board import VirtualBoard
from hilgate.virtual.machine import Options
from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.peripherals.dma import Dma
from hilgate.virtual.peripherals.stm32l4.dma import DmaChannels

pytestmark = pytest.mark.arm
BLOCKS = ("RCC", "PWR", "FLASH", "USART1", "USART2", "LPUART1", "DMA1")
START_US = 20_000


@dataclass(frozen=True)
class Write:
    """place: such as RCC.CFGR; value: written; fields: each with its value, by ST's names."""

    place: str
    value: int
    fields: dict[str, int]


class Startup(list[Write]):
    """The writes of one start-up, in order."""

    def when(self, place: str, **fields: int) -> int:
        """Index of the first write there with these fields."""
        for index, write in enumerate(self):
            if write.place == place and all(write.fields.get(name) == value for name, value in fields.items()):
                return index
        raise AssertionError(f"nothing writes {fields} to {place}")

    def at(self, place: str) -> Iterator[Write]:
        return (write for write in self if write.place == place)


@pytest.fixture
def writes(monkeypatch):
    """All writes from now on, of every virtual board."""
    seen = Startup()

    def recorded(plain):
        def write(self: Peripheral, address: int, size: int, value: int) -> None:
            register = next(
                (r for r in self.facts.registers.values() if self.facts.base + r.offset == address & ~3), None
            )
            if self.name in BLOCKS and register is not None:
                fields = {n: value >> low & ((1 << width) - 1) for n, (low, width) in register.fields.items()}
                seen.append(Write(f"{self.name}.{register.name}", value, fields))
            plain(self, address, size, value)

        return write

    for kind in (Peripheral, Dma, DmaChannels):
        monkeypatch.setattr(kind, "write", recorded(kind.write))
    return seen


@pytest.fixture
def startup(writes, virtual_image, root):
    """The writes between reset and 20 ms later; hse=False: without the external clock."""

    def record(board: str, *, hse: bool = True) -> Startup:
        powered = VirtualBoard(board, virtual_image(board).elf, Options(hse=hse), root=root)
        powered.run_us(START_US if hse else 500_000)
        return writes

    return record


def test_the_f446_as_rm0390_enters_over_drive(startup):
    """RM0390 5.1.4, entering over-drive: HSI, PLL on, ODEN, ODSWEN, flash and buses, PLL ready, the clock."""
    writes = startup("nucleo_f446re")
    steps = [
        writes.when("RCC.CR", HSEBYP=1, HSEON=0),
        writes.when("RCC.CR", HSEBYP=1, HSEON=1),
        writes.when("RCC.PLLCFGR", PLLM=4, PLLN=180, PLLP=0),
        writes.when("RCC.CR", PLLON=1),
        writes.when("PWR.CR", ODEN=1, ODSWEN=0),
        writes.when("PWR.CR", ODEN=1, ODSWEN=1),
        writes.when("FLASH.ACR", LATENCY=5),
        writes.when("RCC.CFGR", PPRE1=5, PPRE2=4, SW=0),
        writes.when("RCC.CFGR", PPRE1=5, PPRE2=4, SW=2),
    ]
    assert steps == sorted(steps), "out of order"
    assert writes.when("PWR.CR", VOS=3) < writes.when("RCC.CR", PLLON=1), "the scale is chosen while the PLL is off"


@pytest.mark.parametrize("hse", [True, False])
def test_the_f446_leaves_pllr_alone(startup, hse):
    """RM0390 6.3.2, PLLCFGR: bits 30 to 28 are PLLR, 2 after reset; 0 and 1 are wrong, also where nothing uses it.

    The vendor's SVD does not know them; on an STM32F405 they are reserved, and must be kept at the same 2.
    """
    written = list(startup("nucleo_f446re", hse=hse).at("RCC.PLLCFGR"))
    assert written and all(write.value >> 28 == 2 for write in written)


def test_the_usart_has_its_rate_before_its_transmitter(startup):
    """RM0390 25.4.2: the baud rate is selected, then TE set, which sends an idle frame."""
    writes = startup("nucleo_f446re")
    assert writes.when("USART2.BRR") < writes.when("USART2.CR1", TE=1)


def test_the_l4r5_raises_the_voltage_before_the_pll(startup):
    """RM0432 5.1.8 and ST's template: boost, PLL, half the bus clock, wait states, the clock, all of it."""
    writes = startup("nucleo_l4r5zi")
    steps = [
        writes.when("PWR.CR1", VOS=1),
        writes.when("PWR.CR5", R1MODE=0),
        writes.when("RCC.CR", PLLON=1),
        writes.when("RCC.CFGR", HPRE=8, SW=0),
        writes.when("FLASH.ACR", LATENCY=5),
        writes.when("RCC.CFGR", HPRE=8, SW=3),
        writes.when("RCC.CFGR", HPRE=0, SW=3),
    ]
    assert steps == sorted(steps), "out of order"
    assert writes.when("PWR.CR2", IOSV=1) < writes.when("LPUART1.CR1", TE=1)
    assert writes.when("LPUART1.BRR") < writes.when("LPUART1.CR1", UE=1)


def test_the_h747_settles_supply_and_scale_before_anything_fast(startup):
    """RM0399 6.4 and 8: supply once, scale 1, PLL, dividers of the buses, wait states, and then the clock."""
    writes = startup("stm32h747i_disco")
    supply = list(writes.at("PWR.CR3"))
    assert len(supply) == 1 and supply[0].fields["SMPSEN"] == 1 and supply[0].fields["LDOEN"] == 0
    steps = [
        writes.when("PWR.CR3"),
        writes.when("PWR.D3CR", VOS=3),
        writes.when("RCC.CR", HSEON=1),
        writes.when("RCC.PLLCFGR", PLL1RGE=2, PLL1VCOSEL=0, DIVP1EN=1, DIVQ1EN=0, DIVR1EN=0),
        writes.when("RCC.CR", PLL1ON=1),
        writes.when("RCC.D1CFGR", HPRE=8, D1PPRE=4),
        writes.when("RCC.D2CFGR", D2PPRE1=4, D2PPRE2=4),
        writes.when("FLASH.ACR", LATENCY=2, WRHIGHFREQ=2),
        writes.when("RCC.CFGR", SW=3),
    ]
    assert steps == sorted(steps), "out of order"
    assert writes.when("USART1.BRR") < writes.when("USART1.CR1", UE=1)


@pytest.mark.parametrize(
    ("board", "uart", "channel"), [("nucleo_l4r5zi", "LPUART1", "CCR1"), ("stm32h747i_disco", "USART1", "S0CR")]
)
def test_the_dma_is_off_while_the_uart_is(writes, virtual_image, board, uart, channel):
    """RM0399 and RM0432, CR1.UE: DMA requests are reset too, so the channel must be disabled before."""
    with connect(f"virtual://{board}?image={virtual_image(board).elf}") as session:
        writes.clear()
        assert session.set_baud(921600) and session.echo(b"on") == b"on"
        for number in range(6):
            assert session.echo(bytes([number]) * 1000) == bytes([number]) * 1000, "the ring begins anew, and wraps"
        assert session.memory().overruns == 0
    steps = [
        writes.when(f"DMA1.{channel}", EN=0),
        writes.when(f"{uart}.CR1", UE=0),
        writes.when(f"{uart}.BRR"),
        writes.when(f"{uart}.CR1", UE=1),
        writes.when(f"DMA1.{channel}", EN=1),
    ]
    assert steps == sorted(steps), "out of order"
