"""IWDG: the independent watchdog on the internal 32 kHz oscillator, which no interrupt mask stops."""

from __future__ import annotations

from hilgate.virtual.clock import PS_PER_S
from hilgate.virtual.peripherals.base import Peripheral

UNLOCK, FEED, START = 0x5555, 0xAAAA, 0xCCCC  # RM0390 20.4.1
PRESCALER_MAX = 256


class Iwdg(Peripheral):
    """New prescaler and reload values are taken at once; silicon takes up to five LSI periods (SR.PVU, SR.RVU)."""

    PLAIN = frozenset(("SR",))

    def reset(self) -> None:
        super().reset()
        self.running = self._open = False

    def write_KR(self, value: int) -> None:  # noqa: N802
        self._open = value == UNLOCK
        if value == START:
            self.running = True
            self.machine.rcc.put("CSR", "LSION", 1)
            self.machine.rcc.put("CSR", "LSIRDY", 1)
        if self.running and value in (START, FEED):
            self._reload()

    def write_PR(self, value: int) -> None:  # noqa: N802
        if self._open:
            self.set("PR", value)

    def write_RLR(self, value: int) -> None:  # noqa: N802
        if self._open:
            self.set("RLR", value)

    def _reload(self) -> None:
        divider = min(4 << self.values["PR"], PRESCALER_MAX)
        ticks = (self.values["RLR"] + 1) * divider
        lsi_hz = self.machine.family["clock"]["lsi_hz"]
        due = self.machine.clock.now_ps() + ticks * PS_PER_S // lsi_hz
        self.machine.clock.at("IWDG", due, lambda: self.machine.request_reset("watchdog"))
