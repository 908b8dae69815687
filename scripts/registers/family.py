"""A newer family as registers.toml: one SVD of one MCU, what is missing in it or wrong, and where that is known from.

families/<family>.toml says which blocks the firmware needs, and each correction with its source; svd.py does the
STM32F4, whose two MCUs share one file, and h7.py the STM32H7.
"""

from __future__ import annotations

import tomllib
import xml.etree.ElementTree as ET
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from registers import modm
from registers.svd import CORE, Register, block_lines, core_rows, fields_of, hexadecimal, number

FOLDER = Path(__file__).with_name("families")


def load(family: str) -> dict[str, Any]:
    """families/<family>.toml."""
    return tomllib.loads((FOLDER / f"{family}.toml").read_text("utf-8"))


def registers_toml(facts: dict[str, Any], svds: dict[str, bytes]) -> str:
    """The whole file. svds: the content of each [source.<name>], its hash checked by the caller."""
    parsed = {name: _peripherals(data) for name, data in svds.items()}
    lines = _head(facts)
    for block, entry in facts["blocks"].items():
        mcu = parsed[entry.get("svd", "svd")]
        for instance in entry["instances"]:
            lines += _instance(mcu, block, entry, instance)
    for block, core in CORE.items():
        if block not in facts["blocks"]:
            lines += [f"[peripheral.{block}]", f'block = "{block}"', f"base = {hexadecimal(core['base'])}"]
            lines += [f"bytes = {core['bytes']:#x}", f'source = "ARM DDI 0403E.e {core["section"]}"', ""]
    for block, entry in facts["blocks"].items():
        lines += block_lines(block, _rows(parsed[entry.get("svd", "svd")], entry, entry["instances"][0]))
    for block, core in CORE.items():
        lines += block_lines(block, core_rows(core))
    return "\n".join(lines) + "\n"


def _head(facts: dict[str, Any]) -> list[str]:
    title = f"Registers of the {facts['title']} that the firmware touches and the virtual board models."
    lines = [
        f"# {title} Written by scripts/extract_registers.py;",
        "# do not edit. registers.h and the emulator's registers both come from this file.",
        "#",
        "# peripheral.<instance>: block (its register layout), base address, bytes; `resets`: where they differ from",
        "# the block's. block.<block>.<register>: offset, reset value, access, fields = { NAME = [low bit, width] }.",
        "schema = 1",
        f'default_mcu = "{facts["mcu"]}"',
        "",
    ]
    for name, source in facts["source"].items():
        lines += [f"[source.{name}]", *(f'{key} = "{value}"' for key, value in source.items()), ""]
    lines += [
        "[source.core]",
        'document = "ARM DDI 0403E.e, ARMv7-M Architecture Reference Manual; values of the Cortex-M4: ARM DDI 0439D"',
        "",
    ]
    return lines


def _peripherals(data: bytes) -> dict[str, ET.Element]:
    return {str(p.findtext("name")): p for p in ET.fromstring(data).iter("peripheral")}  # noqa: S314 (pinned by hash)


def _layout(mcu: dict[str, ET.Element], name: str) -> ET.Element:
    parent = mcu[name].get("derivedFrom")
    return _layout(mcu, parent) if parent else mcu[name]


