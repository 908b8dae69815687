"""Register facts of an MCU family, read from the vendor extract that the firmware's header is generated from too."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from hilgate.catalogue import Board
from hilgate.errors import ParamsError

UNKNOWN_AT_RESET = 0


@dataclass(frozen=True)
class Register:
    """access: `read-write`, `read-only` or `write-only`; fields: name -> (lowest bit, width)."""

    name: str
    offset: int
    reset: int
    access: str
    fields: dict[str, tuple[int, int]] = field(default_factory=dict)

    def mask(self) -> int:
        """Bits that exist: all fields, or everything when the source lists none."""
        if not self.fields:
            return 0xFFFF_FFFF
        return sum(((1 << width) - 1) << bit for bit, width in self.fields.values()) & 0xFFFF_FFFF

    def bits(self, name: str) -> int:
        """The mask of one field."""
        bit, width = self.fields[name]
        return ((1 << width) - 1) << bit


@dataclass(frozen=True)
class PeripheralFacts:
    """One instance: base address, bytes, registers by offset and by name."""

    name: str
    block: str
    base: int
    bytes: int
    registers: dict[str, Register]

    @cached_property
    def places(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(register, field) -> (lowest bit, mask at bit 0), for those who look at the same fields all the time."""
        return {
            (register.name, name): (bit, (1 << width) - 1)
            for register in self.registers.values()
            for name, (bit, width) in register.fields.items()
        }


@dataclass(frozen=True)
class McuFacts:
    """What the vendor data says of one MCU."""

    peripherals: dict[str, PeripheralFacts]
    interrupts: dict[str, int]
    usart_dma: dict[str, tuple[tuple[int, int, int], ...]]
    usart_pins: dict[str, dict[str, int]]


def load_facts(board: Board) -> McuFacts:
    """Facts of the board's MCU. Raises ParamsError when the family has no extract."""
    port = board.folder.parents[1] / "port" / board.family
    registers, vectors = port / "registers.toml", port / f"vectors_{board.mcu.lower()}.toml"
    for path in (registers, vectors):
        if not path.is_file():
            raise ParamsError(f"the virtual board has no vendor facts of {board.mcu}", where=str(path))
    return _facts(registers, vectors, board.mcu.lower())


@cache
def _facts(registers: Path, vectors: Path, mcu: str) -> McuFacts:
    facts = tomllib.loads(registers.read_text("utf-8"))
    table = tomllib.loads(vectors.read_text("utf-8"))
    changes = facts.get("mcu", {}).get(mcu, {})
    peripherals = {}
    for name, entry in facts["peripheral"].items():
        if name in changes.get("peripherals_absent", ()):
            continue
        block = {
            n: _register(n, r, changes.get(entry["block"], {}).get(n, {}))
            for n, r in facts["block"][entry["block"]].items()
        }
        known = {n: r for n, r in block.items() if r is not None}
        for register, reset in entry.get("resets", {}).items():
            old = known[register]
            known[register] = Register(old.name, old.offset, reset, old.access, old.fields)
        peripherals[name] = PeripheralFacts(name, entry["block"], entry["base"], entry["bytes"], known)
    return McuFacts(
        peripherals=peripherals,
        interrupts=dict(table["interrupts"]),
        usart_dma={key: tuple(tuple(route) for route in routes) for key, routes in table["usart_dma"].items()},
        usart_pins=table["usart_pins"],
    )


def _register(name: str, entry: dict[str, Any], change: dict[str, Any]) -> Register | None:
    if change.get("absent"):
        return None
    fields = {key: (bit, width) for key, (bit, width) in entry.get("fields", {}).items()}
    for absent in change.get("fields_absent", ()):
        fields.pop(absent, None)
    fields.update({key: (bit, width) for key, (bit, width) in change.get("fields", {}).items()})
    reset = change.get("reset", entry.get("reset", UNKNOWN_AT_RESET))
    return Register(name, entry["offset"], reset, entry["access"], fields)


@cache
def load_family(family: str) -> dict[str, dict[str, Any]]:
    """families/<family>.toml with the plain values; times in whole microseconds."""
    from importlib import resources

    file = resources.files("hilgate.virtual").joinpath(f"families/{family}.toml")
    if not family.isidentifier() or not file.is_file():
        raise ParamsError(
            f"the virtual board does not know the family `{family}`", where="src/hilgate/virtual/families"
        )
    facts = tomllib.loads(file.read_text("utf-8"))
    return {
        section: {key: entry["value"] for key, entry in content.items()}
        for section, content in facts.items()
        if isinstance(content, dict)
    }
