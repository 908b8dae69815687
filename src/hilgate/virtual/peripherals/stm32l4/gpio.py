"""GPIO of the STM32L4+: pins 2 to 15 of port G hang on VDDIO2, which PWR.CR2.IOSV connects."""

from __future__ import annotations

from hilgate.virtual.peripherals.gpio import Gpio


class GpioL4(Gpio):
    """After reset all pins are analog."""

    def alternate(self, pin: int) -> int | None:
        if self.name == "GPIOG" and pin >= 2 and not self.machine.pwr.bit("CR2", "IOSV"):
            return None
        return super().alternate(pin)
