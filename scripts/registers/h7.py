"""The STM32H747's registers as its Cortex-M7 sees them, from ST's SVD file in modm's public collection."""

from __future__ import annotations

import copy
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

from registers.svd import Register, block_lines, core_rows, fields_of, hexadecimal, number, svd_registers

SVD_SHA256 = "832dea311fdc8ab8545ddeaf82842004f9ca24a0428a5f8db5f3ee42cfa12436"
ST_HEADER = "STMicroelectronics/cmsis-device-h7 at de8243d2 (Apache-2.0) stm32h747xx.h"
UNCHECKED = "RM0399, as engineers know it; the manual was not at hand"
MCU, MODM_FILE = "stm32h747xi", "stm32h7-45_47_55_57.xml"
# modm-devices lists the D2 SRAMs where the Cortex-M4 fetches code; the Cortex-M7 and the DMA use the AHB address.
D2_CODE, D2_AHB = 0x1000_0000, 0x3000_0000
# Block (register layout) -> (our instance, the SVD's).
BLOCKS = {
    "RCC": [("RCC", "RCC")],
    "PWR": [("PWR", "PWR")],
    "FLASH": [("FLASH", "Flash")],
    "GPIO": [(f"GPIO{port}", f"GPIO{port}") for port in "ABCDEFGHIJK"],
    "USART": [(name, name) for name in ("USART1", "USART2", "USART3", "USART6")],
    "DMA": [("DMA1", "DMA1"), ("DMA2", "DMA2")],
    "DMAMUX": [("DMAMUX1", "DMAMUX1")],
    "IWDG": [("IWDG", "IWDG1")],
}
# What the SVD has wrong or not at all: fields (None: take away), and reset values.
FIELDS: dict[tuple[str, str], dict[str, tuple[int, int] | None]] = {
    ("PWR", "CR3"): {"SDEN": None, "SMPSEN": (2, 1), "SMPSEXTHP": (3, 1), "SMPSLEVEL": (4, 2), "SMPSEXTRDY": (16, 1)},
    ("FLASH", "ACR"): {"LATENCY": (0, 4)},
    ("RCC", "GCR"): {"WW2RSC": (1, 1), "BOOT_C1": (2, 1), "BOOT_C2": (3, 1)},
    ("RCC", "RSR"): {"CPURSTF": None, "C1RSTF": (17, 1), "C2RSTF": (18, 1), "SFTRSTF": None, "SFT1RSTF": (24, 1),
                     "SFT2RSTF": (25, 1), "IWDG2RSTF": (27, 1), "WWDG2RSTF": (29, 1), "LPWRRSTF": None,
                     "LPWR1RSTF": (30, 1), "LPWR2RSTF": (31, 1)},
    **{("DMA", f"S{n}CR"): {"ACK": None, "TRBUFF": (20, 1)} for n in range(8)},
    **{("DMAMUX", f"C{n}CR"): {"DMAREQ_ID": (0, 8), "SYNC_ID": (24, 5)} for n in range(16)},
}  # fmt: skip
RESETS = {
    ("FLASH", "ACR"): 0x37, ("FLASH", "CR1"): 0x31, ("FLASH", "CR2"): 0x31, ("GPIO", "PUPDR"): 0x6400_0000,
    ("FLASH", "OPTCR"): 1,
}  # fmt: skip
PORT_RESETS = {"GPIOB": {"MODER": 0xFFFF_FEBF, "OSPEEDR": 0xC0, "PUPDR": 0x100}}
OTHER_PORTS = {"MODER": 0xFFFF_FFFF, "OSPEEDR": 0, "PUPDR": 0}
ACCESS = {("FLASH", "KEYR2"): "write-only", ("FLASH", "KEYR1"): "write-only"}
# Banks and cores have their own copies under names that end in `_` or begin with `C1_`; nothing here uses them.
UNUSED = ("C1_",)


def peripherals(file: Path) -> dict[str, ET.Element]:
    root = ET.fromstring(file.read_bytes())  # noqa: S314 (pinned by hash)
    return {str(p.findtext("name")): p for p in root.iter("peripheral")}


def registers_toml(mcu: dict[str, ET.Element]) -> str:
    core = _core()
    lines = [HEADER.strip(), ""]
    for block, instances in BLOCKS.items():
        for ours, theirs in instances:
            lines += _instance(block, ours, mcu[theirs])
    for block, facts in core.items():
        lines += [f"[peripheral.{block}]", f'block = "{block}"', f"base = {hexadecimal(facts['base'])}"]
        lines += [f"bytes = {facts['bytes']:#x}", f'source = "ARM DDI 0403E.e {facts["section"]}"', ""]
    for block, instances in BLOCKS.items():
        lines += block_lines(block, _rows(block, mcu, instances[0][1]))
    for block, facts in core.items():
        lines += block_lines(block, core_rows(facts))
    return "\n".join([*lines, "[mcu] # one MCU only"]) + "\n"


