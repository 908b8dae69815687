"""scripts/extract_registers.py on a file like modm's, which describes several parts at once."""

from __future__ import annotations

import importlib
import sys
import tomllib
import xml.etree.ElementTree as ET

import pytest

DEVICE = """
<device>
  <driver name="core" type="cortex-m4">
    <memory device-size="c" name="flash" access="rx" start="0x8000000" size="262144"/>
    <memory device-size="e" name="flash" access="rx" start="0x8000000" size="524288"/>
    <memory device-name="01" device-size="b|c" name="sram" access="rwx" start="0x20000000" size="65536"/>
    <memory device-name="01" device-size="d|e" name="sram" access="rwx" start="0x20000000" size="98304"/>
    <memory device-name="11" name="sram" access="rwx" start="0x20000000" size="131072"/>
    <vector position="0" name="WWDG"/>
    <vector device-name="11" position="85" name="SPI5"/>
  </driver>
  <driver name="flash">
    <latency vcore-min="1800"><wait-state ws="0" hclk-max="16000000"/></latency>
    <latency vcore-min="2700">
      <wait-state ws="0" hclk-max="30000000"/><wait-state ws="1" hclk-max="60000000"/>
      <wait-state device-name="01" ws="2" hclk-max="84000000"/><wait-state device-name="11" ws="2" hclk-max="90000000"/>
      <wait-state device-name="11" ws="3" hclk-max="100000000"/>
    </latency>
  </driver>
  <driver name="rcc">
    <max-frequency device-name="11" value="100000000"/><max-frequency device-name="01" value="84000000"/>
  </driver>
  <driver name="gpio">
    <gpio port="a" pin="10"><signal af="7" driver="usart" instance="1" name="rx"/></gpio>
    <gpio port="b" pin="3"><signal device-name="11" af="7" driver="usart" instance="1" name="rx"/></gpio>
    <gpio device-pin="v" port="e" pin="0"><signal af="8" driver="usart" instance="6" name="rx"/></gpio>
  </driver>
</device>
"""


F401_CLOCK = {"max_hz": 84_000_000, "wait_states_max_hz": [30_000_000, 60_000_000, 84_000_000]}
F411_CLOCK = {"max_hz": 100_000_000, "wait_states_max_hz": [30_000_000, 60_000_000, 90_000_000, 100_000_000]}
EXPECTED = {  # RAM, flash, [clock], interrupts, pins of USART1_RX
    "stm32f401re": (98304, 524288, F401_CLOCK, 1, {"PA10": 7}),
    "stm32f401rc": (65536, 262144, F401_CLOCK, 1, {"PA10": 7}),
    "stm32f411re": (131072, 524288, F411_CLOCK, 2, {"PA10": 7, "PB3": 7}),
}


@pytest.fixture
def modm(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "scripts")
    yield importlib.import_module("registers.modm")
    for name in [name for name in sys.modules if name.split(".")[0] == "registers"]:
        del sys.modules[name]


@pytest.mark.parametrize("mcu", EXPECTED)
def test_each_part_gets_its_own_facts(modm, mcu):
    root = ET.fromstring(DEVICE)  # noqa: S314  (ours)
    facts = tomllib.loads(modm.vectors_toml(root, mcu, "file.xml"))
    memories = facts["memories"]
    found = (memories["sram"]["bytes"], memories["flash"]["bytes"], facts["clock"], len(facts["interrupts"]))
    assert (*found, facts["usart_pins"]["USART1_RX"]) == EXPECTED[mcu]
    assert list(facts["usart_pins"]) == ["USART1_RX"], "port E is not on 64 pins"
