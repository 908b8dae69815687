"""What the RCCs of all families do alike: the system clock follows what is asked for, and silicon's interlocks hold."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from hilgate.errors import VirtualFault

pytestmark = pytest.mark.arm


@dataclass(frozen=True)
class Tree:
    """One board. source: bits of CR that start what feeds the PLL; setting: of a PLL that works; sw: its code in
    CFGR.SW, and SWS is `shift` bits up; acr: flash wait states that are enough; hz: what comes out."""

    board: str
    source: int
    setting: dict[str, int]
    sw: int
    shift: int
    acr: int
    hz: int


PLLON, PLLRDY, HSEBYP = 1 << 24, 1 << 25, 1 << 18
TREES = [
    Tree("nucleo_f446re", 1 << 16 | HSEBYP, {"PLLCFGR": 0x0743_1904}, 2, 2, 0x705, 25_000_000),
    Tree("nucleo_l4r5zi", 1 << 8, {"PLLCFGR": 0x0100_1012}, 3, 2, 0x705, 64_000_000),
    Tree("stm32h747i_disco", 1, {"PLLCKSELR": 32 << 4, "PLLCFGR": 1 << 16, "PLL1DIVR": 0x663}, 3, 3, 7, 50_000_000),
]


@pytest.fixture(params=TREES, ids=lambda tree: tree.board)
def rcc(request, chip_on):
    """A fresh chip whose PLL is set, with its source running; the PLL is off."""
    tree: Tree = request.param
    chip = chip_on(tree.board)
    values = chip.machine.rcc.values

    def poke(register: str, value: int) -> None:
        chip.poke(f"RCC.{register}", value)

    chip.poke("FLASH.ACR", tree.acr)
    poke("CR", values["CR"] | tree.source)
    chip.wait_us(10)
    for register, value in tree.setting.items():
        poke(register, value)
    return SimpleNamespace(tree=tree, machine=chip.machine, poke=poke, wait_us=chip.wait_us, values=values)


def running(rcc) -> int:
    return rcc.values["CFGR"] >> rcc.tree.shift & 3


def test_a_clock_that_is_not_ready_is_switched_to_when_it_is(rcc) -> None:
    rcc.poke("CR", rcc.values["CR"] | PLLON)
    rcc.poke("CFGR", rcc.tree.sw)
    before = rcc.machine.clock.hz
    assert running(rcc) == 0 and before != rcc.tree.hz
    rcc.wait_us(300)
    assert running(rcc) == rcc.tree.sw and rcc.machine.clock.hz == rcc.tree.hz


def test_hardware_keeps_what_it_runs_on_and_what_feeds_it(rcc) -> None:
    rcc.poke("CR", rcc.values["CR"] | PLLON)
    rcc.wait_us(300)
    rcc.poke("CFGR", rcc.tree.sw)
    on = rcc.values["CR"]
    rcc.poke("CR", 0)
    rcc.wait_us(300)
    kept = PLLON | PLLRDY | rcc.tree.source & ~HSEBYP
    assert rcc.values["CR"] & kept == kept == on & kept
    assert rcc.machine.clock.hz == rcc.tree.hz


def test_a_pll_is_set_while_it_is_off(rcc) -> None:
    register, value = list(rcc.tree.setting.items())[-1]
    rcc.poke("CR", rcc.values["CR"] | PLLON)
    rcc.poke(register, value)  # the same again changes nothing
    with pytest.raises(VirtualFault, match=f"RCC.{register} while the PLL is on"):
        rcc.poke(register, value ^ 1 << 8)


def test_the_rate_of_a_uart_follows_the_clock(rcc) -> None:
    console = rcc.machine.console
    console.set("BRR", 0x2000)
    before = console.baud()
    rcc.poke("CR", rcc.values["CR"] | PLLON)
    rcc.wait_us(300)
    old = rcc.machine.clock.hz
    rcc.poke("CFGR", rcc.tree.sw)
    assert console.baud() == pytest.approx(before * rcc.tree.hz / old, rel=1e-3)
    console.set("BRR", 0x1000)
    assert console.baud() == pytest.approx(2 * before * rcc.tree.hz / old, rel=1e-3)


@pytest.mark.parametrize(("board", "code"), [("nucleo_f446re", 4 << 10), ("nucleo_l4r5zi", 4 << 8)])
def test_the_rate_of_a_uart_follows_its_bus(board, code, chip_on) -> None:
    """The divider of APB1 alone changes: the core keeps its clock."""
    machine = chip_on(board).machine
    machine.console.set("BRR", 0x1000)
    before, hz = machine.console.baud(), machine.clock.hz
    machine.rcc.write(machine.rcc.facts.base + 8, 4, code)
    assert machine.clock.hz == hz and machine.console.baud() == pytest.approx(before / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("post_divider", "cfgr", "what"),
    [
        (0, 2 | 5 << 10 | 4 << 13, "the core at 180000000 Hz needs over-drive"),
        (1, 2, "APB1 at 90000000 Hz is above its 42000000 Hz"),
        (1, 2 | 5 << 10, "APB2 at 90000000 Hz is above its 84000000 Hz"),
    ],
)
def test_what_an_stm32f4_cannot_run_at_is_refused(post_divider, cfgr, what, chip_on) -> None:
    chip = chip_on("nucleo_f446re")
    chip.poke("FLASH.ACR", 0x705)
    chip.poke("RCC.CR", chip.peek("RCC.CR") | 1 << 16 | HSEBYP)
    chip.wait_us(10)
    chip.poke("RCC.PLLCFGR", 4 | 180 << 6 | post_divider << 16 | 1 << 22 | 7 << 24)
    chip.poke("RCC.CR", chip.peek("RCC.CR") | PLLON)
    chip.wait_us(300)
    with pytest.raises(VirtualFault, match=what):
        chip.poke("RCC.CFGR", cfgr)
