"""A second witness: registers.toml against the C headers of ST (stm32f446xx.h) and Arm (core_cm4.h).

Names differ here and there between SVD and headers; what has the same name in both must agree, and the report says how
much that is. Headers: STMicroelectronics/cmsis_device_f4, and @xpack-3rd-party/arm-cmsis-core 5.4.0-6 from npm.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

MASK = re.compile(r"#define\s+(\w+)_Msk\s+\((?:0x)?([0-9A-Fa-f]+)UL\s*(?:/\*<<\s*(\w+)_Pos\*/|<<\s*(\w+)_Pos)?\s*\)")
POSITION = re.compile(r"#define\s+(\w+)_Pos\s+\(?(?:(\w+)_Pos\s*\+\s*)?(\d+)U\)?")
BASE = re.compile(r"#define\s+(\w+)_BASE\s+\(?(0x[0-9A-F]+|\w+)(?:UL)?(?:\s*\+\s*(0x[0-9A-F]+)UL)?\)?")
# The header, shared by all sizes of the chip, is wider than what this size of flash has; neither field is used here.
KNOWN = {"FLASH_CR_SNB", "FLASH_OPTCR_nWRP"}
ARM_NAMES = {"SYSTICK": "SysTick", "COREDEBUG": "CoreDebug"}
ARM_REGISTERS = {"CSR": "CTRL", "RVR": "LOAD", "CVR": "VAL"}


def compare(registers: Path, headers: list[Path]) -> tuple[int, list[str]]:
    """How many facts both have, and each that differs."""
    facts = tomllib.loads(registers.read_text("utf-8"))
    text = "\n".join(path.read_text("utf-8", errors="replace") for path in headers)
    positions: dict[str, int] = {}
    for name, start, value in POSITION.findall(text):
        positions[name] = positions.get(start, 0) + int(value)
    masks: dict[str, int] = {}
    for name, digits, comment_shift, shift in MASK.findall(text):
        base = 16 if re.search(rf"{name}_Msk\s+\(0x", text) else 10
        masks[name] = int(digits, base) << positions.get(comment_shift or shift, 0)
    wrong, count = [], 0
    for block, entries in facts["block"].items():
        for register, entry in entries.items():
            for field, (low, width) in entry.get("fields", {}).items():
                name = header_name(block, register, field)
                if name in masks and name not in KNOWN:
                    count += 1
                    if masks[name] != ((1 << width) - 1) << low:
                        wrong.append(
                            f"{name}: header {masks[name]:#010x}, registers.toml {((1 << width) - 1) << low:#010x}"
                        )
    bases, wrong_bases = compare_bases(facts, text)
    return count + bases, wrong + wrong_bases


def header_name(block: str, register: str, field: str) -> str:
    """The headers' name of a field."""
    if block == "SYSTICK":
        return f"SysTick_{ARM_REGISTERS.get(register, register)}_{field}"
    if block == "COREDEBUG":
        return f"CoreDebug_{register}_{field}"
    if block == "DMA" and re.match(r"S\dCR", register):
        return f"DMA_SxCR_{field}"
    if block == "DMAMUX":
        return f"DMAMUX_CxCR_{field}"
    if block == "FLASH" and re.fullmatch(r"(CR|SR|CCR)[12]", register):  # one layout, two banks
        return f"FLASH_{register[:-1]}_{field.rstrip('12')}"
    return f"{block}_{register}_{field}"


def compare_bases(facts: dict, text: str) -> tuple[int, list[str]]:
    raw = {name: (first, second) for name, first, second in BASE.findall(text)}

    def resolve(name: str) -> int:
        first, second = raw[name]
        start = int(first, 16) if first.startswith("0x") else resolve(first.removesuffix("_BASE"))
        return start + (int(second, 16) if second else 0)

    wrong, count = [], 0
    for name, peripheral in facts["peripheral"].items():
        header = {"FLASH": "FLASH_R", "DBG": "DBGMCU"}.get(name, ARM_NAMES.get(name, name))
        header = f"{header}1" if f"{header}1" in raw and header not in raw else header  # IWDG of the first core
        if header in raw:
            count += 1
            if resolve(header) != peripheral["base"]:
                wrong.append(
                    f"{header}_BASE: header {resolve(header):#010x}, registers.toml {peripheral['base']:#010x}"
                )
    return count, wrong
