#!/usr/bin/env python3
"""Extract the register facts of the STM32F4 from vendor data into firmware/port/stm32f4/.

    pip download --no-deps --no-binary :all: cmsis-svd==0.4 && pip download --no-deps modm-devices==0.13.1
    scripts/extract_registers.py --svd cmsis-svd-0.4.tar.gz --modm modm_devices-0.13.1-py3-none-any.whl

Writes `registers.toml` (peripheral bases, offsets, reset values, bit fields of what the firmware touches) and one
`vectors_<mcu>.toml` per MCU (interrupts, memories, DMA routes and pins of the USARTs). Both archives are checked by
SHA-256. Core registers come from the ARMv7-M manual and stand below with their sections: no SVD of ST has them whole.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

SVD_SHA256 = "b5f439fc6bbc43c9b56dd822f1f764359d503c685a42f913a1cfc2a3c6c42b2c"
MODM_SHA256 = "3b7a3c9d9a1fd0019afed1554a45431060fde412a16d25b32389fac74a26add6"
SVD_FOLDER = "cmsis-svd-0.4/cmsis_svd/data/STMicro"
MODM_FOLDER = "modm_devices/resources/devices/stm32"
OUT = Path(__file__).resolve().parents[1] / "firmware/port/stm32f4"

# SVD peripheral -> the block (register layout) whose name the firmware uses; the first of a block defines it.
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
ST_HEADERS = "STMicroelectronics/cmsis_device_f4 at cdbad761 (Apache-2.0)"
MCUS = {
    "stm32f446re": ("STM32F446x", "stm32f4-46.xml", "e", "r"),
    "stm32f405rg": ("STM32F40x", "stm32f4-05_07_15_17.xml", "g", "r"),
}
# Known errors of the SVD. (block, register, key) -> (value, why)
CORRECTIONS = {
    ("USART", "SR", "reset"): (
        0xC0,
        "after reset TXE and TC are set (RM0390, USART_SR); the SVD has them 16 bits too high, where its own field list has no bits",
    ),
    ("FLASH", "ACR", "LATENCY"): (
        (0, 4),
        f"{ST_HEADERS} stm32f446xx.h has FLASH_ACR_LATENCY_Msk 0xF; the SVD has three bits",
    ),
}
# The STM32F405's SVD leaves out PWR_CR.VOS. (block, register) -> (reset, fields, why)
F405_CORRECTIONS = {
    ("PWR", "CR"): (
        0x4000,
        {"VOS": (14, 1)},
        f"{ST_HEADERS} stm32f405xx.h has PWR_CR_VOS, one bit at 14; set after reset (RM0090, PWR_CR)",
    ),
}
# ARMv7-M Architecture Reference Manual (ARM DDI 0403E.e) unless a line says otherwise.
# block -> (base, bytes, section, {register: (offset, reset or None when unknown, access, section, fields)})
CORE = {
    "SYSTICK": (
        0xE000E010,
        0x10,
        "B3.3",
        {
            "CSR": (
                0x0,
                0x4,
                "read-write",
                "B3.3.3",
                {"ENABLE": (0, 1), "TICKINT": (1, 1), "CLKSOURCE": (2, 1), "COUNTFLAG": (16, 1)},
            ),
            "RVR": (0x4, 0x0, "read-write", "B3.3.4", {"RELOAD": (0, 24)}),
            "CVR": (0x8, 0x0, "read-write", "B3.3.5", {"CURRENT": (0, 32)}),
            "CALIB": (0xC, 0x0, "read-only", "B3.3.6", {}),
        },
    ),
    "NVIC": (
        0xE000E100,
        0xC00,
        "B3.4",
        {
            **{f"ISER{i}": (0x000 + 4 * i, 0, "read-write", "B3.4.4", {}) for i in range(4)},
            **{f"ICER{i}": (0x080 + 4 * i, 0, "read-write", "B3.4.5", {}) for i in range(4)},
            **{f"ISPR{i}": (0x100 + 4 * i, 0, "read-write", "B3.4.6", {}) for i in range(4)},
            **{f"ICPR{i}": (0x180 + 4 * i, 0, "read-write", "B3.4.7", {}) for i in range(4)},
            **{f"IABR{i}": (0x200 + 4 * i, 0, "read-only", "B3.4.8", {}) for i in range(4)},
            **{f"IPR{i}": (0x300 + 4 * i, 0, "read-write", "B3.4.9", {}) for i in range(25)},
        },
    ),
    "SCB": (
        0xE000ED00,
        0x90,
        "B3.2",
        {
            "CPUID": (0x00, 0x410FC241, "read-only", "B3.2.3; value: Cortex-M4 TRM r0p1 (ARM DDI 0439D) table 4-1", {}),
            "ICSR": (
                0x04,
                0x0,
                "read-write",
                "B3.2.4",
                {
                    "VECTACTIVE": (0, 9),
                    "VECTPENDING": (12, 9),
                    "PENDSTCLR": (25, 1),
                    "PENDSTSET": (26, 1),
                    "PENDSVCLR": (27, 1),
                    "PENDSVSET": (28, 1),
                    "NMIPENDSET": (31, 1),
                },
            ),
            "VTOR": (0x08, 0x0, "read-write", "B3.2.5", {"TBLOFF": (7, 25)}),
            "AIRCR": (
                0x0C,
                0xFA050000,
                "read-write",
                "B3.2.6",
                {
                    "VECTRESET": (0, 1),
                    "VECTCLRACTIVE": (1, 1),
                    "SYSRESETREQ": (2, 1),
                    "PRIGROUP": (8, 3),
                    "ENDIANNESS": (15, 1),
                    "VECTKEY": (16, 16),
                },
            ),
            "SCR": (
                0x10,
                0x0,
                "read-write",
                "B3.2.7",
                {"SLEEPONEXIT": (1, 1), "SLEEPDEEP": (2, 1), "SEVONPEND": (4, 1)},
            ),
            "CCR": (
                0x14,
                0x200,
                "read-write",
                "B3.2.8; value: Cortex-M4 TRM table 4-1",
                {"UNALIGN_TRP": (3, 1), "DIV_0_TRP": (4, 1), "BFHFNMIGN": (8, 1), "STKALIGN": (9, 1)},
            ),
            "SHPR1": (0x18, 0x0, "read-write", "B3.2.10", {}),
            "SHPR2": (0x1C, 0x0, "read-write", "B3.2.11", {}),
            "SHPR3": (0x20, 0x0, "read-write", "B3.2.12", {}),
            "SHCSR": (
                0x24,
                0x0,
                "read-write",
                "B3.2.13",
                {"MEMFAULTENA": (16, 1), "BUSFAULTENA": (17, 1), "USGFAULTENA": (18, 1)},
            ),
            "CFSR": (
                0x28,
                0x0,
                "read-write",
                "B3.2.15",
                {
                    "IACCVIOL": (0, 1),
                    "DACCVIOL": (1, 1),
                    "MUNSTKERR": (3, 1),
                    "MSTKERR": (4, 1),
                    "MLSPERR": (5, 1),
                    "MMARVALID": (7, 1),
                    "IBUSERR": (8, 1),
                    "PRECISERR": (9, 1),
                    "IMPRECISERR": (10, 1),
                    "UNSTKERR": (11, 1),
                    "STKERR": (12, 1),
                    "LSPERR": (13, 1),
                    "BFARVALID": (15, 1),
                    "UNDEFINSTR": (16, 1),
                    "INVSTATE": (17, 1),
                    "INVPC": (18, 1),
                    "NOCP": (19, 1),
                    "UNALIGNED": (24, 1),
                    "DIVBYZERO": (25, 1),
                },
            ),
            "HFSR": (0x2C, 0x0, "read-write", "B3.2.16", {"VECTTBL": (1, 1), "FORCED": (30, 1), "DEBUGEVT": (31, 1)}),
            "DFSR": (0x30, 0x0, "read-write", "C1.6.1", {}),
            "MMFAR": (0x34, None, "read-write", "B3.2.17", {}),
            "BFAR": (0x38, None, "read-write", "B3.2.18", {}),
            "AFSR": (0x3C, 0x0, "read-write", "B3.2.19", {}),
            "CPACR": (0x88, 0x0, "read-write", "B3.2.20", {"CP10": (20, 2), "CP11": (22, 2)}),
        },
    ),
    "FPU": (
        0xE000EF30,
        0x20,
        "B3.2.21",
        {
            "FPCCR": (0x4, 0xC0000000, "read-write", "B3.2.21", {"LSPACT": (0, 1), "LSPEN": (30, 1), "ASPEN": (31, 1)}),
            "FPCAR": (0x8, 0x0, "read-write", "B3.2.22", {}),
            "FPDSCR": (0xC, 0x0, "read-write", "B3.2.23", {}),
        },
    ),
    "DWT": (
        0xE0001000,
        0x1000,
        "C1.8",
        {
            "CTRL": (
                0x000,
                0x40000000,
                "read-write",
                "C1.8.7; value: Cortex-M4 TRM table 9-1",
                {"CYCCNTENA": (0, 1), "NOCYCCNT": (25, 1), "NUMCOMP": (28, 4)},
            ),
            "CYCCNT": (0x004, 0x0, "read-write", "C1.8.8", {}),
            "LAR": (0xFB0, None, "write-only", "D1.1.1 (CoreSight): present on Cortex-M7; a Cortex-M4 ignores it", {}),
        },
    ),
    "COREDEBUG": (
        0xE000EDF0,
        0x10,
        "C1.6",
        {
            "DHCSR": (0x0, 0x0, "read-write", "C1.6.2", {"C_DEBUGEN": (0, 1)}),
            "DEMCR": (0xC, 0x0, "read-write", "C1.6.5", {"VC_CORERESET": (0, 1), "TRCENA": (24, 1)}),
        },
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--svd", type=Path, required=True, help="cmsis-svd-0.4.tar.gz")
    parser.add_argument("--modm", type=Path, required=True, help="modm_devices-0.13.1-py3-none-any.whl")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    for path, expected in ((arguments.svd, SVD_SHA256), (arguments.modm, MODM_SHA256)):
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            print(f"{path}: not the pinned archive (SHA-256 differs)", file=sys.stderr)
            return 1
    svd = {mcu: svd_peripherals(arguments.svd, names[0]) for mcu, names in MCUS.items()}
    (arguments.out / "registers.toml").write_text(registers_toml(svd["stm32f446re"], svd["stm32f405rg"]), "utf-8")
    for mcu, (_, file, size, pin) in MCUS.items():
        with zipfile.ZipFile(arguments.modm) as wheel:
            device = ET.fromstring(wheel.read(f"{MODM_FOLDER}/{file}"))  # noqa: S314 (pinned by hash)
        (arguments.out / f"vectors_{mcu}.toml").write_text(vectors_toml(device, mcu, file, size, pin), "utf-8")
    return 0


# ---- SVD ----


def svd_peripherals(archive: Path, device: str) -> dict[str, ET.Element]:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"{SVD_FOLDER}/{device}.svd")
        assert member is not None
        root = ET.fromstring(member.read())  # noqa: S314 (pinned by hash)
    return {str(p.findtext("name")): p for p in root.iter("peripheral")}


def number(text: str | None) -> int:
    return int(text or "0", 0)


def registers_of(peripherals: dict[str, ET.Element], name: str) -> dict[str, ET.Element]:
    peripheral = peripherals[name]
    parent = peripheral.get("derivedFrom")
    if parent:
        return registers_of(peripherals, parent)
    return {str(r.findtext("name")): r for r in peripheral.iter("register")}


def fields_of(register: ET.Element) -> dict[str, tuple[int, int]]:
    """Field name -> (lowest bit, width). Single-bit runs such as PLLN0..PLLN8 become one field PLLN."""
    raw = {
        str(f.findtext("name")): (number(f.findtext("bitOffset")), number(f.findtext("bitWidth")))
        for f in register.iter("field")
    }
    runs: dict[str, list[tuple[int, int]]] = {}
    for name, (bit, width) in raw.items():
        stem = name.rstrip("0123456789")
        if width == 1 and name != stem and stem in ("PLLQ", "PLLP", "PLLN", "PLLM", "SWS", "SW"):
            runs.setdefault(stem, []).append((int(name[len(stem) :]), bit))
        else:
            runs.setdefault(name, []).append((0, bit))
    fields = {}
    for name, bits in runs.items():
        low = min(bit for _, bit in bits)
        width = len(bits) if len(bits) > 1 else raw.get(name, (0, 1))[1]
        assert all(bit - low == index or len(bits) == 1 for index, bit in bits), name
        fields[name] = (low, width)
    return dict(sorted(fields.items(), key=lambda item: item[1]))


def registers_toml(main_mcu: dict[str, ET.Element], other: dict[str, ET.Element]) -> str:
    lines = [HEADER.strip(), ""]
    for block, instances in BLOCKS.items():
        for instance in instances:
            peripheral = main_mcu[instance]
            lines.append(f"[peripheral.{instance}]")
            lines.append(f'block = "{block}"')
            lines.append(f"base = {hexadecimal(number(peripheral.findtext('baseAddress')))}")
            size = peripheral.findtext("addressBlock/size") or "0x400"
            lines.append(f"bytes = {number(size):#x}")
            resets = reset_differences(main_mcu, instances[0], instance)
            if resets:
                lines.append("resets = { " + ", ".join(f"{n} = {hexadecimal(v)}" for n, v in resets.items()) + " }")
            lines.append("")
    for block, (base, size, section, _) in CORE.items():
        lines += [
            f"[peripheral.{block}]",
            f'block = "{block}"',
            f"base = {hexadecimal(base)}",
            f"bytes = {size:#x}",
            f'source = "ARM DDI 0403E.e {section}"',
            "",
        ]
    for block, instances in BLOCKS.items():
        lines += block_lines(block, svd_rows(block, registers_of(main_mcu, instances[0])))
    for block, (_, _, _, registers) in CORE.items():
        lines += block_lines(block, registers)
    lines += other_mcu_lines(main_mcu, other)
    return "\n".join(lines) + "\n"


def reset_differences(peripherals: dict[str, ET.Element], first: str, instance: str) -> dict[str, int]:
    ours, theirs = registers_of(peripherals, first), registers_of(peripherals, instance)
    return {
        name: number(register.findtext("resetValue"))
        for name, register in theirs.items()
        if name in ours and number(register.findtext("resetValue")) != number(ours[name].findtext("resetValue"))
    }


def svd_rows(block: str, registers: dict[str, ET.Element]) -> dict[str, tuple]:
    rows = {}
    for name, register in registers.items():
        fields = fields_of(register)
        access = register.findtext("access") or "read-write"
        reset, source = number(register.findtext("resetValue")), ""
        for (its_block, its_register, key), (value, why) in CORRECTIONS.items():
            if (its_block, its_register) == (block, name):
                source = f"corrected {key}: {why}"
                if key == "reset":
                    reset = value
                else:
                    fields[key] = value
        short = name.removeprefix("DBGMCU_")
        rows[short] = (number(register.findtext("addressOffset")), reset, access, source, fields)
    return rows


def block_lines(block: str, registers: dict[str, tuple]) -> list[str]:
    lines = []
    for name, (offset, reset, access, source, fields) in registers.items():
        lines.append(f"[block.{block}.{name}]")
        lines.append(f"offset = {offset:#05x}")
        lines.append("reset_unknown = true" if reset is None else f"reset = {hexadecimal(reset)}")
        lines.append(f'access = "{access}"')
        if source:
            lines.append(f'source = "{source}"')
        if fields:
            lines.append("fields = { " + ", ".join(f"{n} = [{b}, {w}]" for n, (b, w) in fields.items()) + " }")
        lines.append("")
    return lines


def other_mcu_lines(main_mcu: dict[str, ET.Element], other: dict[str, ET.Element]) -> list[str]:
    """What differs on the STM32F405: registers and fields it has not, and other reset values."""
    lines = ["# ---- differences of the STM32F405 (STM32F40x.svd) from the above ----", ""]
    for block, instances in BLOCKS.items():
        ours, theirs = (svd_rows(block, registers_of(mcu, instances[0])) for mcu in (main_mcu, other))
        for name, (_, reset, _, _, fields) in ours.items():
            lines += difference_lines(block, name, (reset, fields), theirs.get(name))
    return lines


def difference_lines(block: str, name: str, ours: tuple, theirs: tuple | None) -> list[str]:
    head = f"[mcu.stm32f405rg.{block}.{name}]"
    if theirs is None:
        return [head, "absent = true", ""]
    _, reset, _, _, fields = theirs
    source = ""
    if (block, name) in F405_CORRECTIONS:
        reset, extra, source = F405_CORRECTIONS[block, name]
        fields = {**fields, **extra}
    if (reset, fields) == ours:
        return []
    absent = sorted(set(ours[1]) - set(fields))
    changed = {n: place for n, place in fields.items() if ours[1].get(n) != place}
    lines = [head, f"reset = {hexadecimal(reset)}"]
    lines += [f'source = "{source}"'] if source else []
    lines += ["fields_absent = [" + ", ".join(f'"{n}"' for n in absent) + "]"] if absent else []
    lines += ["fields = { " + ", ".join(f"{n} = [{b}, {w}]" for n, (b, w) in changed.items()) + " }"] if changed else []
    return [*lines, ""]


def hexadecimal(value: int) -> str:
    return f"0x{value >> 16:04X}_{value & 0xFFFF:04X}"


HEADER = """
# Registers of the STM32F4 that the firmware touches and the virtual board models. Written by scripts/extract_registers.py;
# do not edit. The build room makes registers.h from this file, the emulator its registers.
#
# peripheral.<instance>: block (its register layout), base address, bytes; `resets`: where they differ from the block's.
# block.<block>.<register>: offset, reset value, access, fields = { NAME = [lowest bit, width] }.
# mcu.<mcu>: differences of another MCU.
schema = 1
default_mcu = "stm32f446re"

