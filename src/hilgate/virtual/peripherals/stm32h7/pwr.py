"""PWR: the supply that is written once, and the voltage scales."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral

SUPPLY = 0x3F  # BYPASS, LDOEN, SMPSEN, SMPSEXTHP, SMPSLEVEL
SMPS = 1 << 2


class Pwr(Peripheral):
    """Low-power modes are not modelled. The supply survives every reset but power-on."""

    PLAIN = frozenset(("CR1", "CSR1", "CR2", "WKUPCR", "WKUPFR", "WKUPEPR"))

    _written = False

    def reset(self) -> None:
        kept = None if self.machine.resets[-1:] == ["power_on"] else self.values.get("CR3")
        self._written = kept is not None and self._written
        super().reset()
        if kept is not None:
            self.set("CR3", kept)
        for event in ("PWR.ACTVOSRDY", "PWR.VOSRDY"):
            self.machine.clock.cancel(event)
        if self._written:
            self._settle()

    @property
    def scale(self) -> int:
        """Voltage scale 1, 2 or 3 of PWR_D3CR (VOS 3, 2, 1)."""
        return 4 - max(1, self.bit("CSR1", "ACTVOS"))

    def read_CR3(self) -> int:  # noqa: N802
        return self.values["CR3"]

    def write_CR3(self, value: int) -> None:  # noqa: N802
        if self._written:
            return  # write once: silicon ignores it until the next power-on
        supply = self.machine.board.tables.get("supply", {}).get("kind")
        if value & SUPPLY != SMPS:
            self._refuse(
                f"PWR.CR3 = 0x{value:x} is not direct SMPS supply, but {self.machine.board.name} is wired for"
                f" `{supply}`: silicon loses the core's voltage at each boot, until BOOT0 is strapped and flash erased"
            )
        self._written = True
        self.set("CR3", value)
        self._settle()

    def read_D3CR(self) -> int:  # noqa: N802
        return self.values["D3CR"]

    def write_D3CR(self, value: int) -> None:  # noqa: N802
        if not self.bit("CSR1", "ACTVOSRDY"):
            return  # the scale cannot be changed before the supply is settled
        wanted = value >> 14 & 3
        if wanted == 0:
            self._refuse("PWR.D3CR.VOS = 0: reserved")
        self.set("D3CR", value & 0xC000)
        self.put("CSR1", "ACTVOSRDY", 0)
        self._settle()

    def _settle(self) -> None:
        us = self.machine.family["startup_us"]["voltage_scale"]
        self.machine.clock.after_us("PWR.ACTVOSRDY", us, self._ready)

    def _ready(self) -> None:
        self.put("CSR1", "ACTVOS", self.bit("D3CR", "VOS"))
        self.put("CSR1", "ACTVOSRDY", 1)
        self.put("D3CR", "VOSRDY", 1)
        self.machine.rcc.check_limits()

    def write_CPUCR(self, value: int) -> None:  # noqa: N802
        self.set("CPUCR", value & 0x800)
