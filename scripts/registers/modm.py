"""modm-devices as vectors_<mcu>.toml: interrupts, memories, DMA routes and pins of the USARTs."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from registers.svd import hexadecimal, number

MODM_FOLDER = "modm_devices/resources/devices/stm32"
MODM_SHA256 = "3b7a3c9d9a1fd0019afed1554a45431060fde412a16d25b32389fac74a26add6"


def device(archive: Path, file: str) -> ET.Element:
    """The device element of one file inside modm-devices' wheel."""
    with zipfile.ZipFile(archive) as wheel:
        root = ET.fromstring(wheel.read(f"{MODM_FOLDER}/{file}"))  # noqa: S314 (pinned by hash)
    return root[0]


def of_part(root: ET.Element, mcu: str) -> ET.Element:
    """A copy without what the file has for other parts than `mcu`, such as stm32f446re: name 46, pin r, size e."""
    wanted = {"device-name": mcu[7:9], "device-pin": mcu[-2], "device-size": mcu[-1]}
    root = copy.deepcopy(root)
    for parent in list(root.iter()):
        for child in list(parent):
            if any(value not in child.get(key, value).split("|") for key, value in wanted.items()):
                parent.remove(child)
    return root


def vectors_toml(root: ET.Element, mcu: str, file: str, core: str = "") -> str:
    """mcu: such as stm32f446re; core: of a chip with two, such as m7."""
    root = of_part(root, mcu)
    driver = next(d for d in root.iter("driver") if d.get("name") == "core")
    lines = [
        f"# Interrupts, memories, DMA routes and pins of the USARTs of the {mcu.upper()}. Written by",
        "# scripts/extract_registers.py; do not edit.",
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
    for memory in driver.iter("memory"):
        origin, count = hexadecimal(number(memory.get("start"))), number(memory.get("size"))
        access = memory.get("access")
        lines.append(f'{memory.get("name")} = {{ origin = {origin}, bytes = {count:#x}, access = "{access}" }}')
    lines += _clock_lines(root, mcu)
    lines += ["", "[interrupts]  # position in the vector table, 0 is the first after the core's sixteen"]
    for vector in driver.iter("vector"):
        if not core or core in vector.get("device-core", core).split("|"):
            lines.append(f"{vector.get('name')} = {vector.get('position')}")
    lines += ["", "[usart_dma]  # [controller, stream, channel], each possible route", *_dma_lines(root)]
    lines += ["", "[usart_pins]  # pins and their alternate function", *_pin_lines(root)]
    return "\n".join(lines) + "\n"


def _clock_lines(root: ET.Element, mcu: str) -> list[str]:
    """An STM32F4's fastest core clock, and that of each number of flash wait states at the highest voltage."""
    if not mcu.startswith("stm32f4"):  # of other families modm's table is another one, or not that of the part
        return []
    latency = max(root.iter("latency"), key=lambda element: number(element.get("vcore-min")))
    steps = [number(step.get("hclk-max")) for step in latency.iter("wait-state")]
    most = next(number(element.get("value")) for element in root.iter("max-frequency"))
    lines = ["", "[clock]  # of the core, in Hz; with 0, 1, 2, ... flash wait states at 2.7 V and more"]
    return [*lines, f"max_hz = {most:_}", f"wait_states_max_hz = [{', '.join(f'{hz:_}' for hz in steps)}]"]


def _dma_lines(root: ET.Element) -> list[str]:
    routes: dict[str, list[list[int]]] = {}
    for request in root.iter("request"):  # a DMAMUX: any stream of both controllers takes any request
        for signal in request.iter("signal"):
            if signal.get("driver") == "usart":
                name = f"USART{signal.get('instance')}_{str(signal.get('name')).upper()}"
                number_of = number(request.get("position"))
                routes[name] = [[controller, stream, number_of] for controller in (1, 2) for stream in range(8)]
    for streams in root.iter("streams"):
        controller = number(streams.get("instance"))
        for stream in streams.iter("stream"):
            for channel in stream.iter("channel"):
                for signal in channel.iter("signal"):
                    if signal.get("driver") == "usart":
                        name = f"USART{signal.get('instance')}_{str(signal.get('name')).upper()}"
                        route = [controller, number(stream.get("position")), number(channel.get("position"))]
                        routes.setdefault(name, []).append(route)
    return [f"{name} = {route}" for name, route in sorted(routes.items())]


def _pin_lines(root: ET.Element) -> list[str]:
    pins: dict[str, list[str]] = {}
    for gpio in root.iter("gpio"):
        for signal in gpio.iter("signal"):
            if signal.get("driver") == "usart" and signal.get("name") in ("tx", "rx"):
                name = f"USART{signal.get('instance')}_{str(signal.get('name')).upper()}"
                place = f"P{str(gpio.get('port')).upper()}{gpio.get('pin')} = {signal.get('af')}"
                pins.setdefault(name, []).append(place)
    return [f"{name} = {{ {', '.join(places)} }}" for name, places in sorted(pins.items())]