[source.svd]
package = "cmsis-svd 0.4 (PyPI sdist)"
sha256 = "b5f439fc6bbc43c9b56dd822f1f764359d503c685a42f913a1cfc2a3c6c42b2c"
files = ["data/STMicro/STM32F446x.svd version 1.0", "data/STMicro/STM32F40x.svd version 1.5"]
licence = "STMicroelectronics end user licence 1.0 (data/STMicro/License.html): allows derivative representations to develop and debug software for ST's devices; the SVD files themselves are not copied here"

[source.core]
document = "ARM DDI 0403E.e, ARMv7-M Architecture Reference Manual; values of the Cortex-M4: ARM DDI 0439D, TRM r0p1"
"""


# ---- modm ----


def vectors_toml(device: ET.Element, mcu: str, file: str, size: str, pin: str) -> str:
    root = device.find("device")
    assert root is not None
    core = next(d for d in root.iter("driver") if d.get("name") == "core")
    lines = [
        f"# Interrupts, memories, DMA routes and pins of the USARTs of the {mcu.upper()}. Written by scripts/extract_registers.py; do not edit.",
        "schema = 1",
        f'mcu = "{mcu}"',
        "",
        "[source]",
        'package = "modm-devices 0.13.1 (PyPI wheel)"',
        f'sha256 = "{MODM_SHA256}"',
        f'file = "resources/devices/stm32/{file}"',
        'licence = "MPL-2.0; an extract of facts, unchanged"',
        "",
        "[memories]  # origin, bytes, access",
    ]
    for memory in core.iter("memory"):
        if memory.get("device-size") in (None, size):
            lines.append(
                f'{memory.get("name")} = {{ origin = {hexadecimal(number(memory.get("start")))}, bytes = {number(memory.get("size")):#x}, access = "{memory.get("access")}" }}'
            )
    lines += ["", "[interrupts]  # position in the vector table, 0 is the first after the core's sixteen"]
    for vector in core.iter("vector"):
        names = vector.get("device-name")
        if names is None or mcu[7:9] in names.split("|"):
            lines.append(f"{vector.get('name')} = {vector.get('position')}")
    lines += ["", "[usart_dma]  # [controller, stream, channel], each possible route", *dma_lines(root)]
    lines += ["", "[usart_pins]  # pins and their alternate function", *pin_lines(root, pin)]
    return "\n".join(lines) + "\n"


def dma_lines(root: ET.Element) -> list[str]:
    routes: dict[str, list[list[int]]] = {}
    for streams in root.iter("streams"):
        for stream in streams.iter("stream"):
            for channel in stream.iter("channel"):
                for signal in channel.iter("signal"):
                    if signal.get("driver") == "usart":
                        name = f"USART{signal.get('instance')}_{str(signal.get('name')).upper()}"
                        route = [
                            number(streams.get("instance")),
                            number(stream.get("position")),
                            number(channel.get("position")),
                        ]
                        routes.setdefault(name, []).append(route)
    return [f"{name} = {route}" for name, route in sorted(routes.items())]


def pin_lines(root: ET.Element, package: str) -> list[str]:
    pins: dict[str, list[str]] = {}
    for gpio in root.iter("gpio"):
        if gpio.get("device-pin") and package not in str(gpio.get("device-pin")).split("|"):
            continue
        for signal in gpio.iter("signal"):
            if signal.get("driver") == "usart" and signal.get("name") in ("tx", "rx"):
                name = f"USART{signal.get('instance')}_{str(signal.get('name')).upper()}"
                place = f"P{str(gpio.get('port')).upper()}{gpio.get('pin')} = {signal.get('af')}"
                pins.setdefault(name, []).append(place)
    return [f"{name} = {{ {', '.join(places)} }}" for name, places in sorted(pins.items())]


if __name__ == "__main__":
    raise SystemExit(main())
