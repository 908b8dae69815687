"""A peripheral: registers by the vendor's names, offsets, reset values and masks; its behaviour in methods by name.

A class gives meaning to a register by listing it in PLAIN (it keeps what was written, which has no effect here) or by
a method `read_<register>` or `write_<register>`. A register that the vendor lists and the class does not is a
VirtualFault at any access, and so is an offset where the vendor lists nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

from hilgate.errors import VirtualFault
from hilgate.virtual.registers import PeripheralFacts, Register

if TYPE_CHECKING:
    from hilgate.virtual.hooks import Page
    from hilgate.virtual.machine import Machine


class Peripheral:
    """One instance on one machine."""

    PLAIN: ClassVar[frozenset[str]] = frozenset()
    CLEARED_BY_ONES: ClassVar[frozenset[str]] = frozenset()  # a narrow write leaves their other bytes alone

    def __init__(self, machine: Machine, facts: PeripheralFacts) -> None:
        self.machine, self.facts, self.name = machine, facts, facts.name
        self.values: dict[str, int] = {}
        self.clocked = True
        self._fields = facts.places
        self._by_offset = {register.offset: register for register in facts.registers.values()}
        self._page: Page | None = None
        self._places: dict[str, tuple[int, bool]] = {}

    def on_page(self, page: Page) -> None:
        self._page = page

    def reset(self) -> None:
        """All registers to the vendor's reset values. Subclasses add their own state."""
        for register in self.facts.registers.values():
            self.set(register.name, register.reset)

    def clock(self, on: bool) -> None:
        """The bus clock of this peripheral is switched: without it no register answers."""
        self.clocked = on
        for register in self.facts.registers.values():
            self.set(register.name, self.values.get(register.name, register.reset))

    # ------------------------------------------------------------------ values

    def set(self, name: str, value: int) -> None:
        """Change a register from inside. What may be read without side effect is shown to the native side."""
        self.values[name] = value & 0xFFFF_FFFF
        if self._page is None:
            return
        address, plain = self._places.get(name) or self._place(name)
        if plain and self.clocked:
            self._page.show(address, value)
        else:
            self._page.ask(address)

    def _place(self, name: str) -> tuple[int, bool]:
        """Address of a register, and whether reading it has no effect but its value."""
        register = self.facts.registers[name]
        plain = self._modelled(register) and not hasattr(self, f"read_{name}") and register.access != "write-only"
        self._places[name] = self.facts.base + register.offset, plain
        return self._places[name]

    def get(self, name: str) -> int:
        return self.values[name]

    def bit(self, register: str, name: str) -> int:
        """The value of one field."""
        bit, mask = self._fields[register, name]
        return self.values[register] >> bit & mask

    def put(self, register: str, name: str, value: int) -> None:
        """Change one field from inside."""
        bit, mask = self._fields[register, name]
        wanted = (self.values[register] & ~(mask << bit)) | (value & mask) << bit
        if wanted != self.values[register]:
            self.set(register, wanted)

    def has(self, register: str, name: str) -> bool:
        """Whether this MCU has the field."""
        return (register, name) in self._fields

    # ------------------------------------------------------------------ accesses of the core

    def read(self, address: int, size: int) -> int:
        register = self._register(address, "read")
        if register.access == "write-only":
            return 0
        reader = getattr(self, f"read_{register.name}", None)
        word = self.values[register.name] if reader is None else reader()
        return int(word) >> 8 * (address & 3) & ((1 << 8 * size) - 1)

    def write(self, address: int, size: int, value: int) -> None:
        register = self._register(address, "write")
        if register.access == "read-only":
            return
        shift, lanes = 8 * (address & 3), (1 << 8 * size) - 1
        old = self.values[register.name] if size < 4 and register.name not in self.CLEARED_BY_ONES else 0
        word = (old & ~(lanes << shift)) | (value & lanes) << shift
        mask = register.mask()
        kept = self.values[register.name] & ~mask
        writer = getattr(self, f"write_{register.name}", None)
        if writer is None:
            self.set(register.name, kept | word & mask)
        else:
            writer(kept | word & mask)

    def _modelled(self, register: Register) -> bool:
        name = register.name
        return name in self.PLAIN or hasattr(self, f"read_{name}") or hasattr(self, f"write_{name}")

    def _register(self, address: int, verb: str) -> Register:
        register = self._by_offset.get((address - self.facts.base) & ~3)
        if register is None:
            self._refuse(f"{verb} of 0x{address:08x}: {self.name} has no register there")
        if not self.clocked:
            self._refuse(f"{verb} of {self.name}.{register.name} (0x{address:08x}) while its clock is off in RCC")
        if not self._modelled(register):
            self._refuse(
                f"{verb} of {self.name}.{register.name} (0x{address:08x}), which the virtual board does not model"
            )
        return register

    def _refuse(self, what: str) -> NoReturn:
        raise VirtualFault(what, hint="see src/hilgate/virtual/FIDELITY.toml")
