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
        self._fed_ps = 0
        if self._page is not None:
            self._page.feed(0)

    def write_KR(self, value: int) -> None:  # noqa: N802
        self._open = value == UNLOCK
        if value == START:
            self.running = True
            self.machine.rcc.put("CSR", "LSION", 1)
            self.machine.rcc.put("CSR", "LSIRDY", 1)
        if self.running and value in (START, FEED):
            self.machine.core.state.fed_at = self.machine.exact_cycles()
            self.settle()
            self._plan()
        self._show()

    def write_PR(self, value: int) -> None:  # noqa: N802
        if self._open:
            self.set("PR", value)

    def write_RLR(self, value: int) -> None:  # noqa: N802
        if self._open:
            self.set("RLR", value)

    def _show(self) -> None:
        """Let the native side take feeds while they have no other effect."""
        if self._page is not None:
            self._page.feed(self.facts.base if self.running and not self._open else 0)

    def settle(self) -> None:
        """Turn the cycle of the last feed into time, before the core clock changes."""
        if self.running:
            self._fed_ps = max(self._fed_ps, self.machine.clock.ps_at(int(self.machine.core.state.fed_at)))

    def _due_ps(self) -> int:
        divider = min(4 << self.values["PR"], PRESCALER_MAX)
        ticks = (self.values["RLR"] + 1) * divider
        return self._fed_ps + ticks * PS_PER_S // int(self.machine.family["clock"]["lsi_hz"])

    def _plan(self) -> None:
        self.machine.clock.at("IWDG", self._due_ps(), self._bite)

    def _bite(self) -> None:
        self.settle()
        if self._due_ps() > self.machine.clock.now_ps():
            self._plan()
        else:
            self.machine.request_reset("watchdog")
