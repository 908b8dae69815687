"""`hilgate ports`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from hilgate.bench import probes
from hilgate.bench.probes import Probe
from hilgate.cli import main
from hilgate.link.ports import AttachedPort, attached_ports

PORTS = [
    SimpleNamespace(
        device="/dev/ttyACM1", description="STM32 STLink", hwid="USB", vid=0x0483, pid=0x374B, serial_number="0669FF"
    ),
    SimpleNamespace(device="/dev/ttyS0", description="n/a", hwid="n/a", vid=None, pid=None, serial_number=None),
    SimpleNamespace(device="/dev/ttyACM0", description="modem", hwid="USB", vid=0x1234, pid=0x374B, serial_number="A"),
]


def test_probes_are_told_from_other_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: PORTS)
    assert attached_ports() == [
        AttachedPort("/dev/ttyACM0", "modem", "", "A"),
        AttachedPort("/dev/ttyACM1", "STM32 STLink", "ST-LINK/V2-1", "0669FF"),
    ]


def test_the_command_lists_one_port_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: PORTS)
    monkeypatch.setattr(probes, "attached_probes", list)
    with pytest.raises(SystemExit) as caught:
        main(["ports"])
    assert not caught.value.code
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split("\t") == ["/dev/ttyACM1", "ST-LINK/V2-1 0669FF", "STM32 STLink"]


def test_a_probe_without_a_port_is_listed_because_flash_can_use_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: PORTS)
    with_port, without = Probe("0669FF", "ST-LINK/V2-1", "/dev/ttyACM1"), Probe("37FF", "ST-LINK/V2")
    monkeypatch.setattr(probes, "attached_probes", lambda: [with_port, without])
    with pytest.raises(SystemExit):
        main(["ports"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].split("\t") == ["-", "ST-LINK/V2 37FF", "debug probe without a serial port"]


def test_nothing_attached_says_what_else_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    monkeypatch.setattr(probes, "attached_probes", list)
    with pytest.raises(SystemExit):
        main(["ports"])
    assert "virtual://" in capsys.readouterr().err