def _rows(mcu: dict[str, ET.Element], entry: dict[str, Any], instance: str) -> dict[str, Register]:
    """The instance's registers by offset, corrected as the family's file says."""
    found = {}
    for element in _layout(mcu, instance).iter("register"):
        name = str(element.findtext("name"))
        correction = next((r for pattern, r in entry.get("registers", {}).items() if fnmatch(name, pattern)), {})
        if not any(fnmatch(name, pattern) for pattern in entry.get("only", ["*"])):
            continue
        fields = fields_of(element)
        for gone in correction.get("fields_absent", ()):
            del fields[gone]
        fields |= {field: (place[0], place[1]) for field, place in correction.get("fields", {}).items()}
        fields = dict(sorted(fields.items(), key=lambda item: item[1]))
        reset = entry.get("resets", {}).get(instance, {}).get(name)
        if reset is None:
            reset = correction.get("reset", number(element.findtext("resetValue")))
        access = correction.get("access", element.findtext("access") or "read-write")
        source = correction.get("source", "")
        found[name] = Register(number(element.findtext("addressOffset")), reset, access, source, fields)
    for name, r in entry.get("registers", {}).items():
        if "offset" in r:  # the SVD has it not
            fields = {field: (place[0], place[1]) for field, place in r["fields"].items()}
            found[name] = Register(r["offset"], r["reset"], r["access"], r["source"], fields)
    return dict(sorted(found.items(), key=lambda item: item[1].offset))


def _instance(mcu: dict[str, ET.Element], block: str, entry: dict[str, Any], instance: str) -> list[str]:
    base = number(mcu[instance].findtext("baseAddress"))
    lines = [f"[peripheral.{entry.get('names', {}).get(instance, instance)}]", f'block = "{block}"']
    size = number(_layout(mcu, instance).findtext("addressBlock/size"))
    lines += [f"base = {hexadecimal(base)}", f"bytes = {size:#x}"]
    ours, theirs = _rows(mcu, entry, entry["instances"][0]), _rows(mcu, entry, instance)
    resets = [f"{n} = {hexadecimal(r.reset or 0)}" for n, r in theirs.items() if n in ours and r.reset != ours[n].reset]
    lines += [f"resets = {{ {', '.join(resets)} }}"] if resets else []
    return [*lines, ""]


def vectors_toml(root: ET.Element, mcu: str, file: str, facts: dict[str, Any]) -> str:
    """vectors_<mcu>.toml: modm's memories and those that it lacks; pins and DMA requests of the LPUARTs.

    Behind a DMAMUX every channel of both controllers serves any request: routes are [controller, channel, request].
    """
    root = modm.of_part(root, mcu)
    head = modm.vectors_toml(root, mcu, file).split("\n[usart_dma]")[0]
    lines = []
    for name, memory in facts.get("memories", {}).items():
        place = f'origin = {hexadecimal(memory["origin"])}, bytes = {memory["bytes"]:#x}, access = "{memory["access"]}"'
        lines.append(f"{name} = {{ {place} }} # {memory['source']}")
    head = head.replace("\n\n[interrupts]", "\n" + "\n".join(lines) + "\n\n[interrupts]") if lines else head
    routes = [f"{name} = {_routes(request)}" for name, request in sorted(_requests(root).items())]
    pins = [f"{name} = {{ {', '.join(places)} }}" for name, places in sorted(_pins(root).items())]
    tail = ["", "[usart_dma]  # [controller, channel, request]: any channel takes any request, by DMAMUX1", *routes]
    return head + "\n".join([*tail, "", "[usart_pins]  # pins and their alternate function", *pins]) + "\n"


def _routes(request: int) -> list[list[int]]:
    return [[controller, channel, request] for controller in (1, 2) for channel in range(1, 8)]


def _signal(element: ET.Element) -> str | None:
    """Our name of a line of an LPUART, such as LPUART1_RX; None for anything else."""
    driver, line = str(element.get("driver")), element.get("name")
    if driver != "lpuart" or line not in ("rx", "tx"):
        return None
    return f"LPUART{element.get('instance')}_{line.upper()}"


def _requests(root: ET.Element) -> dict[str, int]:
    pairs = [(_signal(s), number(r.get("position"))) for r in root.iter("request") for s in r.iter("signal")]
    return {name: request for name, request in pairs if name}


def _pins(root: ET.Element) -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for gpio in root.iter("gpio"):
        for signal in gpio.iter("signal"):
            name = _signal(signal)
            if name and signal.get("af"):
                pins.setdefault(name, []).append(
                    f"P{str(gpio.get('port')).upper()}{gpio.get('pin')} = {signal.get('af')}"
                )
    return pins
