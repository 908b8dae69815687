"""Which class stands for which block of the vendor's data, and the pages that the core sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hilgate.errors import VirtualFault
from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.peripherals.dma import Dma
from hilgate.virtual.peripherals.dwt import CoreDebug, Dwt
from hilgate.virtual.peripherals.flash import Flash
from hilgate.virtual.peripherals.gpio import Gpio
from hilgate.virtual.peripherals.iwdg import Iwdg
from hilgate.virtual.peripherals.nvic import Nvic
from hilgate.virtual.peripherals.pwr import Pwr
from hilgate.virtual.peripherals.rcc import Rcc
from hilgate.virtual.peripherals.scb import Debug, Fpu, Scb
from hilgate.virtual.peripherals.stm32h7 import CLASSES as STM32H7
from hilgate.virtual.peripherals.stm32l4 import CLASSES as STM32L4
from hilgate.virtual.peripherals.systick import SysTick
from hilgate.virtual.peripherals.uid import FactoryData
from hilgate.virtual.peripherals.usart import Usart

if TYPE_CHECKING:
    from hilgate.virtual.machine import Machine

CLASSES: dict[str, type[Peripheral]] = {
    "RCC": Rcc, "PWR": Pwr, "FLASH": Flash, "GPIO": Gpio, "USART": Usart, "DMA": Dma, "IWDG": Iwdg, "SYSTICK": SysTick,
    "NVIC": Nvic, "SCB": Scb, "FPU": Fpu, "DWT": Dwt, "COREDEBUG": CoreDebug, "DBG": Debug,
}  # fmt: skip
# Instead of, or beside, the above.
BY_FAMILY: dict[str, dict[str, type[Peripheral]]] = {"stm32h7": STM32H7, "stm32l4": STM32L4}
PAGE = 0x1000


def build(machine: Machine) -> dict[str, Peripheral]:
    """All modelled peripherals of the machine's MCU, mapped."""
    classes = CLASSES | BY_FAMILY.get(machine.board.family, {})
    peripherals = {
        name: classes[facts.block](machine, facts)
        for name, facts in machine.facts.peripherals.items()
        if facts.block in classes
    }
    pages: dict[int, list[Peripheral]] = {}
    for peripheral in peripherals.values():
        for base in range(peripheral.facts.base & -PAGE, peripheral.facts.base + peripheral.facts.bytes, PAGE):
            pages.setdefault(base, []).append(peripheral)
    for base, there in pages.items():
        page = machine.core.map_registers(base, *_dispatch(there))
        for peripheral in there:
            peripheral.on_page(page)
    uid = machine.board.tables.get("identity", {}).get("uid_address")
    if uid:
        machine.factory = FactoryData(machine, uid, machine.options.seed)
        machine.core.map_registers(uid & -PAGE, machine.factory.read, machine.factory.write)
    return peripherals


def _dispatch(there: list[Peripheral]) -> tuple[Callable[[int, int], int], Callable[[int, int, int], None]]:
    def find(address: int, verb: str) -> Peripheral:
        for peripheral in sorted(there, key=lambda p: p.facts.bytes):
            if peripheral.facts.base <= address < peripheral.facts.base + peripheral.facts.bytes:
                return peripheral
        raise VirtualFault(
            f"{verb} of 0x{address:08x}: a register that the virtual board does not model",
            hint="see src/hilgate/virtual/FIDELITY.toml",
        )

    def read(address: int, size: int) -> int:
        return find(address, "read").read(address, size)

    def write(address: int, size: int, value: int) -> None:
        find(address, "write").write(address, size, value)

    return read, write
