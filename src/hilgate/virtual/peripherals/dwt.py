"""DWT and the debug block's DEMCR: the cycle counter, exact in the middle of a block."""

from __future__ import annotations

from hilgate.virtual.hooks import Kind
from hilgate.virtual.peripherals.base import Peripheral


class Dwt(Peripheral):
    """CYCCNT counts while DEMCR.TRCENA and CTRL.CYCCNTENA are set. A Cortex-M4 has no lock: LAR is ignored."""

    def reset(self) -> None:
        self._offset = self._frozen = 0
        self._running = False
        super().reset()
        self.update()

    def write_CTRL(self, value: int) -> None:  # noqa: N802
        if value & ~1 & 0x01FF_FFFE:
            self._refuse(f"DWT.CTRL = 0x{value:08x}: only CYCCNTENA is modelled")
        self.set("CTRL", self.values["CTRL"] & ~1 | value & 1)
        self.update()

    def write_LAR(self, value: int) -> None:  # noqa: N802
        """Nothing to unlock on a Cortex-M4."""

    def write_CYCCNT(self, value: int) -> None:  # noqa: N802
        self._offset = self.machine.exact_cycles() - value
        self._frozen = value
        self._show()

    def update(self) -> None:
        """CTRL or DEMCR changed."""
        running = bool(self.values["CTRL"] & 1) and self.machine.trace_enabled()
        if running != self._running:
            now = self.machine.exact_cycles()
            if running:
                self._offset = now - self._frozen
            else:
                self._frozen = (now - self._offset) & 0xFFFF_FFFF
            self._running = running
        self._show()

    def _show(self) -> None:
        if self._page is not None:
            address = self.facts.base + self.facts.registers["CYCCNT"].offset
            kind = Kind.CYCLES if self._running else Kind.PLAIN
            self._page.show(address, self._offset if self._running else self._frozen, kind)


class CoreDebug(Peripheral):
    """DEMCR.TRCENA gates the DWT. No debugger is attached: DHCSR reads 0."""

    def write_DEMCR(self, value: int) -> None:  # noqa: N802
        self.set("DEMCR", value & (1 << 24))
        self.machine.dwt.update()

    def write_DHCSR(self, value: int) -> None:  # noqa: N802
        """Only a debugger can write it."""
