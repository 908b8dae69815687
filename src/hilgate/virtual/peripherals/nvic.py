"""NVIC registers: enable, pending, active and priority bits of the external interrupts, kept by exceptions.py."""

from __future__ import annotations

from hilgate.virtual.exceptions import FIRST_INTERRUPT
from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.registers import Register


class Nvic(Peripheral):
    """All registers are read from and written to the exception logic; sixteen priority levels, as ST builds them."""

    def _modelled(self, register: Register) -> bool:
        return True

    def set(self, name: str, value: int) -> None:
        super().set(name, value)
        if self._page is not None:
            self._page.ask(self.facts.base + self.facts.registers[name].offset)

    def _register(self, address: int, verb: str, size: int = 4) -> Register:
        register = super()._register(address, verb)
        if size != 4 and not register.name.startswith("IPR"):
            what = f"{verb} of {8 * size} bits of NVIC.{register.name}"
            self._refuse(f"{what}: only words are defined (ARM DDI 0403E B3.4)")
        return register

    def read(self, address: int, size: int) -> int:
        register = self._register(address, "read", size)
        exceptions = self.machine.exceptions
        kind, index = register.name.rstrip("0123456789"), int(register.name[len(register.name.rstrip("0123456789")) :])
        first = FIRST_INTERRUPT + 32 * index
        if kind == "IPR":
            first = FIRST_INTERRUPT + 4 * index
            word = sum(exceptions.priority.get(first + i, 0) << 8 * i for i in range(4))
            return word >> 8 * (address & 3) & ((1 << 8 * size) - 1)
        source = {"ISER": exceptions.enabled, "ICER": exceptions.enabled, "IABR": set(exceptions.active)}.get(
            kind, exceptions.pending
        )
        return sum(1 << i for i in range(32) if first + i in source)

    def write(self, address: int, size: int, value: int) -> None:
        register = self._register(address, "write", size)
        exceptions = self.machine.exceptions
        kind, index = register.name.rstrip("0123456789"), int(register.name[len(register.name.rstrip("0123456789")) :])
        if kind == "IPR":
            first = FIRST_INTERRUPT + (address - self.facts.base - self.facts.registers["IPR0"].offset)
            for i in range(size):
                exceptions.priority[first + i] = value >> 8 * i & 0xF0
        else:
            numbers = {FIRST_INTERRUPT + 32 * index + i for i in range(32) if value >> i & 1}
            if kind == "ISER":
                exceptions.enabled |= numbers
            elif kind == "ICER":
                exceptions.enabled -= numbers
            elif kind == "ISPR":
                exceptions.pending |= numbers
            elif kind == "ICPR":
                exceptions.pending -= numbers - exceptions.levels
        self.machine.clock.stop_now()
