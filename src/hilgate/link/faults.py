"""A crash record of the firmware, as a sentence with names instead of addresses."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Any

from hilgate.errors import DeviceError
from hilgate.link.protocol import FaultKind, FaultRecord, State

# Armv7-M Architecture Reference Manual (ARM DDI 0403E), B3.2.15 Configurable Fault Status Register
CFSR_BITS = {
    0: "IACCVIOL",
    1: "DACCVIOL",
    3: "MUNSTKERR",
    4: "MSTKERR",
    5: "MLSPERR",
    7: "MMARVALID",
    8: "IBUSERR",
    9: "PRECISERR",
    10: "IMPRECISERR",
    11: "UNSTKERR",
    12: "STKERR",
    13: "LSPERR",
    15: "BFARVALID",
    16: "UNDEFINSTR",
    17: "INVSTATE",
    18: "INVPC",
    19: "NOCP",
    24: "UNALIGNED",
    25: "DIVBYZERO",
}


class CrashError(DeviceError):
    """The firmware crashed and was reset; `record` has its registers."""

    def __init__(self, what: str, record: FaultRecord, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.record = record


def crash(record: FaultRecord, where: str, elf: str | None = None) -> CrashError:
    """The error that tells of a crash: kind, causes, pc and lr with their functions, state and layer."""
    symbols = _symbols(elf)

    def place(address: int) -> str:
        name = symbols.name(address) if symbols else ""
        return f"{address:#010x} ({name})" if name else f"{address:#010x}"

    kind = FaultKind(record.kind).name.lower() if record.kind in set(FaultKind) else f"fault {record.kind}"
    state = State(record.state).name.lower() if record.state in set(State) else str(record.state)
    causes = " ".join(name for bit, name in CFSR_BITS.items() if record.cfsr >> bit & 1)
    parts = [
        f"the firmware crashed: {kind}" + (f" [{causes}]" if causes else ""),
        f"pc {place(record.pc)}, lr {place(record.lr)}, sp {record.sp:#010x}, state {state}, layer {record.layer}",
        f"cfsr {record.cfsr:#010x} hfsr {record.hfsr:#010x} mmfar {record.mmfar:#010x} bfar {record.bfar:#010x}",
        " ".join(f"{name} {getattr(record, name):#x}" for name in ("r0", "r1", "r2", "r3", "r12", "xpsr")),
    ]
    hint = "the board was reset and answers again" if symbols else "give the ELF to see function names"
    return CrashError("; ".join(parts), record, where=where, hint=hint)


def _symbols(elf: str | None) -> Symbols | None:
    """A crash is told without names rather than not at all."""
    from elftools.common.exceptions import ELFError

    try:
        return Symbols(Path(elf)) if elf else None
    except (OSError, ELFError):
        return None


class Symbols:
    """Function names of an ELF by address."""

    def __init__(self, path: Path) -> None:
        self._functions = sorted(_functions(path))

    def name(self, address: int) -> str:
        """Such as `model_run+0x12`, or nothing when no function is there."""
        address &= ~1
        index = bisect_right(self._functions, (address, float("inf"), "")) - 1
        if index < 0:
            return ""
        start, size, name = self._functions[index]
        return f"{name}+{address - start:#x}" if address < start + max(size, 2) else ""


def _functions(path: Path) -> list[tuple[int, int, str]]:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        table: Any = ELFFile(file).get_section_by_name(".symtab")
        if table is None:
            return []
        return [
            (s["st_value"] & ~1, s["st_size"], s.name)
            for s in table.iter_symbols()
            if s["st_info"]["type"] == "STT_FUNC"
        ]
