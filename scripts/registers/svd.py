"""ST's SVD, and the core's registers, as registers.toml."""

from __future__ import annotations

import tarfile
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

SVD_FOLDER = "cmsis-svd-0.4/cmsis_svd/data/STMicro"
ST_HEADERS = "STMicroelectronics/cmsis_device_f4 at cdbad761 (Apache-2.0)"
CORE = tomllib.loads(Path(__file__).with_name("core.toml").read_text("utf-8"))
# Block (register layout) -> its instances in the SVD; the first defines the layout.
BLOCKS = {
    "RCC": ["RCC"],
    "PWR": ["PWR"],
    "FLASH": ["FLASH"],
    "GPIO": [f"GPIO{port}" for port in "ABCDEFGH"],
    "USART": ["USART1", "USART2", "USART3", "USART6"],
    "DMA": ["DMA1", "DMA2"],
    "IWDG": ["IWDG"],
    "DBG": ["DBG"],
}
SPLIT_FIELDS = ("PLLQ", "PLLP", "PLLN", "PLLM", "SWS", "SW")  # the SVD has them bit by bit


class Register(NamedTuple):
    """One register as registers.toml states it. fields: name -> (lowest bit, width)."""

    offset: int
    reset: int | None
    access: str
    source: str
    fields: dict[str, tuple[int, int]]


# Known errors of the SVD.
RESET_CORRECTIONS = {
    ("USART", "SR"): (
        0xC0,
        "TXE and TC are set after reset (RM0390); the SVD has 0xC0 16 bits too high, where no field is",
    )
}
FIELD_CORRECTIONS = {
    ("FLASH", "ACR"): (
        {"LATENCY": (0, 4)},
        f"{ST_HEADERS} stm32f446xx.h: FLASH_ACR_LATENCY_Msk 0xF; the SVD has 3 bits",
    ),
}
# MCU -> what its own SVD has wrong: reset value, fields, source.
MCU_CORRECTIONS = {
    "stm32f405rg": {
        ("PWR", "CR"): (
            0x4000,
            {"VOS": (14, 1)},
            f"{ST_HEADERS} stm32f405xx.h: PWR_CR_VOS, bit 14; set after reset (RM0090)",
        ),
        ("FLASH", "ACR"): (0, {"LATENCY": (0, 3)}, f"{ST_HEADERS} stm32f405xx.h: FLASH_ACR_LATENCY_Msk 0x7"),
    },
    "stm32f401re": {
        ("PWR", "CR"): (
            0x8000,
            {},
            "RM0368 5.4.1, unchecked: scale 2 after reset, and 3 selects it too; the SVD has 0",
        ),
        ("FLASH", "ACR"): (0, {"LATENCY": (0, 3)}, f"{ST_HEADERS} stm32f401xe.h: FLASH_ACR_LATENCY_Msk 0x7"),
    },
}


def peripherals(archive: Path, device: str) -> dict[str, ET.Element]:
    """All peripherals of one SVD file inside cmsis-svd's sdist, by name."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"{SVD_FOLDER}/{device}.svd")
        if member is None:
            raise SystemExit(f"{archive}: no {device}.svd")
        root = ET.fromstring(member.read())  # noqa: S314 (pinned by hash)
    return {str(p.findtext("name")): p for p in root.iter("peripheral")}


def registers_toml(main_mcu: dict[str, ET.Element], others: dict[str, dict[str, ET.Element]]) -> str:
    """The whole file: peripherals, blocks, and what differs on the other MCUs, by name."""
    lines = [HEADER.strip(), ""]
    for block, instances in BLOCKS.items():
        for instance in instances:
            lines += _instance(main_mcu, block, instance)
    for block, facts in CORE.items():
        source = f'source = "ARM DDI 0403E.e {facts["section"]}"'
        lines += [f"[peripheral.{block}]", f'block = "{block}"', f"base = {hexadecimal(facts['base'])}"]
        lines += [f"bytes = {facts['bytes']:#x}", source, ""]
    for block, instances in BLOCKS.items():
        lines += block_lines(block, rows(block, main_mcu, instances[0]))
    for block, facts in CORE.items():
        lines += block_lines(block, core_rows(facts))
    for mcu, other in others.items():
        lines += [f"# ---- differences of the {mcu.upper()} from the above ----", ""]
        if absent := [i for instances in BLOCKS.values() for i in instances if i not in other]:
            lines += [f"[mcu.{mcu}]", "peripherals_absent = [" + ", ".join(f'"{i}"' for i in absent) + "]", ""]
        for block, instances in BLOCKS.items():
            ours, theirs = rows(block, main_mcu, instances[0]), rows(block, other, instances[0])
            for name, register in ours.items():
                lines += _difference(mcu, block, name, register, theirs.get(name))
    return "\n".join(lines) + "\n"


def rows(block: str, mcu: dict[str, ET.Element], instance: str) -> dict[str, Register]:
    """Registers of one instance, the SVD's errors corrected."""
    found = {}
    for name, element in svd_registers(mcu, instance).items():
        short = name.removeprefix("DBGMCU_")
        fields, reset, source = fields_of(element), number(element.findtext("resetValue")), ""
        if (block, short) in RESET_CORRECTIONS:
            reset, source = RESET_CORRECTIONS[block, short]
        if (block, short) in FIELD_CORRECTIONS:
            more, source = FIELD_CORRECTIONS[block, short]
            fields |= more
        access = element.findtext("access") or "read-write"
        found[short] = Register(number(element.findtext("addressOffset")), reset, access, source, fields)
    return found


