"""PWR of the STM32L4+: voltage range, boost, and the word of the firmware that VDDIO2 is there."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral

RANGE_1 = 1  # CR1.VOS


class PwrL4(Peripheral):
    """Low-power modes are not modelled. The regulator follows at once: SR2.VOSF never shows."""

    PLAIN = frozenset(("CR3", "SR1", "SR2"))

    def write_CR1(self, value: int) -> None:  # noqa: N802
        self.set("CR1", value)
        if self.bit("CR1", "VOS") != RANGE_1 or self.bit("CR1", "LPR"):
            self._refuse(f"PWR.CR1 = 0x{value:x}: only voltage range 1 with the main regulator is modelled")

    def write_CR2(self, value: int) -> None:  # noqa: N802
        self.set("CR2", value)
        self.machine.pins.clear()

    def write_CR5(self, value: int) -> None:  # noqa: N802
        self.set("CR5", value)
        self.machine.rcc.check_limits()
