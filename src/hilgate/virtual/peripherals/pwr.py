"""PWR: voltage scale and over-drive with their switching times."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral


class Pwr(Peripheral):
    """Low-power modes are not modelled: the bits keep what was written, WFI always sleeps only."""

    PLAIN = frozenset(("CSR",))

    @property
    def over_drive(self) -> bool:
        return self.has("CSR", "ODSWRDY") and bool(self.bit("CSR", "ODSWRDY"))

    def reset(self) -> None:
        super().reset()
        self.put("CSR", "VOSRDY", 1)

    def write_CR(self, value: int) -> None:  # noqa: N802
        self.set("CR", value)
        if not self.has("CR", "ODEN"):
            return
        family = self.machine.family["startup_us"]
        self._switch("ODEN", "ODRDY", family["over_drive"], possible=True)
        self._switch("ODSWEN", "ODSWRDY", family["over_drive_switch"], possible=bool(self.bit("CSR", "ODRDY")))
        self.machine.rcc.check_limits()

    def _switch(self, on: str, ready: str, us: int, *, possible: bool) -> None:
        key = f"PWR.{ready}"
        if not self.bit("CR", on):
            self.machine.clock.cancel(key)
            self.put("CSR", ready, 0)
        elif possible and not self.bit("CSR", ready) and not self.machine.clock.planned(key):
            self.machine.clock.after_us(key, us, lambda: self.put("CSR", ready, 1))

    def write_CSR(self, value: int) -> None:  # noqa: N802
        status = sum(self.facts.registers["CSR"].bits(n) for n in ("VOSRDY", "ODRDY", "ODSWRDY") if self.has("CSR", n))
        self.set("CSR", self.values["CSR"] & status | value & ~status)
