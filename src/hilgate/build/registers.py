"""registers.toml as registers.h, which the firmware's port includes; made anew for each build, so it cannot drift."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hilgate.errors import ParamsError

HEAD = """/* Generated from registers.toml.
 *
 * <INSTANCE>_BASE: address. <BLOCK>_<REGISTER>_OFFSET: from the base. <BLOCK>_<REGISTER>_<FIELD>: the field's mask in
 * place, and _POS its lowest bit.
 */
#ifndef REGISTERS_H
#define REGISTERS_H
"""


def render(facts: dict[str, Any], mcu: str) -> str:
    """The text of registers.h for one MCU, such as stm32f405rg: without what that MCU has not."""
    differences = facts.get("mcu", {}).get(mcu, {})
    lines = [HEAD]
    for name, peripheral in facts["peripheral"].items():
        if name in differences.get("peripherals_absent", ()):
            continue
        lines.append(f"#define {name}_BASE 0x{peripheral['base']:08X}u")
    for block, registers in facts["block"].items():
        lines += ["", f"/* {block} */"]
        for name, register in registers.items():
            lines += _register(f"{block}_{name}", register, differences.get(block, {}).get(name, {}))
    return "\n".join([*lines, "", "#endif", ""])


def _register(name: str, register: dict[str, Any], difference: dict[str, Any]) -> list[str]:
    if difference.get("absent"):
        return []
    fields = {**register.get("fields", {}), **difference.get("fields", {})}
    lines = [f"#define {name}_OFFSET 0x{register['offset']:03X}u"]
    for field, (low, width) in fields.items():
        if field not in difference.get("fields_absent", ()):
            lines.append(f"#define {name}_{field} 0x{((1 << width) - 1) << low:08X}u")
            lines.append(f"#define {name}_{field}_POS {low}u")
    return lines


def load(path: Path) -> dict[str, Any]:
    """registers.toml of a family. Raises ParamsError when that family has no port."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        hint = "a family is a folder of firmware/port: see firmware/README.md"
        raise ParamsError("there is no port for this family", where=str(path), hint=hint) from error
