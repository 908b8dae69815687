"""`hilgate ports`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from serial.tools import list_ports

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
    with pytest.raises(SystemExit) as caught:
        main(["ports"])
    assert not caught.value.code
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split("\t") == ["/dev/ttyACM1", "ST-LINK/V2-1 0669FF", "STM32 STLink"]


def test_nothing_attached_says_what_else_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    with pytest.raises(SystemExit):
        main(["ports"])
    assert "virtual://" in capsys.readouterr().err
