"""SysTick: a 24-bit down counter on the core clock, or an eighth of it."""

from __future__ import annotations

from hilgate.virtual.exceptions import SYSTICK
from hilgate.virtual.hooks import Kind
from hilgate.virtual.peripherals.base import Peripheral


class SysTick(Peripheral):
    """Counts in cycles, so a change of the core clock changes its pace as on silicon."""

    PLAIN = frozenset(("RVR", "CALIB", "CVR"))

    def reset(self) -> None:
        super().reset()
        self.put("CSR", "CLKSOURCE", 0)
        self._zero_at = 0  # cycle at which the counter was, or will have been, reloaded
        self._flag_from = 0
        self.machine.clock.cancel("SYSTICK")
        self._show()

    def _divider(self) -> int:
        return 1 if self.bit("CSR", "CLKSOURCE") else 8

    def _period(self) -> int:
        return (self.values["RVR"] + 1) * self._divider()

    def _elapsed(self) -> int:
        return self.machine.exact_cycles() - self._zero_at

    def _current(self) -> int:
        if not self.bit("CSR", "ENABLE") or not self.values["RVR"]:
            return self.values["CVR"]
        ticks = self._elapsed() // self._divider()
        return 0 if ticks == 0 else self.values["RVR"] - (ticks - 1) % (self.values["RVR"] + 1)

    def write_CVR(self, _value: int) -> None:  # noqa: N802
        self.set("CVR", 0)
        self._restart()

    def write_RVR(self, value: int) -> None:  # noqa: N802
        """Used at the next reload on silicon; here the pace changes at once, from the same start."""
        self.set("RVR", value & 0xFF_FFFF)
        self.arm()

    def read_CSR(self) -> int:  # noqa: N802
        flag = int(bool(self.bit("CSR", "ENABLE") and self.values["RVR"]) and self._wraps() > self._flag_from)
        self._flag_from = self._wraps()
        return self.values["CSR"] | flag << 16

    def _wraps(self) -> int:
        """How often the counter has gone from 1 to 0 since it was started."""
        if not self.values["RVR"]:
            return 0
        ticks = self._elapsed() // self._divider()
        return ticks // (self.values["RVR"] + 1) if ticks > 0 else 0

    def write_CSR(self, value: int) -> None:  # noqa: N802
        old = self.values["CSR"]
        if value & ~old & 1:
            self.set("CSR", value & 7)
            self._restart()
        else:
            if old & ~value & 1:
                self.set("CVR", self._current())
            self.set("CSR", value & 7)
            self.arm()

    def _restart(self) -> None:
        self._zero_at = self.machine.exact_cycles()
        self._flag_from = 0
        self.arm()

    def _show(self) -> None:
        """The native side counts down by itself."""
        state, address = self.machine.core.state, self.facts.base + self.facts.registers["CVR"].offset
        state.ticks_start, state.ticks_reload, state.ticks_divider = self._zero_at, self.values["RVR"], self._divider()
        counting = bool(self.bit("CSR", "ENABLE") and self.values["RVR"])
        if self._page is not None:
            self._page.show(address, self.values["CVR"], Kind.TICKS if counting else Kind.PLAIN)

    def arm(self) -> None:
        self._show()
        if self.bit("CSR", "ENABLE") and self.bit("CSR", "TICKINT") and self.values["RVR"]:
            due = self._zero_at + (self._wraps() + 1) * self._period()
            self.machine.clock.at_cycles("SYSTICK", due, self._tick)
        else:
            self.machine.clock.cancel("SYSTICK")

    def _tick(self) -> None:
        self.machine.exceptions.pend(SYSTICK)
        self.arm()