def core_rows(facts: dict) -> dict[str, Register]:
    """The registers of one block of core.toml, repeats written out."""
    found = {}
    for name, r in facts["registers"].items():
        for index in range(r.get("repeat", 1)):
            full = f"{name}{index}" if "repeat" in r else name
            fields = {field: (place[0], place[1]) for field, place in r.get("fields", {}).items()}
            found[full] = Register(r["offset"] + 4 * index, r.get("reset"), r["access"], r["section"], fields)
    return found


def number(text: str | None) -> int:
    return int(text or "0", 0)


def hexadecimal(value: int) -> str:
    return f"0x{value >> 16:04X}_{value & 0xFFFF:04X}"


def svd_registers(mcu: dict[str, ET.Element], name: str) -> dict[str, ET.Element]:
    parent = mcu[name].get("derivedFrom")
    if parent:
        return svd_registers(mcu, parent)
    return {str(r.findtext("name")): r for r in mcu[name].iter("register")}


def fields_of(register: ET.Element) -> dict[str, tuple[int, int]]:
    """Field name -> (lowest bit, width), sorted by place. Single bits such as PLLN0 .. PLLN8 become one field."""
    fields: dict[str, tuple[int, int]] = {}
    for element in register.iter("field"):
        name, low = str(element.findtext("name")), number(element.findtext("bitOffset"))
        width = number(element.findtext("bitWidth"))
        stem = name.rstrip("0123456789")
        if stem != name and stem in SPLIT_FIELDS:
            first, count = fields.get(stem, (low, 0))
            fields[stem] = (min(first, low), count + 1)
        else:
            fields[name] = (low, width)
    return dict(sorted(fields.items(), key=lambda item: item[1]))


def _instance(mcu: dict[str, ET.Element], block: str, instance: str) -> list[str]:
    element = mcu[instance]
    lines = [
        f"[peripheral.{instance}]",
        f'block = "{block}"',
        f"base = {hexadecimal(number(element.findtext('baseAddress')))}",
    ]
    lines.append(f"bytes = {number(element.findtext('addressBlock/size') or '0x400'):#x}")
    ours, theirs = rows(block, mcu, BLOCKS[block][0]), rows(block, mcu, instance)
    resets = [f"{n} = {hexadecimal(r.reset or 0)}" for n, r in theirs.items() if n in ours and r.reset != ours[n].reset]
    lines += [f"resets = {{ {', '.join(resets)} }}"] if resets else []
    return [*lines, ""]


def block_lines(block: str, registers: dict[str, Register]) -> list[str]:
    lines = []
    for name, r in registers.items():
        reset = "reset_unknown = true" if r.reset is None else f"reset = {hexadecimal(r.reset)}"
        lines += [f"[block.{block}.{name}]", f"offset = {r.offset:#05x}", reset, f'access = "{r.access}"']
        lines += [f'source = "{r.source}"'] if r.source else []
        lines += [f"fields = {_inline(r.fields)}"] if r.fields else []
        lines.append("")
    return lines


def _difference(mcu: str, block: str, name: str, ours: Register, theirs: Register | None) -> list[str]:
    head, corrections = f"[mcu.{mcu}.{block}.{name}]", MCU_CORRECTIONS.get(mcu, {})
    if theirs is None:
        return [head, "absent = true", ""]
    reset, fields, source = theirs.reset, theirs.fields, ""
    if (block, name) in corrections:
        reset, more, source = corrections[block, name]
        fields = {**fields, **more}
    if (reset, fields) == (ours.reset, ours.fields):
        return []
    absent = sorted(set(ours.fields) - set(fields))
    changed = {n: place for n, place in fields.items() if ours.fields.get(n) != place}
    lines = [head, f"reset = {hexadecimal(reset or 0)}"]
    lines += [f'source = "{source}"'] if source else []
    lines += ["fields_absent = [" + ", ".join(f'"{n}"' for n in absent) + "]"] if absent else []
    lines += [f"fields = {_inline(changed)}"] if changed else []
    return [*lines, ""]


def _inline(fields: dict[str, tuple[int, int]]) -> str:
    return "{ " + ", ".join(f"{n} = [{low}, {width}]" for n, (low, width) in fields.items()) + " }"


HEADER = '''
# Registers of the STM32F4 that the firmware touches and the virtual board models. Written by
# scripts/extract_registers.py; do not edit. registers.h and the emulator's registers both come from this file.
#
# peripheral.<instance>: block (its register layout), base address, bytes; `resets`: where they differ from the block's.
# block.<block>.<register>: offset, reset value, access, fields = { NAME = [lowest bit, width] }.
# mcu.<mcu>: differences of another MCU.
schema = 1
default_mcu = "stm32f446re"

[source.svd]
package = "cmsis-svd 0.4 (PyPI sdist)"
sha256 = "b5f439fc6bbc43c9b56dd822f1f764359d503c685a42f913a1cfc2a3c6c42b2c"
files = [
    "data/STMicro/STM32F446x.svd version 1.0", "data/STMicro/STM32F40x.svd version 1.5",
    "data/STMicro/STM32F401xE.svd version 1.0",
]
licence = """STMicroelectronics end user licence 1.0 (data/STMicro/License.html): allows derivative representations to
develop and debug software for ST's devices; the SVD files themselves are not copied here."""

[source.core]
document = "ARM DDI 0403E.e, ARMv7-M Architecture Reference Manual; values of the Cortex-M4: ARM DDI 0439D, TRM r0p1"

[source.witness]
files = ["STMicroelectronics/cmsis_device_f4 at cdbad761: stm32f446xx.h", "CMSIS Core 5.4.0: core_cm4.h"]
agrees = "779 field masks and base addresses have the same name there; all agree (extract_registers.py --witness)"
'''
