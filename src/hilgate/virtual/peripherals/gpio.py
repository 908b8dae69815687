"""GPIO: modes and alternate functions (the console's pins must be right for bytes to pass); outputs stay."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral

ALTERNATE = 2


class Gpio(Peripheral):
    """Inputs read the output latch where the pin is an output, else their pull: up reads 1."""

    PLAIN = frozenset(("MODER", "OTYPER", "OSPEEDR", "PUPDR", "ODR", "AFRL", "AFRH"))

    def set(self, name: str, value: int) -> None:
        super().set(name, value)
        self.machine.pins.clear()

    def write_BSRR(self, value: int) -> None:  # noqa: N802
        self.set("ODR", self.values["ODR"] & ~(value >> 16) | value & 0xFFFF)

    def read_IDR(self) -> int:  # noqa: N802
        word = 0
        for pin in range(16):
            mode, pull = self.values["MODER"] >> 2 * pin & 3, self.values["PUPDR"] >> 2 * pin & 3
            word |= (self.values["ODR"] >> pin & 1 if mode == 1 else int(pull == 1)) << pin
        return word

    def alternate(self, pin: int) -> int | None:
        """The alternate function that a pin is switched to; None in another mode."""
        if self.values["MODER"] >> 2 * pin & 3 != ALTERNATE:
            return None
        return self.values["AFRL" if pin < 8 else "AFRH"] >> 4 * (pin % 8) & 15
