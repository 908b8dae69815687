"""What an STM32L4+ has other than an STM32F4: clocks, supplies, flash, LPUART, DMA channels behind a multiplexer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.virtual.peripherals.stm32l4.dma import DmaChannels, DmaMux
from hilgate.virtual.peripherals.stm32l4.flash import FlashL4
from hilgate.virtual.peripherals.stm32l4.gpio import GpioL4
from hilgate.virtual.peripherals.stm32l4.lpuart import LpUart
from hilgate.virtual.peripherals.stm32l4.pwr import PwrL4
from hilgate.virtual.peripherals.stm32l4.rcc import RccL4

if TYPE_CHECKING:
    from hilgate.virtual.peripherals.base import Peripheral

CLASSES: dict[str, type[Peripheral]] = {
    "RCC": RccL4, "PWR": PwrL4, "FLASH": FlashL4, "GPIO": GpioL4, "LPUART": LpUart, "DMA": DmaChannels,
    "DMAMUX": DmaMux,
}  # fmt: skip
