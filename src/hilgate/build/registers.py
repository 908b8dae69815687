"""registers.toml as registers.h, which the firmware's port includes; made anew for each build, so it cannot drift."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

HEAD = """/* Generated from registers.toml.
 *
 * <INSTANCE>_BASE: address. <BLOCK>_<REGISTER>_OFFSET: from the base. <BLOCK>_<REGISTER>_<FIELD>: the field's mask in
 * place, and _POS its lowest bit.
 */
#ifndef REGISTERS_H
#define REGISTERS_H
"""


def render(facts: dict[str, Any]) -> str:
    """The text of registers.h."""
    lines = [HEAD]
    for name, peripheral in facts["peripheral"].items():
        lines.append(f"#define {name}_BASE 0x{peripheral['base']:08X}u")
    for block, registers in facts["block"].items():
        lines += ["", f"/* {block} */"]
        for name, register in registers.items():
            lines.append(f"#define {block}_{name}_OFFSET 0x{register['offset']:03X}u")
            for field, (low, width) in register.get("fields", {}).items():
                mask = ((1 << width) - 1) << low
                lines.append(f"#define {block}_{name}_{field} 0x{mask:08X}u")
                lines.append(f"#define {block}_{name}_{field}_POS {low}u")
    return "\n".join([*lines, "", "#endif", ""])


def load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))
