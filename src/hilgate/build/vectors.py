"""The vector table of one MCU as C, from port/<family>/vectors_<mcu>.toml.

Every vector is a weak alias of fault_entry, which reports an unexpected interrupt; a driver that wants one defines
`<NAME>_handler`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hilgate.catalogue import Board
from hilgate.errors import ParamsError

# ARM DDI 0403E.e table B1-4; None is reserved.
CORE_VECTORS = (
    "nmi", "hard_fault", "mem_manage", "bus_fault", "usage_fault", None, None, None, None,
    "svcall", "debug_monitor", None, "pendsv", "systick",
)  # fmt: skip


def vectors_path(board: Board) -> Path:
    """port/<family>/vectors_<mcu>.toml of a board."""
    port = board.folder.parent.parent / "port" / board.family
    return port / f"vectors_{board.mcu.lower()}.toml"


def load_vectors(board: Board) -> dict[str, Any]:
    """The MCU's interrupts, memories, DMA routes and pins. Raises ParamsError when the file is missing."""
    path = vectors_path(board)
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ParamsError(
            f"there are no vectors of the {board.mcu}",
            where=str(path),
            hint="add the MCU and run scripts/extract_registers.py: firmware/README.md, A new board",
        ) from error


def render(vectors: dict[str, Any]) -> str:
    """The text of vectors.c."""
    interrupts = {number: f"{name}_handler" for name, number in vectors["interrupts"].items()}
    core = [name and f"{name}_handler" for name in CORE_VECTORS]
    external = [interrupts.get(number) for number in range(max(interrupts) + 1)]
    names = [name for name in (*core, *external) if name]
    lines = [
        "/* Generated from board.toml and the MCU's vectors. */",
        '#include "startup.h"',
        "",
        *(f'void {name}(void) __attribute__((weak, alias("fault_forward")));' for name in names),
        "/* An alias needs its target in this file. A bare branch leaves the stacked frame untouched. */",
        "__attribute__((naked, used)) void fault_forward(void);",
        'void fault_forward(void) { __asm volatile("b fault_entry"); }',
        "",
        "typedef void (*vector)(void);",
        f'__attribute__((section(".vectors"), used)) const vector vector_table[{2 + len(core) + len(external)}] = {{',
        "    (vector)stack_top,",
        "    reset_handler,",
        *(f"    {name or 0}," for name in (*core, *external)),
        "};",
        "",
    ]
    return "\n".join(lines)