def ahb_memories(vectors: str) -> str:
    """vectors_<mcu>.toml with the D2 SRAMs where this core and the DMA find them."""
    lines = vectors.splitlines()
    for index, line in enumerate(lines):
        if line.startswith("d2_sram"):
            name, fact = line.split(" = { origin = ")
            moved = hexadecimal(int(fact.split(",")[0], 0) - D2_CODE + D2_AHB)
            note = f"# {ST_HEADER}: D2_AHBSRAM_BASE"
            lines[index] = f"{name} = {{ origin = {moved},{fact.split(',', 1)[1]} {note}"
    return "\n".join(lines) + "\n"


def _core() -> dict[str, dict]:
    """core.toml with what differs on a Cortex-M7 with this chip's interrupts."""
    folder = Path(__file__).parent
    facts = tomllib.loads((folder / "core.toml").read_text("utf-8"))
    more = tomllib.loads((folder / "core_m7.toml").read_text("utf-8"))
    result = copy.deepcopy(facts)
    for block, entry in more.items():
        there = result.setdefault(block, {"registers": {}})
        there |= {key: value for key, value in entry.items() if key != "registers"}
        for name, register in entry.get("registers", {}).items():
            there["registers"][name] = {**there["registers"].get(name, {}), **register}
    return result


def _rows(block: str, mcu: dict[str, ET.Element], instance: str) -> dict[str, Register]:
    found = {}
    for name, element in svd_registers(mcu, instance).items():
        short = name.removeprefix("DMAMUX1_")
        if short.startswith(UNUSED) or short.endswith("_"):
            continue
        offset, reset = number(element.findtext("addressOffset")), number(element.findtext("resetValue"))
        if short == "PRAR_PRG2":
            continue  # the SVD puts it on its brother of bank 1
        fields, source = fields_of(element), ""
        if (block, short) in FIELDS:
            fields, source = _corrected(fields, FIELDS[block, short]), f"{ST_HEADER}; the SVD has other fields"
        if (block, short) in RESETS:
            reset, source = RESETS[block, short], f"reset value: {UNCHECKED}; the SVD has {reset:#x}"
        access = ACCESS.get((block, short)) or element.findtext("access") or "read-write"
        found[short] = Register(offset, reset, access, source, fields)
    return found


def _corrected(
    fields: dict[str, tuple[int, int]], changes: dict[str, tuple[int, int] | None]
) -> dict[str, tuple[int, int]]:
    result = {name: place for name, place in fields.items() if name not in changes}
    result |= {name: place for name, place in changes.items() if place is not None}
    return dict(sorted(result.items(), key=lambda item: item[1]))


def _instance(block: str, name: str, element: ET.Element) -> list[str]:
    base, size = number(element.findtext("baseAddress")), number(element.findtext("addressBlock/size") or "0x400")
    lines = [f"[peripheral.{name}]", f'block = "{block}"', f"base = {hexadecimal(base)}", f"bytes = {size:#x}"]
    if block == "GPIO" and name != "GPIOA":
        resets = PORT_RESETS.get(name, OTHER_PORTS)
        lines.append("resets = { " + ", ".join(f"{n} = {hexadecimal(value)}" for n, value in resets.items()) + " }")
    return [*lines, ""]


HEADER = f'''
# Registers of the STM32H747, Cortex-M7 side, that the firmware touches and the virtual board models. Written by
# scripts/extract_registers.py; do not edit. registers.h and the emulator's registers both come from this file.
#
# peripheral.<instance>: block (its register layout), base address, bytes; `resets`: where they differ from the block's.
# block.<block>.<register>: offset, reset value, access, fields = {{ NAME = [lowest bit, width] }}.
schema = 1
default_mcu = "{MCU}"

[source.svd]
package = "modm-io/cmsis-svd-stm32 at c97f752f (public repository)"
sha256 = "{SVD_SHA256}"
files = ["stm32h7/STM32H747_CM7.svd"]
licence = "Apache-2.0, Copyright (c) 2025 STMicroelectronics; an extract of facts, corrected where `source` says so"

[source.core]
document = "ARM DDI 0403E.e, ARMv7-M Architecture Reference Manual; values of the Cortex-M7: ARM DDI 0489F, TRM r1p2"

[source.witness]
files = ["{ST_HEADER}", "CMSIS Core 5.4.0: core_cm7.h"]
agrees = "1305 field masks and base addresses have the same name there; all agree (extract_registers.py --witness)"
'''
