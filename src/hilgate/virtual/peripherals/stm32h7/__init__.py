"""Peripherals of the STM32H7 that differ from those of the STM32F4, and what a Cortex-M7 has beside a Cortex-M4."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.peripherals.stm32h7.core import Cache, LockedDwt, Mpu, ScbM7
from hilgate.virtual.peripherals.stm32h7.dma import Dma, DmaMux
from hilgate.virtual.peripherals.stm32h7.flash import Flash
from hilgate.virtual.peripherals.stm32h7.pwr import Pwr
from hilgate.virtual.peripherals.stm32h7.rcc import Rcc
from hilgate.virtual.peripherals.stm32h7.usart import Usart

CLASSES: dict[str, type[Peripheral]] = {
    "RCC": Rcc, "PWR": Pwr, "FLASH": Flash, "USART": Usart, "DMA": Dma, "DMAMUX": DmaMux, "SCB": ScbM7,
    "DWT": LockedDwt, "MPU": Mpu, "CACHE": Cache,
}  # fmt: skip
